public import Tensors

/// dx[n, c, i, j] = dy[n, c] / (H * W): [N, C] -> [N, C, H, W].
public struct SpatialMeanGradient: Operation {
  /// The height and the width of the mean's input.
  public let inputSize: [Int]

  /// The gradient of the mean over images of size `inputSize`.
  public init(inputSize: [Int]) { self.inputSize = inputSize }

  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] {
    [inputs[0] + inputSize.map { .fixed($0) }]
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    let places = inputSize[0] * inputSize[1]
    var gradient = Tensor<Scalar>(shape: inputs[0].shape + inputSize, repeating: 0)
    for place in gradient.elements.indices {
      gradient.elements[place] = inputs[0].elements[place / places] / Scalar(places)
    }
    return [gradient]
  }
}

extension SpatialMean: DifferentiableOperation {
  public func operandGradients(_ rule: inout GradientRule) throws(ShapeError) -> [ValueID?] {
    guard let gradient = rule.resultGradient else { return [nil] }
    return [try rule.apply(SpatialMeanGradient(inputSize: try rule.sizes(of: 0, from: 2)), to: gradient)]
  }
}
