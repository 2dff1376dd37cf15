public import Tensors

/// y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, for each channel, with the mean and the biased variance of
/// the batch itself over the batch and all places (Ioffe and Szegedy 2015, algorithm 1).
///
/// Operands: x [N, C] or [N, C, H, W], then gamma and beta, each [C]. Results: y, then mean and variance, each [C].
public struct BatchStatisticsNormalization: Operation {
  /// What is added to the variance.
  public let epsilon: Double

  /// A normalisation with the batch's statistics.
  public init(epsilon: Double) { self.epsilon = epsilon }

  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] {
    try ChannelView.check(inputs[0], vectors: Array(inputs[1...]), named: "batch normalisation")
    return [inputs[0], [inputs[0][1]], [inputs[0][1]]]
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    let x = inputs[0]
    let view = ChannelView(x.shape)
    let count = Scalar(max(view.batch * view.places, 1))
    var mean = Tensor<Scalar>(shape: [view.channels], repeating: 0)
    var variance = mean
    for channel in 0..<view.channels {
      var sum: Scalar = 0
      for row in 0..<view.batch {
        for place in view.range(row: row, channel: channel) { sum += x.elements[place] }
      }
      let middle = sum / count
      var squares: Scalar = 0
      for row in 0..<view.batch {
        for place in view.range(row: row, channel: channel) {
          let difference = x.elements[place] - middle
          squares += difference * difference
        }
      }
      mean.elements[channel] = middle
      variance.elements[channel] = squares / count
    }
    let output = BatchNormalization(epsilon: epsilon).evaluate(inputs + [mean, variance])
    return output + [mean, variance]
  }
}

extension BatchStatisticsNormalization: DifferentiableOperation {
  public func operandGradients(_ rule: inout GradientRule) throws(ShapeError) -> [ValueID?] {
    guard rule.resultGradients[1] == nil, rule.resultGradients[2] == nil else {
      throw ShapeError("the statistics of a batch cannot be trained by themselves")
    }
    guard let gradient = rule.resultGradient else { return [nil, nil, nil] }
    return try rule.applyForAll(
      BatchStatisticsNormalizationGradient(epsilon: epsilon), to: gradient, rule.operands[0], rule.operands[1],
      rule.results[1], rule.results[2])
  }
}
