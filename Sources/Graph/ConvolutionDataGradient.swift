public import Tensors

/// The gradient of a convolution's input: each output's gradient goes, times the weights, back to the cells under its
/// window.
///
/// dx[n, c, i*stride + p*dilation - pad, j*stride + q*dilation - pad] += dy[n, m, i, j] * w[m, c, p, q], with
/// operands dy [N, M, H', W'] and w [M, C/groups, kernel height, kernel width], result dx [N, C, H, W].
public struct ConvolutionDataGradient: Operation {
  /// The sliding window of the convolution.
  public let window: Window
  /// Into how many independent groups channels and filters are cut.
  public let groups: Int
  /// The height and the width of the convolution's input.
  public let inputSize: [Int]

  /// The gradient of the input of a convolution over images of size `inputSize`.
  public init(window: Window, groups: Int, inputSize: [Int]) {
    self.window = window
    self.groups = groups
    self.inputSize = inputSize
  }

  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] {
    [[inputs[0][0], try .multiplied([inputs[1][1], .fixed(groups)])] + inputSize.map { .fixed($0) }]
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    let (outputGradient, weight) = (inputs[0].elements, inputs[1].elements)
    let places = ConvolutionPlaces(window, groups, weight: inputs[1].shape, inputSize: inputSize)
    let shape = [inputs[0].shape[0], places.channels] + inputSize
    var gradient = [Scalar](repeating: 0, count: shape.reduce(1, *))
    places.forEachProduct(batch: shape[0]) { x, w, y in gradient[x] += outputGradient[y] * weight[w] }
    return [Tensor(shape: shape, elements: gradient)]
  }
}
