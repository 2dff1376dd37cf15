public import Tensors

/// The sum of two or more values of one shape, element by element, from the first to the last.
public struct Add: Operation {
  /// The sum.
  public init() {}

  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] {
    let first = inputs[0]
    for other in inputs.dropFirst() {
      guard other.count == first.count, zip(first, other).allSatisfy({ $0.mayEqual($1) }) else {
        throw ShapeError("only values of one shape can be added, but these are \(first) and \(other)")
      }
    }
    return [first]
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    var output = inputs[0]
    for other in inputs.dropFirst() {
      for place in output.elements.indices { output.elements[place] += other.elements[place] }
    }
    return [output]
  }
}

extension Add: DifferentiableOperation {
  public func operandGradients(_ rule: inout GradientRule) throws(ShapeError) -> [ValueID?] {
    rule.operands.map { _ in rule.resultGradient }
  }
}
