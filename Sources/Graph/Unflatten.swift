public import Tensors

/// [N, a*b*...] -> [N, a, b, ...]: the same numbers in the same order.
public struct Unflatten: Operation {
  /// The lengths of the axes after the first.
  public let sizes: [Int]

  /// The inverse of a flattening of [N] + sizes.
  public init(sizes: [Int]) { self.sizes = sizes }

  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] {
    [[inputs[0][0]] + sizes.map { .fixed($0) }]
  }

  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    [inputs[0].reshaped([inputs[0].shape[0]] + sizes)]
  }
}

extension Flatten: DifferentiableOperation {
  public func operandGradients(_ rule: inout GradientRule) throws(ShapeError) -> [ValueID?] {
    guard let gradient = rule.resultGradient else { return [nil] }
    return [try rule.apply(Unflatten(sizes: try rule.sizes(of: 0, from: 1)), to: gradient)]
  }
}
