public import Tensors

/// y[c] = the sum of x[n, c, ...] over the batch and all places: the gradient of a bias. x [N, C] or [N, C, H, W].
public struct ChannelSum: Operation {
  /// The sum of each channel.
  public init() {}

  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] {
    try ChannelView.check(inputs[0], vectors: [], named: "a bias")
    return [[inputs[0][1]]]
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    let x = inputs[0]
    let view = ChannelView(x.shape)
    var output = Tensor<Scalar>(shape: [view.channels], repeating: 0)
    for row in 0..<view.batch {
      for channel in 0..<view.channels {
        var sum: Scalar = 0
        for place in view.range(row: row, channel: channel) { sum += x.elements[place] }
        output.elements[channel] += sum
      }
    }
    return [output]
  }
}
