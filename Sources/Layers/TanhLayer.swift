public import Graph

/// `tanh`: the hyperbolic tangent, each element by itself.
public struct TanhLayer: AttributeFreeLayer {
  public static let type = "tanh"

  public init() {}

  public func build(_ context: inout LayerContext, inputs: [ValueID], parameters: [ValueID]) throws(ShapeError)
    -> ValueID
  {
    try context.apply(Tanh(), to: inputs[0])
  }
}
