public import Tensors

/// y = op(a) op(b), where op transposes or does not: [rows x inner] * [inner x columns] -> [rows x columns].
///
/// A dense layer is x w^T: `transposesRight` with w [units, inputs].
public struct MatrixProduct: Operation {
  /// Whether a is stored as [inner, rows].
  public let transposesLeft: Bool
  /// Whether b is stored as [columns, inner].
  public let transposesRight: Bool

  /// A product of two matrices as they are, or of their transposes.
  public init(transposesLeft: Bool = false, transposesRight: Bool = false) {
    self.transposesLeft = transposesLeft
    self.transposesRight = transposesRight
  }

  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] {
    let (a, b) = (inputs[0], inputs[1])
    guard a.count == 2, b.count == 2 else {
      let wrong = a.count == 2 ? b : a
      throw ShapeError(
        "a dense layer needs an input of rank 2 (rows of features), but it takes \(wrong)",
        hint: wrong.count == 4 ? "`gap` or `flatten` before it gives rows of features" : nil)
    }
    let inner = (left: a[transposesLeft ? 0 : 1], right: b[transposesRight ? 1 : 0])
    guard inner.left.mayEqual(inner.right) else {
      throw ShapeError(
        "the weight \(b) is for \(inner.right) features a row, but the input \(a) has \(inner.left)",
        culprit: .parameter)
    }
    let output = [a[transposesLeft ? 1 : 0], b[transposesRight ? 0 : 1]]
    try output.checkWork([inner.left.value ?? inner.right.value ?? 1])
    return [output]
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    let (a, b) = (inputs[0], inputs[1])
    let rows = a.shape[transposesLeft ? 1 : 0]
    let inner = a.shape[transposesLeft ? 0 : 1]
    let columns = b.shape[transposesRight ? 0 : 1]
    let (aRow, aInner) = transposesLeft ? (1, rows) : (inner, 1)
    let (bInner, bColumn) = transposesRight ? (1, inner) : (columns, 1)
    var output = Tensor<Scalar>(shape: [rows, columns], repeating: 0)
    for row in 0..<rows {
      for column in 0..<columns {
        var sum: Scalar = 0
        for k in 0..<inner { sum += a.elements[row * aRow + k * aInner] * b.elements[k * bInner + column * bColumn] }
        output.elements[row * columns + column] = sum
      }
    }
    return [output]
  }
}

extension MatrixProduct: DifferentiableOperation {
  /// With A = op(a) and B = op(b): dA = dy B^T and dB = A^T dy, or their transposes where a or b is stored transposed.
  public func operandGradients(_ rule: inout GradientRule) throws(ShapeError) -> [ValueID?] {
    guard let gradient = rule.resultGradient else { return [nil, nil] }
    let (a, b) = (rule.operands[0], rule.operands[1])
    let left =
      transposesLeft
      ? try rule.applyIfNeeded(
        0, MatrixProduct(transposesLeft: transposesRight, transposesRight: true), to: b, gradient)
      : try rule.applyIfNeeded(0, MatrixProduct(transposesRight: !transposesRight), to: gradient, b)
    let right =
      transposesRight
      ? try rule.applyIfNeeded(
        1, MatrixProduct(transposesLeft: true, transposesRight: transposesLeft), to: gradient, a)
      : try rule.applyIfNeeded(1, MatrixProduct(transposesLeft: !transposesLeft), to: a, gradient)
    return [left, right]
  }
}
