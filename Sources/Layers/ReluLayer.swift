public import Graph

/// `relu`: max(0, x), each element by itself.
public struct ReluLayer: AttributeFreeLayer {
  public static let type = "relu"

  public init() {}

  public func build(_ context: inout LayerContext, inputs: [ValueID], parameters: [ValueID]) throws(ShapeError)
    -> ValueID
  {
    try context.apply(Relu(), to: inputs[0])
  }
}
