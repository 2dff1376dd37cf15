public import Graph

/// `maxpool`: the largest number under a sliding window; padding counts as minus infinity.
///
/// [N, C, H, W] -> [N, C, H', W'], sizes rounded down.
public struct MaxPoolLayer: Layer {
  public static let type = "maxpool"
  private let window: Window

  public init(_ attributes: LayerAttributes) throws(LayerError) {
    window = try attributes.poolingWindow()
  }

  public func summary(parameters: [[Int]]) -> String {
    ["\(Self.type) \(window.kernelSummary)", window.strideSummary].compactMap { $0 }.joined(separator: ", ")
  }

  public func build(_ context: inout LayerContext, inputs: [ValueID], parameters: [ValueID]) throws(ShapeError)
    -> ValueID
  {
    try context.apply(MaxPool(window: window), to: inputs[0])
  }
}
