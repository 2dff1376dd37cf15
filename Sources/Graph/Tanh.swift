import Tensors

/// y = tanh(x), each element by itself.
public struct Tanh: ElementwiseOperation {
  /// The hyperbolic tangent.
  public init() {}

  func apply<Scalar: TensorScalar>(_ x: Scalar) -> Scalar { Scalar.hyperbolicTangent(x) }
}
