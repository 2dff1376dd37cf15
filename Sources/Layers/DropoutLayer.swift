public import Graph

/// `dropout`: nothing in inference; in training each number is dropped with probability `rate` and the others are scaled
/// by 1 / (1 - rate) (Srivastava et al. 2014).
public struct DropoutLayer: Layer {
  public static let type = "dropout"
  /// The share of numbers that are dropped.
  let rate: Double

  public init(_ attributes: LayerAttributes) throws(LayerError) { rate = attributes.number("rate") ?? 0 }

  public func summary(parameters: [[Int]]) -> String { "dropout \(rate)" }

  public func build(_ context: inout LayerContext, inputs: [ValueID], parameters: [ValueID]) throws(ShapeError)
    -> ValueID
  {
    guard context.phase == .training, rate > 0 else { return inputs[0] }
    let mask = context.addMask(for: inputs[0], rate: rate)
    return try context.apply(Multiply(), to: inputs[0], mask)
  }
}
