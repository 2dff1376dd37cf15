import Tensors

/// The gradient of an elementwise operation, from the gradient of its result and the result itself: (dy, y) -> dx.
protocol ElementwiseGradient: Operation {
  func apply<Scalar: TensorScalar>(_ gradient: Scalar, result y: Scalar) -> Scalar
}

extension ElementwiseGradient {
  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] { [inputs[0]] }

  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    let elements = zip(inputs[0].elements, inputs[1].elements).map { apply($0, result: $1) }
    return [Tensor(shape: inputs[0].shape, elements: elements)]
  }

  /// The rule of the operation whose gradient this is.
  func rule(_ rule: inout GradientRule) throws(ShapeError) -> [ValueID?] {
    guard let gradient = rule.resultGradient else { return [nil] }
    return [try rule.apply(self, to: gradient, rule.results[0])]
  }
}
