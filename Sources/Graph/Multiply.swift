public import Tensors

/// The product of two values of one shape, element by element: a dropout's mask on its input.
public struct Multiply: Operation {
  /// The product.
  public init() {}

  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] { try Add().outputShapes(inputs) }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    var output = inputs[0]
    for place in output.elements.indices { output.elements[place] *= inputs[1].elements[place] }
    return [output]
  }
}

extension Multiply: DifferentiableOperation {
  public func operandGradients(_ rule: inout GradientRule) throws(ShapeError) -> [ValueID?] {
    guard let gradient = rule.resultGradient else { return [nil, nil] }
    return [
      try rule.applyIfNeeded(0, Multiply(), to: gradient, rule.operands[1]),
      try rule.applyIfNeeded(1, Multiply(), to: gradient, rule.operands[0]),
    ]
  }
}
