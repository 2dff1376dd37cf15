public import Tensors

/// The gradients of a normalisation with given statistics: dx = dy * gamma / s, dgamma = sum of dy * (x - mean) / s,
/// dbeta = sum of dy, with s = sqrt(variance + epsilon). Operands: dy, x, gamma, mean, variance; results: dx, dgamma,
/// dbeta.
public struct BatchNormalizationGradient: Operation {
  /// What is added to the variance.
  public let epsilon: Double

  /// The gradients of a normalisation with given statistics.
  public init(epsilon: Double) { self.epsilon = epsilon }

  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] { [inputs[1], inputs[2], inputs[2]] }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    var gradient = inputs[0]
    let view = ChannelView(gradient.shape)
    for channel in 0..<view.channels {
      let deviation = (inputs[4].elements[channel] + Scalar(epsilon)).squareRoot()
      let scale = inputs[2].elements[channel] / deviation
      for row in 0..<view.batch {
        for place in view.range(row: row, channel: channel) { gradient.elements[place] *= scale }
      }
    }
    return [gradient] + parameterGradients(inputs)
  }

  /// dgamma and dbeta, which do not ask where the statistics come from.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func parameterGradients<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    let (outputGradient, x) = (inputs[0], inputs[1])
    let view = ChannelView(x.shape)
    var gamma = Tensor<Scalar>(shape: [view.channels], repeating: 0)
    var beta = gamma
    for channel in 0..<view.channels {
      let mean = inputs[3].elements[channel]
      let deviation = (inputs[4].elements[channel] + Scalar(epsilon)).squareRoot()
      for row in 0..<view.batch {
        for place in view.range(row: row, channel: channel) {
          gamma.elements[channel] += outputGradient.elements[place] * (x.elements[place] - mean) / deviation
          beta.elements[channel] += outputGradient.elements[place]
        }
      }
    }
    return [gamma, beta]
  }
}

extension BatchNormalization: DifferentiableOperation {
  public func operandGradients(_ rule: inout GradientRule) throws(ShapeError) -> [ValueID?] {
    guard !rule.isNeeded[3], !rule.isNeeded[4] else {
      throw ShapeError("the statistics of a batch normalisation are gathered, not trained")
    }
    guard let gradient = rule.resultGradient else { return [nil, nil, nil, nil, nil] }
    let gradients = try rule.applyForAll(
      BatchNormalizationGradient(epsilon: epsilon), to: gradient, rule.operands[0], rule.operands[1],
      rule.operands[3], rule.operands[4])
    return gradients + [nil, nil]
  }
}
