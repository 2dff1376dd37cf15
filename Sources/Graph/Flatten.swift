public import Tensors

/// [N, a, b, ...] -> [N, a*b*...]: the same numbers in the same order.
public struct Flatten: Operation {
  /// The flattening of all axes but the first.
  public init() {}

  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] {
    [[inputs[0][0], try Dimension.multiplied(Array(inputs[0].dropFirst()))]]
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    let shape = inputs[0].shape
    return [inputs[0].reshaped([shape[0], shape[1...].reduce(1, *)])]
  }
}
