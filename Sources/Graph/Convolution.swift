public import Tensors

/// y[n, m, i, j] = sum over c, p, q of x[n, c, i*stride + p*dilation - pad, j*stride + q*dilation - pad] * w[m, c, p, q]
///
/// Cross-correlation with zero padding. x is [N, C, H, W], w is [M, C/groups, kernel height, kernel width], y is
/// [N, M, H', W']. With groups, the m-th filter sees the channels of its own group only.
public struct Convolution: Operation {
  /// The sliding window.
  public let window: Window
  /// Into how many independent groups channels and filters are cut.
  public let groups: Int

  /// A convolution; its kernel's size is the weights'.
  public init(window: Window, groups: Int = 1) {
    self.window = window
    self.groups = groups
  }

  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] {
    let (x, weight) = (inputs[0], inputs[1])
    guard x.count == 4 else {
      throw ShapeError("a convolution needs an input of rank 4 (an image with channels), but it takes \(x)")
    }
    if let channels = x[1].value, let perGroup = weight[1].value, let filters = weight[0].value {
      guard channels % groups == 0 else {
        throw ShapeError("\(groups) groups do not divide the \(channels) channels of the input \(x)", culprit: .groups)
      }
      guard filters % groups == 0 else {
        throw ShapeError("\(groups) groups do not divide the \(filters) filters", culprit: .groups)
      }
      guard channels / groups == perGroup else {
        throw ShapeError(
          "the weight \(weight) is for \(perGroup * groups) channels, but the input \(x) has \(channels)",
          culprit: .parameter)
      }
    }
    let output = [x[0], weight[0]] + (try window.outputSizes(x))
    try output.checkWork(weight[1...].compactMap(\.value))
    return [output]
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    let (x, weight) = (inputs[0].elements, inputs[1].elements)
    let (shape, weightShape) = (inputs[0].shape, inputs[1].shape)
    let places = ConvolutionPlaces(window, groups, weight: weightShape, inputSize: Array(shape[2...]))
    let outputShape = [shape[0], weightShape[0], places.rows.count, places.columns.count]
    var output = [Scalar](repeating: 0, count: outputShape.reduce(1, *))
    places.forEachProduct(batch: shape[0]) { x0, w, y in output[y] += x[x0] * weight[w] }
    return [Tensor(shape: outputShape, elements: output)]
  }
}

extension Convolution: DifferentiableOperation {
  public func operandGradients(_ rule: inout GradientRule) throws(ShapeError) -> [ValueID?] {
    guard let gradient = rule.resultGradient else { return [nil, nil] }
    let data = ConvolutionDataGradient(
      window: window, groups: groups, inputSize: try rule.sizes(of: 0, from: 2))
    return [
      try rule.applyIfNeeded(0, data, to: gradient, rule.operands[1]),
      try rule.applyIfNeeded(
        1, ConvolutionFilterGradient(window: window, groups: groups), to: rule.operands[0], gradient),
    ]
  }
}
