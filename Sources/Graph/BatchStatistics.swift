public import Tensors

/// The mean and the biased variance of each channel over the batch and all places (Ioffe and Szegedy 2015,
/// algorithm 1): x [N, C] or [N, C, H, W] -> mean [C], variance [C].
public struct BatchStatistics: Operation {
  /// The statistics of a batch.
  public init() {}

  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] {
    try ChannelView.check(inputs[0], vectors: [], named: "batch normalisation")
    return [[inputs[0][1]], [inputs[0][1]]]
  }

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
    return [mean, variance]
  }
}
