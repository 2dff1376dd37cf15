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
    return [[x[0], weight[0]] + (try window.outputSizes(x))]
  }

  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    let (x, weight) = (inputs[0], inputs[1])
    let (batch, channels, height, width) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    let (filters, perGroup) = (weight.shape[0], weight.shape[1])
    let (kernelHeight, kernelWidth) = (window.kernel[0], window.kernel[1])
    let filtersPerGroup = filters / groups
    let rows = outputCells(.height, input: height)
    let columns = outputCells(.width, input: width)
    var output = Tensor<Scalar>(shape: [batch, filters, rows.count, columns.count], repeating: 0)
    var place = 0
    for n in 0..<batch {
      for m in 0..<filters {
        let firstChannel = m / filtersPerGroup * perGroup
        for row in rows {
          for column in columns {
            var sum: Scalar = 0
            for c in 0..<perGroup {
              for (p, y) in row {
                let line = ((n * channels + firstChannel + c) * height + y) * width
                let weights = ((m * perGroup + c) * kernelHeight + p) * kernelWidth
                for (q, x0) in column { sum += x.elements[line + x0] * weight.elements[weights + q] }
              }
            }
            output.elements[place] = sum
            place += 1
          }
        }
      }
    }
    return [output]
  }

  /// For each output row (or column), the input rows under the window.
  private func outputCells(_ axis: Window.Axis, input: Int) -> [[(kernel: Int, input: Int)]] {
    let count = (try? window.outputSize(axis, input: .fixed(input)).value) ?? 0
    return (0..<max(count, 0)).map { window.cells(axis, output: $0, input: input) }
  }
}
