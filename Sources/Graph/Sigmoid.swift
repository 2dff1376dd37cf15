import Tensors

/// y = 1 / (1 + exp(-x)), each element by itself, computed so that no exponential overflows.
public struct Sigmoid: ElementwiseOperation {
  /// The logistic function.
  public init() {}

  func apply<Scalar: TensorScalar>(_ x: Scalar) -> Scalar {
    if x >= 0 { return 1 / (1 + Scalar.exponential(-x)) }
    let power = Scalar.exponential(x)
    return power / (1 + power)
  }
}
