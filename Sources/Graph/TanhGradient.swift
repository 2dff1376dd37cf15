import Tensors

/// dx = dy * (1 - y^2) with y = tanh(x). Operands: dy, y.
public struct TanhGradient: ElementwiseGradient {
  /// The hyperbolic tangent's gradient.
  public init() {}

  func apply<Scalar: TensorScalar>(_ gradient: Scalar, result y: Scalar) -> Scalar { gradient * (1 - y * y) }
}

extension Tanh: DifferentiableOperation {
  public func operandGradients(_ rule: inout GradientRule) throws(ShapeError) -> [ValueID?] {
    try TanhGradient().rule(&rule)
  }
}
