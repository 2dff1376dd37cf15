public import Graph

/// `flatten`: [N, ...] -> [N, product], row-major in the model's layout.
public struct FlattenLayer: AttributeFreeLayer {
  public static let type = "flatten"

  public init() {}

  public func build(_ context: inout LayerContext, inputs: [ValueID], parameters: [ValueID]) throws(ShapeError)
    -> ValueID
  {
    try context.apply(Flatten(), to: context.presented(inputs[0]))
  }
}
