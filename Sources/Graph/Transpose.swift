public import Tensors

/// y's axis i is x's axis permutation[i].
public struct Transpose: Operation {
  /// For each axis of the result, the axis of the operand.
  public let permutation: [Int]

  /// A transposition; `permutation` holds each axis once.
  public init(_ permutation: [Int]) { self.permutation = permutation }

  /// [N, H, W, C] -> [N, C, H, W].
  public static let channelsFirst = Transpose([0, 3, 1, 2])
  /// [N, C, H, W] -> [N, H, W, C].
  public static let channelsLast = Transpose([0, 2, 3, 1])

  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] {
    guard inputs[0].count == permutation.count else {
      throw ShapeError("a value of rank \(permutation.count) is needed here, but this is \(inputs[0])")
    }
    return [permutation.map { inputs[0][$0] }]
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    let x = inputs[0]
    let shape = permutation.map { x.shape[$0] }
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in stride(from: shape.count - 2, through: 0, by: -1) {
      strides[axis] = strides[axis + 1] * x.shape[axis + 1]
    }
    let steps = permutation.map { strides[$0] }
    var elements: [Scalar] = []
    elements.reserveCapacity(x.elements.count)
    var index = [Int](repeating: 0, count: shape.count)
    for _ in 0..<x.elements.count {
      elements.append(x.elements[zip(index, steps).reduce(0) { $0 + $1.0 * $1.1 }])
      for axis in stride(from: shape.count - 1, through: 0, by: -1) {
        index[axis] += 1
        if index[axis] < shape[axis] { break }
        index[axis] = 0
      }
    }
    return [Tensor(shape: shape, elements: elements)]
  }
}

extension Transpose: DifferentiableOperation {
  public func operandGradients(_ rule: inout GradientRule) throws(ShapeError) -> [ValueID?] {
    guard let gradient = rule.resultGradient else { return [nil] }
    var inverse = permutation
    for (axis, source) in permutation.enumerated() { inverse[source] = axis }
    return [try rule.apply(Transpose(inverse), to: gradient)]
  }
}
