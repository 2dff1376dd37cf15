public import Graph

/// `concat`: two or more values laid one after the other along the channels.
public struct ConcatLayer: AttributeFreeLayer {
  public static let type = "concat"

  public init() {}

  public func build(_ context: inout LayerContext, inputs: [ValueID], parameters: [ValueID]) throws(ShapeError)
    -> ValueID
  {
    try context.apply(Concatenate(), toAll: inputs)
  }
}
