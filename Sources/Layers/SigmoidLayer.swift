public import Graph

/// `sigmoid`: 1 / (1 + exp(-x)), each element by itself.
public struct SigmoidLayer: AttributeFreeLayer {
  public static let type = "sigmoid"

  public init() {}

  public func build(_ context: inout LayerContext, inputs: [ValueID], parameters: [ValueID]) throws(ShapeError)
    -> ValueID
  {
    try context.apply(Sigmoid(), to: inputs[0])
  }
}
