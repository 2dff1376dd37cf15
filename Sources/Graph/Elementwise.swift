import Tensors

/// An operation that turns each number into another, by itself.
protocol ElementwiseOperation: Operation {
  func apply<Scalar: TensorScalar>(_ x: Scalar) -> Scalar
}

extension ElementwiseOperation {
  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] { [inputs[0]] }

  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    [Tensor(shape: inputs[0].shape, elements: inputs[0].elements.map(apply))]
  }
}
