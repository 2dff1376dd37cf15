public import Graph

/// `gap`: the mean over the two spatial axes, rank 4 -> [N, C].
public struct GapLayer: AttributeFreeLayer {
  public static let type = "gap"

  public init() {}

  public func build(_ context: inout LayerContext, inputs: [ValueID], parameters: [ValueID]) throws(ShapeError)
    -> ValueID
  {
    try context.apply(SpatialMean(), to: inputs[0])
  }
}
