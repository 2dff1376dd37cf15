public import Tensors

/// The mean over the batch of -sum over k of t[k] log(p[k]) with p = softmax(z), computed from z as
/// sum over k of t[k] (log(sum over j of exp(z[j] - m)) - (z[k] - m)), m = max z, which no z makes overflow.
///
/// Operands: z [N, K], what goes into the softmax, and target t [N, K], a row for each distribution; result: one number,
/// of shape [].
public struct CrossEntropy: PairLoss {
  let gradient = CrossEntropyGradient()

  /// The cross-entropy of a softmax.
  public init() {}

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    let (z, t) = (inputs[0], inputs[1])
    let (rows, classes) = (z.shape[0], z.shape[1])
    var sum = 0.0
    for row in 0..<rows {
      let places = row * classes..<(row + 1) * classes
      var largest = -Scalar.infinity
      for place in places where z.elements[place] > largest { largest = z.elements[place] }
      var exponentials: Scalar = 0
      for place in places { exponentials += Scalar.exponential(z.elements[place] - largest) }
      let logarithm = Scalar.logarithm(exponentials)
      for place in places where t.elements[place] != 0 {
        sum += Double(t.elements[place] * (logarithm - (z.elements[place] - largest)))
      }
    }
    return [Tensor(shape: [], elements: [Scalar(sum / Double(rows))])]
  }
}

/// dz[k] = (p[k] * sum over j of t[j] - t[k]) / N with p = softmax(z). Operands: z [N, K], target t [N, K].
public struct CrossEntropyGradient: PairLossGradient {
  /// The gradient of a softmax's cross-entropy.
  public init() {}

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    let t = inputs[1]
    var gradient = Softmax(axis: 1).evaluate([inputs[0]])[0]
    let (rows, classes) = (t.shape[0], t.shape[1])
    for row in 0..<rows {
      let places = row * classes..<(row + 1) * classes
      var total: Scalar = 0
      for place in places { total += t.elements[place] }
      for place in places {
        gradient.elements[place] = (gradient.elements[place] * total - t.elements[place]) / Scalar(rows)
      }
    }
    return [gradient]
  }
}
