import Tensors

/// dx = dy * y * (1 - y) with y = sigmoid(x). Operands: dy, y.
public struct SigmoidGradient: ElementwiseGradient {
  /// The logistic function's gradient.
  public init() {}

  func apply<Scalar: TensorScalar>(_ gradient: Scalar, result y: Scalar) -> Scalar { gradient * y * (1 - y) }
}

extension Sigmoid: DifferentiableOperation {
  public func operandGradients(_ rule: inout GradientRule) throws(ShapeError) -> [ValueID?] {
    try SigmoidGradient().rule(&rule)
  }
}
