import Tensors

/// The largest number under the window; padding counts as minus infinity, NaN wins over every number.
public struct MaxPool: Pooling {
  /// The sliding window.
  public let window: Window

  /// A maximum pooling.
  public init(window: Window) { self.window = window }

  func pool<Scalar: TensorScalar>(_ cells: [Scalar]) -> Scalar {
    var largest = -Scalar.infinity
    for cell in cells where cell > largest || cell.isNaN { largest = cell }
    return largest
  }
}
