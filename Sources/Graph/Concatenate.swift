public import Tensors

/// The values laid one after the other along axis 1 (the channels); their other axes are equal.
public struct Concatenate: Operation {
  /// The concatenation along axis 1.
  public init() {}

  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] {
    let first = inputs[0]
    guard first.count == 2 || first.count == 4 else {
      throw ShapeError("only values of rank 2 or rank 4 can be concatenated, but this is \(first)")
    }
    for other in inputs.dropFirst() {
      let fits =
        other.count == first.count && first.indices.allSatisfy { $0 == 1 || first[$0].mayEqual(other[$0]) }
      guard fits else {
        throw ShapeError("values to concatenate may differ in their channels only, but these are \(first) and \(other)")
      }
    }
    var shape = first
    shape[1] = try Dimension.added(inputs.map { $0[1] })
    return [shape]
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    var shape = inputs[0].shape
    shape[1] = inputs.reduce(0) { $0 + $1.shape[1] }
    var elements: [Scalar] = []
    elements.reserveCapacity(shape.reduce(1, *))
    for row in 0..<shape[0] {
      for input in inputs {
        let length = input.shape[1...].reduce(1, *)
        elements += input.elements[row * length..<(row + 1) * length]
      }
    }
    return [Tensor(shape: shape, elements: elements)]
  }
}
