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

  /// The most numbers that a value may have, and the most multiply-adds that may make it: beyond all machines, and far
  /// enough below 63 bits that sums and sizes in bytes can be counted.
  public static var largestCount: Int { 1 << 40 }
  static var mostWork: Int { 1 << 52 }

  /// Throws where the known lengths make more numbers than a value may have.
  public func checkCount() throws(ShapeError) {
    guard isCountable(with: [], limit: Self.largestCount) else {
      throw ShapeError("the shape \(self) has more numbers than the 2^40 that an array can have here")
    }
  }

  /// Throws where a value of this shape would take more work than can be counted, `factors` for each number.
  func checkWork(_ factors: [Int]) throws(ShapeError) {
    guard isCountable(with: factors, limit: Self.mostWork) else {
      throw ShapeError("making \(self) would take more than 2^52 multiply-adds", culprit: .window)
    }
  }

  /// Whether the known lengths and the factors, zeros left out, make a product within the limit.
  private func isCountable(with factors: [Int], limit: Int) -> Bool {
    var product = 1
    for factor in compactMap(\.value) + factors where factor > 0 {
      let (next, overflow) = product.multipliedReportingOverflow(by: factor)
      guard !overflow, next <= limit else { return false }
      product = next
    }
    return true
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
