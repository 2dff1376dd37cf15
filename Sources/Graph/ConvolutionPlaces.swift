/// Which numbers of input, weights and output a convolution multiplies: the sum that its value and both its gradients
/// run over.
struct ConvolutionPlaces {
  let channels: Int
  private let filters: Int
  private let perGroup: Int
  private let filtersPerGroup: Int
  private let kernel: [Int]
  private let inputSize: [Int]
  /// For each output row and column, the input's rows and columns under the window.
  let rows: [[(kernel: Int, input: Int)]]
  let columns: [[(kernel: Int, input: Int)]]

  init(_ window: Window, _ groups: Int, weight: [Int], inputSize: [Int]) {
    channels = weight[1] * groups
    filters = weight[0]
    perGroup = weight[1]
    filtersPerGroup = weight[0] / groups
    kernel = window.kernel
    self.inputSize = inputSize
    rows = window.cells(.height, input: inputSize[0])
    columns = window.cells(.width, input: inputSize[1])
  }

  /// Calls `body` with the row-major places in input, weights and output of every product, output by output.
  @inline(__always)
  func forEachProduct(batch: Int, _ body: (_ input: Int, _ weight: Int, _ output: Int) -> Void) {
    var output = 0
    for n in 0..<batch {
      for m in 0..<filters {
        let firstChannel = m / filtersPerGroup * perGroup
        for row in rows {
          for column in columns {
            for c in 0..<perGroup {
              for (p, i) in row {
                let line = ((n * channels + firstChannel + c) * inputSize[0] + i) * inputSize[1]
                let weights = ((m * perGroup + c) * kernel[0] + p) * kernel[1]
                for (q, j) in column { body(line + j, weights + q, output) }
              }
            }
            output += 1
          }
        }
      }
    }
  }
}

extension Window {
  /// For each output place on an axis, the input cells under the window.
  func cells(_ axis: Axis, input: Int) -> [[(kernel: Int, input: Int)]] {
    let count = (try? outputSize(axis, input: .fixed(input)).value) ?? 0
    return (0..<max(count, 0)).map { cells(axis, output: $0, input: input) }
  }
}
