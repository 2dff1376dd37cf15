public import Tensors

/// The mean over batch and outputs of -t log(s) - (1 - t) log(1 - s) with s = sigmoid(z), computed from z as
/// max(z, 0) - z t + log(1 + exp(-|z|)), which no z makes overflow.
///
/// Operands: z, what goes into the sigmoid, and target t; result: one number, of shape [].
public struct BinaryCrossEntropy: PairLoss {
  let gradient = BinaryCrossEntropyGradient()

  /// The binary cross-entropy of a sigmoid.
  public init() {}

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    var sum = 0.0
    for (z, t) in zip(inputs[0].elements, inputs[1].elements) {
      sum += Double(max(z, 0) - z * t + Scalar.logarithm(onePlus: Scalar.exponential(-abs(z))))
    }
    return [Tensor(shape: [], elements: [Scalar(sum / Double(inputs[0].elements.count))])]
  }
}

/// dz = (sigmoid(z) - t) / count. Operands: z, target t.
public struct BinaryCrossEntropyGradient: PairLossGradient {
  /// The gradient of a sigmoid's binary cross-entropy.
  public init() {}

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    var gradient = inputs[0]
    let count = Scalar(max(gradient.elements.count, 1))
    let sigmoid = Sigmoid()
    for place in gradient.elements.indices {
      gradient.elements[place] = (sigmoid.apply(gradient.elements[place]) - inputs[1].elements[place]) / count
    }
    return [gradient]
  }
}
