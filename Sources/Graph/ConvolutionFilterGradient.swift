public import Tensors

/// The gradient of a convolution's weights: the correlation of its input with the gradient of its output.
///
/// dw[m, c, p, q] = sum over n, i, j of dy[n, m, i, j] * x[n, c, i*stride + p*dilation - pad, j*stride + q*dilation - pad],
/// with operands x [N, C, H, W] and dy [N, M, H', W'], result dw [M, C/groups, kernel height, kernel width].
public struct ConvolutionFilterGradient: Operation {
  /// The sliding window of the convolution.
  public let window: Window
  /// Into how many independent groups channels and filters are cut.
  public let groups: Int

  /// The gradient of the weights of a convolution.
  public init(window: Window, groups: Int) {
    self.window = window
    self.groups = groups
  }

  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] {
    guard let channels = inputs[0][1].value else {
      throw ShapeError("a convolution needs a known number of channels, but its input is \(inputs[0])")
    }
    return [[inputs[1][1], .fixed(channels / groups)] + window.kernel.map { .fixed($0) }]
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    let (x, outputGradient) = (inputs[0].elements, inputs[1].elements)
    let input = inputs[0].shape
    let shape = [inputs[1].shape[1], input[1] / groups] + window.kernel
    let places = ConvolutionPlaces(window, groups, weight: shape, inputSize: Array(input[2...]))
    var gradient = [Scalar](repeating: 0, count: shape.reduce(1, *))
    places.forEachProduct(batch: input[0]) { x0, w, y in gradient[w] += outputGradient[y] * x[x0] }
    return [Tensor(shape: shape, elements: gradient)]
  }
}
