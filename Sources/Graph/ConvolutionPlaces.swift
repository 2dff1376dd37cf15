/// Which numbers of input, weights and output a convolution multiplies: the sum that its value and both its gradients
/// run over.
struct ConvolutionPlaces {
  let channels: Int
  private let filters: Int
  private let perGroup: Int
  private let filtersPerGroup: Int
  private let kernel: [Int]
  private let inputSize: [Int]
  private let dilation: [Int]
  /// For each output row and column, the input's rows and columns under the window.
  let rows: [WindowRun]
  let columns: [WindowRun]

  init(_ window: Window, _ groups: Int, weight: [Int], inputSize: [Int]) {
    channels = weight[1] * groups
    filters = weight[0]
    perGroup = weight[1]
    filtersPerGroup = weight[0] / groups
    kernel = window.kernel
    dilation = window.dilation
    self.inputSize = inputSize
    rows = window.runs(.height, input: inputSize[0])
    columns = window.runs(.width, input: inputSize[1])
  }

  /// Calls `body` with the row-major places in input, weights and output of every product, output by output.
  @inline(__always)
  func forEachProduct(batch: Int, _ body: (_ input: Int, _ weight: Int, _ output: Int) -> Void) {
    let (height, width, kernelHeight, kernelWidth) = (inputSize[0], inputSize[1], kernel[0], kernel[1])
    let (rowStep, columnStep) = (dilation[0], dilation[1])
    var output = 0
    for n in 0..<batch {
      for m in 0..<filters {
        let firstChannel = m / filtersPerGroup * perGroup
        for row in rows {
          for column in columns {
            for c in 0..<perGroup {
              for p in 0..<row.count {
                let line = (n * channels + firstChannel + c) * height + row.input + p * rowStep
                let weights = (m * perGroup + c) * kernelHeight + row.kernel + p
                let (input, weight) = (line * width + column.input, weights * kernelWidth + column.kernel)
                for q in 0..<column.count { body(input + q * columnStep, weight + q, output) }
              }
            }
            output += 1
          }
        }
      }
    }
  }
}

/// The cells of a window that lie inside the image, on one axis: so many, one after the other in the kernel, and
/// `dilation` apart in the input.
struct WindowRun {
  /// The first one's place in the kernel.
  let kernel: Int
  /// The first one's place in the input.
  let input: Int
  let count: Int
}

extension Window {
  /// For each output place on an axis, the input cells under the window.
  func runs(_ axis: Axis, input: Int) -> [WindowRun] {
    cells(axis, input: input).map { cells in
      WindowRun(kernel: cells.first?.kernel ?? 0, input: cells.first?.input ?? 0, count: cells.count)
    }
  }

  /// For each output place on an axis, the input cells under the window.
  func cells(_ axis: Axis, input: Int) -> [[(kernel: Int, input: Int)]] {
    let count = (try? outputSize(axis, input: .fixed(input)).value) ?? 0
    return (0..<max(count, 0)).map { cells(axis, output: $0, input: input) }
  }
}
