public import Tensors

/// y[n, c] = the mean of x[n, c, i, j] over i and j: [N, C, H, W] -> [N, C] (Lin et al. 2013, global average pooling).
public struct SpatialMean: Operation {
  /// The mean over the two spatial axes.
  public init() {}

  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] {
    guard inputs[0].count == 4 else {
      throw ShapeError(
        "global average pooling needs an input of rank 4 (an image with channels), but it takes \(inputs[0])")
    }
    return [Array(inputs[0][..<2])]
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    let x = inputs[0]
    let view = ChannelView(x.shape)
    var output = Tensor<Scalar>(shape: [view.batch, view.channels], repeating: 0)
    for row in 0..<view.batch {
      for channel in 0..<view.channels {
        let sum = x.elements[view.range(row: row, channel: channel)].reduce(0, +)
        output.elements[row * view.channels + channel] = sum / Scalar(view.places)
      }
    }
    return [output]
  }
}
