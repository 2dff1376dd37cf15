public import Tensors

/// y[n, c, ...] = x[n, c, ...] + b[c]: one number added to each channel. x is of rank 2 or 4, b is [C].
public struct Bias: Operation {
  /// The addition of a bias.
  public init() {}

  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] {
    try ChannelView.check(inputs[0], vectors: [inputs[1]], named: "a bias")
    return [inputs[0]]
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    var output = inputs[0]
    let view = ChannelView(output.shape)
    for row in 0..<view.batch {
      for channel in 0..<view.channels {
        let bias = inputs[1].elements[channel]
        for place in view.range(row: row, channel: channel) { output.elements[place] += bias }
      }
    }
    return [output]
  }
}

extension Bias: DifferentiableOperation {
  public func operandGradients(_ rule: inout GradientRule) throws(ShapeError) -> [ValueID?] {
    guard let gradient = rule.resultGradient else { return [nil, nil] }
    return [gradient, try rule.applyIfNeeded(1, ChannelSum(), to: gradient)]
  }
}
