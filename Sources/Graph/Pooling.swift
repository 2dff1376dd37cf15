import Tensors

/// What the two poolings share: a window over each channel by itself, [N, C, H, W] -> [N, C, H', W'].
protocol Pooling: Operation {
  var window: Window { get }
  /// The result for the elements under the window; never empty, as padding is smaller than the kernel.
  func pool<Scalar: TensorScalar>(_ cells: [Scalar]) -> Scalar
}

extension Pooling {
  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] {
    let x = inputs[0]
    guard x.count == 4 else {
      throw ShapeError("pooling needs an input of rank 4 (an image with channels), but it takes \(x)")
    }
    let output = Array(x[..<2]) + (try window.outputSizes(x))
    try output.checkWork(window.kernel)
    return [output]
  }

  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    let x = inputs[0]
    let rows = window.cells(.height, input: x.shape[2])
    let columns = window.cells(.width, input: x.shape[3])
    var elements: [Scalar] = []
    for image in 0..<x.shape[0] * x.shape[1] {
      for row in rows {
        for column in columns {
          var cells: [Scalar] = []
          for (_, i) in row {
            for (_, j) in column { cells.append(x.elements[(image * x.shape[2] + i) * x.shape[3] + j]) }
          }
          elements.append(pool(cells))
        }
      }
    }
    return [Tensor(shape: [x.shape[0], x.shape[1], rows.count, columns.count], elements: elements)]
  }
}
