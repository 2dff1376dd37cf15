public import Tensors

/// y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, for each channel (Ioffe and Szegedy 2015, algorithm 2).
///
/// Operands: x [N, C] or [N, C, H, W], then gamma, beta, mean and variance, each [C].
public struct BatchNormalization: Operation {
  /// What is added to the variance.
  public let epsilon: Double

  /// A normalisation with given statistics.
  public init(epsilon: Double) { self.epsilon = epsilon }

  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] {
    try ChannelView.check(inputs[0], vectors: Array(inputs[1...]), named: "batch normalisation")
    return [inputs[0]]
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    var output = inputs[0]
    let view = ChannelView(output.shape)
    for channel in 0..<view.channels {
      let gamma = inputs[1].elements[channel]
      let beta = inputs[2].elements[channel]
      let mean = inputs[3].elements[channel]
      let deviation = (inputs[4].elements[channel] + Scalar(epsilon)).squareRoot()
      for row in 0..<view.batch {
        for place in view.range(row: row, channel: channel) {
          output.elements[place] = gamma * (output.elements[place] - mean) / deviation + beta
        }
      }
    }
    return [output]
  }
}
