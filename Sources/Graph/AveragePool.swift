import Tensors

/// The mean of the numbers under the window: over the cells inside the input, or over the whole kernel.
public struct AveragePool: Pooling {
  /// The sliding window.
  public let window: Window
  /// Whether padding counts as cells of value zero.
  public let countsPadding: Bool

  /// An average pooling.
  public init(window: Window, countsPadding: Bool = false) {
    self.window = window
    self.countsPadding = countsPadding
  }

  func pool<Scalar: TensorScalar>(_ cells: [Scalar]) -> Scalar {
    let count = countsPadding ? window.kernel[0] * window.kernel[1] : cells.count
    return cells.reduce(0, +) / Scalar(count)
  }
}
