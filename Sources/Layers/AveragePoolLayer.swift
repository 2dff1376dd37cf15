public import Graph

/// `avgpool`: the mean of the numbers under a sliding window, of the cells inside the input or of the whole kernel.
///
/// [N, C, H, W] -> [N, C, H', W'], sizes rounded down.
public struct AveragePoolLayer: Layer {
  public static let type = "avgpool"
  private let window: Window
  private let countsPadding: Bool

  public init(_ attributes: LayerAttributes) throws(LayerError) {
    window = try attributes.poolingWindow()
    countsPadding = attributes.boolean("count-padding") ?? false
  }

  public func summary(parameters: [[Int]]) -> String {
    ["\(Self.type) \(window.kernelSummary)", window.strideSummary].compactMap { $0 }.joined(separator: ", ")
  }

  public func build(_ context: inout LayerContext, inputs: [ValueID], parameters: [ValueID]) throws(ShapeError)
    -> ValueID
  {
    try context.apply(AveragePool(window: window, countsPadding: countsPadding), to: inputs[0])
  }
}
