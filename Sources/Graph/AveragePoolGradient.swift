public import Tensors

/// The gradient of an average pooling: each output's gradient, divided by what the pooling divided by, goes to every cell
/// under its window. dy [N, C, H', W'] -> dx [N, C, H, W].
public struct AveragePoolGradient: Operation {
  /// The sliding window of the pooling.
  public let window: Window
  /// Whether padding counts as cells of value zero.
  public let countsPadding: Bool
  /// The height and the width of the pooling's input.
  public let inputSize: [Int]

  /// The gradient of an average pooling over images of size `inputSize`.
  public init(window: Window, countsPadding: Bool, inputSize: [Int]) {
    self.window = window
    self.countsPadding = countsPadding
    self.inputSize = inputSize
  }

  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] {
    [Array(inputs[0][..<2]) + inputSize.map { .fixed($0) }]
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    let outputGradient = inputs[0]
    let rows = window.cells(.height, input: inputSize[0])
    let columns = window.cells(.width, input: inputSize[1])
    var gradient = Tensor<Scalar>(shape: Array(outputGradient.shape[..<2]) + inputSize, repeating: 0)
    var output = 0
    for image in 0..<outputGradient.shape[0] * outputGradient.shape[1] {
      for row in rows {
        for column in columns {
          let count = countsPadding ? window.kernel[0] * window.kernel[1] : row.count * column.count
          let share = outputGradient.elements[output] / Scalar(count)
          for (_, i) in row {
            for (_, j) in column { gradient.elements[(image * inputSize[0] + i) * inputSize[1] + j] += share }
          }
          output += 1
        }
      }
    }
    return [gradient]
  }
}

extension AveragePool: DifferentiableOperation {
  public func operandGradients(_ rule: inout GradientRule) throws(ShapeError) -> [ValueID?] {
    guard let gradient = rule.resultGradient else { return [nil] }
    let operation = AveragePoolGradient(
      window: window, countsPadding: countsPadding, inputSize: try rule.sizes(of: 0, from: 2))
    return [try rule.apply(operation, to: gradient)]
  }
}
