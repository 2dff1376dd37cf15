public import Tensors

/// The gradients of a normalisation with the batch's own statistics, which depend on x too.
///
/// With n = (x - mean) / s, s = sqrt(variance + epsilon) and means over the batch and all places of a channel:
/// dgamma = sum of dy * n, dbeta = sum of dy, dx = gamma / s * (dy - mean of dy - n * mean of (dy * n))
/// (Ioffe and Szegedy 2015, section 3, collected). Operands: dy, x, gamma, mean, variance; results: dx, dgamma, dbeta.
public struct BatchStatisticsNormalizationGradient: Operation {
  /// What is added to the variance.
  public let epsilon: Double

  /// The gradients of a normalisation with the batch's statistics.
  public init(epsilon: Double) { self.epsilon = epsilon }

  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] { [inputs[1], inputs[2], inputs[2]] }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    let (outputGradient, x, gamma) = (inputs[0], inputs[1], inputs[2])
    let view = ChannelView(x.shape)
    let count = Scalar(max(view.batch * view.places, 1))
    let sums = BatchNormalizationGradient(epsilon: epsilon).parameterGradients(inputs)
    var gradient = x
    for channel in 0..<view.channels {
      let deviation = (inputs[4].elements[channel] + Scalar(epsilon)).squareRoot()
      let scale = gamma.elements[channel] / deviation
      let meanGradient = sums[1].elements[channel] / count
      let meanProduct = sums[0].elements[channel] / count
      for row in 0..<view.batch {
        for place in view.range(row: row, channel: channel) {
          let normalized = (x.elements[place] - inputs[3].elements[channel]) / deviation
          gradient.elements[place] =
            scale * (outputGradient.elements[place] - meanGradient - normalized * meanProduct)
        }
      }
    }
    return [gradient] + sums
  }
}
