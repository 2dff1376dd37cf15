public import Tensors

/// The lengths of a value's axes, as far as they are known.
public typealias Shape = [Dimension]

extension [Dimension] {
  /// The lengths, where all of them are known.
  public var sizes: [Int]? {
    var sizes: [Int] = []
    for dimension in self {
      guard let value = dimension.value else { return nil }
      sizes.append(value)
    }
    return sizes
  }

  /// The shape once the symbols' sizes are known; symbols without a size stay.
  public func bound(_ sizes: [String: Int]) throws(ShapeError) -> Shape {
    var bound: Shape = []
    for dimension in self { bound.append(try dimension.bound(sizes)) }
    return bound
  }

  /// The shape as an author writes it: `[N, 16, 8, 8]`.
  public var text: String { "[" + map(\.description).joined(separator: ", ") + "]" }
}

/// What is meant: one of the small closed set of operations. Rank-4 values are [batch, channels, height, width]; the
/// layers turn other layouts into this one at the edges of the graph.
///
/// An operation knows its shape rule, and evaluates itself plainly: that evaluation is the oracle of every fast kernel.
public protocol Operation: Sendable, Hashable {
  /// The shapes of the results for the shapes of the operands.
  func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape]

  /// The results, computed in the plainest way. The operands' shapes have been through `outputShapes`.
  func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>]
}
