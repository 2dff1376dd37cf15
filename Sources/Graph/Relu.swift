import Tensors

/// y = max(0, x), each element by itself; NaN stays NaN.
public struct Relu: ElementwiseOperation {
  /// The rectifier.
  public init() {}

  func apply<Scalar: TensorScalar>(_ x: Scalar) -> Scalar { x < 0 ? 0 : x }
}
