public import Tensors

/// The mean over batch and outputs of (y - t)^2. Operands: output y and target t; result: one number, of shape [].
public struct MeanSquaredError: PairLoss {
  let gradient = MeanSquaredErrorGradient()

  /// The mean squared error.
  public init() {}

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    var sum = 0.0
    for (y, t) in zip(inputs[0].elements, inputs[1].elements) { sum += Double((y - t) * (y - t)) }
    return [Tensor(shape: [], elements: [Scalar(sum / Double(inputs[0].elements.count))])]
  }
}

/// dy = 2 (y - t) / count. Operands: output y, target t.
public struct MeanSquaredErrorGradient: PairLossGradient {
  /// The mean squared error's gradient.
  public init() {}

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    var gradient = inputs[0]
    let scale = 2 / Scalar(max(gradient.elements.count, 1))
    for place in gradient.elements.indices {
      gradient.elements[place] = scale * (gradient.elements[place] - inputs[1].elements[place])
    }
    return [gradient]
  }
}
