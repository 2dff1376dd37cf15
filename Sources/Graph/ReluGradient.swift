import Tensors

/// dx = dy where y = relu(x) is positive, else 0. Operands: dy, y.
public struct ReluGradient: ElementwiseGradient {
  /// The rectifier's gradient.
  public init() {}

  func apply<Scalar: TensorScalar>(_ gradient: Scalar, result y: Scalar) -> Scalar { y > 0 ? gradient : 0 }
}

extension Relu: DifferentiableOperation {
  public func operandGradients(_ rule: inout GradientRule) throws(ShapeError) -> [ValueID?] {
    try ReluGradient().rule(&rule)
  }
}
