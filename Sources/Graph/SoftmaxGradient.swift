public import Tensors

/// dx[i] = y[i] * (dy[i] - sum over j of dy[j] y[j]) with y = softmax(x), along one axis. Operands: dy, y.
public struct SoftmaxGradient: Operation {
  /// The axis whose numbers sum to one.
  public let axis: Int

  /// The gradient of a softmax along `axis`.
  public init(axis: Int) { self.axis = axis }

  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] { [inputs[0]] }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    let (gradient, y) = (inputs[0], inputs[1])
    var output = y
    let length = y.shape[axis]
    let inner = y.shape[(axis + 1)...].reduce(1, *)
    for line in 0..<y.shape[..<axis].reduce(1, *) * inner {
      let first = line / inner * length * inner + line % inner
      let places = stride(from: first, to: first + length * inner, by: inner)
      var sum: Scalar = 0
      for place in places { sum += gradient.elements[place] * y.elements[place] }
      for place in places { output.elements[place] *= gradient.elements[place] - sum }
    }
    return [output]
  }
}

extension Softmax: DifferentiableOperation {
  public func operandGradients(_ rule: inout GradientRule) throws(ShapeError) -> [ValueID?] {
    guard let gradient = rule.resultGradient else { return [nil] }
    return [try rule.apply(SoftmaxGradient(axis: axis), to: gradient, rule.results[0])]
  }
}
