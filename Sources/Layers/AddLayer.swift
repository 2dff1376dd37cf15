public import Graph

/// `add`: the sum of two or more values of one shape.
public struct AddLayer: AttributeFreeLayer {
  public static let type = "add"

  public init() {}

  public func build(_ context: inout LayerContext, inputs: [ValueID], parameters: [ValueID]) throws(ShapeError)
    -> ValueID
  {
    try context.apply(Add(), toAll: inputs)
  }
}
