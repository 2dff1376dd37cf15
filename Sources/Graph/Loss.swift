import Tensors

/// What the losses share: operands are an output and its target, of one shape; the result is one number, of shape [].
protocol PairLoss: LossOperation {
  /// The gradient of the output: operands output and target, result of their shape.
  associatedtype Gradient: PairLossGradient
  var gradient: Gradient { get }
}

extension PairLoss {
  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] {
    guard inputs[0].count == inputs[1].count, zip(inputs[0], inputs[1]).allSatisfy({ $0.mayEqual($1) }) else {
      throw ShapeError("the output is \(inputs[0]), but its target is \(inputs[1])")
    }
    return [[]]
  }

  public func operandGradients(_ rule: inout GradientRule) throws(ShapeError) -> [ValueID?] {
    guard !rule.isNeeded[1] else { throw ShapeError("a target has no gradient") }
    return [try rule.applyIfNeeded(0, gradient, to: rule.operands[0], rule.operands[1]), nil]
  }
}

/// The gradient of a loss: operands are the output and its target, the result is of their shape.
protocol PairLossGradient: Operation {}

extension PairLossGradient {
  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] { [inputs[0]] }
}
