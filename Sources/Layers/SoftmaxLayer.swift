public import Graph

/// `softmax`: over the last axis as the author sees it, in both layouts.
public struct SoftmaxLayer: AttributeFreeLayer {
  public static let type = "softmax"

  public init() {}

  public func build(_ context: inout LayerContext, inputs: [ValueID], parameters: [ValueID]) throws(ShapeError)
    -> ValueID
  {
    let rank = context.graph.shape(inputs[0]).count
    let axis = context.layout == .nhwc && rank == 4 ? 1 : rank - 1
    return try context.apply(Softmax(axis: axis), to: inputs[0])
  }
}
