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
    return [Array(x[..<2]) + (try window.outputSizes(x))]
  }

  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    let x = inputs[0]
    let (height, width) = (x.shape[2], x.shape[3])
    let sizes = Window.Axis.allCases.map { axis in
      (try? window.outputSize(axis, input: .fixed(x.shape[2 + axis.rawValue])).value) ?? 0
    }
    var elements: [Scalar] = []
    for image in 0..<x.shape[0] * x.shape[1] {
      for i in 0..<sizes[0] {
        for j in 0..<sizes[1] {
          var cells: [Scalar] = []
          for (_, row) in window.cells(.height, output: i, input: height) {
            for (_, column) in window.cells(.width, output: j, input: width) {
              cells.append(x.elements[(image * height + row) * width + column])
            }
          }
          elements.append(pool(cells))
        }
      }
    }
    return [Tensor(shape: [x.shape[0], x.shape[1]] + sizes, elements: elements)]
  }
}
