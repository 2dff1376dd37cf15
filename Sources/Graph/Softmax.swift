public import Tensors

/// y[i] = exp(x[i] - max x) / sum over j of exp(x[j] - max x), along one axis.
public struct Softmax: Operation {
  /// The axis whose numbers sum to one.
  public let axis: Int

  /// A softmax along `axis`.
  public init(axis: Int) { self.axis = axis }

  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] { [inputs[0]] }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    var output = inputs[0]
    let shape = output.shape
    let length = shape[axis]
    let inner = shape[(axis + 1)...].reduce(1, *)
    let outer = shape[..<axis].reduce(1, *)
    for o in 0..<outer {
      for i in 0..<inner {
        let places = (0..<length).map { (o * length + $0) * inner + i }
        var largest = -Scalar.infinity
        for place in places where output.elements[place] > largest { largest = output.elements[place] }
        var sum: Scalar = 0
        for place in places {
          output.elements[place] = Scalar.exponential(output.elements[place] - largest)
          sum += output.elements[place]
        }
        for place in places { output.elements[place] /= sum }
      }
    }
    return [output]
  }
}
