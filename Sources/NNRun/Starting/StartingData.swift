public import Diagnostics
public import Tensors

/// What a model's first layer and last layer have to know of a person's own data.
public struct StartingData: Sendable {
  /// What the targets are.
  public enum Target: Sendable, Equatable {
    /// Yes or no, as 1 and 0.
    case binary
    /// One class of so many a row, as an integer or as ones and zeros.
    case classes(Int)
    /// So many numbers from 0 to 1 a row, each a yes or no of its own.
    case shares(Int)
    /// So many numbers a row.
    case numbers(Int)
  }

  /// The lengths of a row's axes.
  public let shape: [Int]
  /// Whether the numbers are far from the size that training likes.
  public let needsScaling: Bool
  /// What the targets are; nil where there are none.
  public let target: Target?

  /// The data of a model that is made without any.
  init(shape: [Int], target: Target?) {
    self.shape = shape
    self.target = target
    needsScaling = false
  }

  /// Looks at a person's arrays. Throws `invalidData` where they are of no use for training.
  public init(input: ArraySource, target: ArraySource?) throws(Failure) {
    guard input.shape.count >= 2 else {
      throw Failure(
        .invalidData,
        "\(input.name): the input is \(shapeText(input.shape)), but a row for each example is needed, such as [N, 4]; "
          + "numpy's `x[:, None]` makes a column of single numbers")
    }
    guard !input.shape.contains(0) else {
      throw Failure(.invalidData, "\(input.name): the input is \(shapeText(input.shape)), which holds no numbers")
    }
    shape = Array(input.shape.dropFirst())
    needsScaling = try Self.needsScaling(input)
    guard let target else {
      self.target = nil
      return
    }
    guard target.rows == input.rows, !target.shape.isEmpty else {
      throw Failure(
        .invalidData,
        "\(input.name) is \(shapeText(input.shape)), but \(target.name) is \(shapeText(target.shape)): "
          + "they need as many rows")
    }
    self.target = try Self.kind(of: target)
  }

  /// Looks at the first numbers, up to a million.
  private static func needsScaling(_ array: ArraySource) throws(Failure) -> Bool {
    let columns = max(array.shape.dropFirst().reduce(1, *), 1)
    let rows = min(array.rows, max(1_000_000 / columns, 1))
    let values = try array.read(rows: 0..<rows, as: .float64).converted(to: Double.self).elements
    let largest = values.reduce(0) { max($0, $1.magnitude) }
    return largest > 10 || (largest > 0 && largest < 0.1)
  }

  private static func kind(of array: ArraySource) throws(Failure) -> Target {
    let columns = array.shape.dropFirst().reduce(1, *)
    guard array.shape.count <= 2, columns > 0 else {
      throw Failure(
        .invalidData,
        "\(array.name): the target is \(shapeText(array.shape)), but the answer of this model is one row of numbers, or one "
          + "class, for each example")
    }
    let values = try array.read(as: .float64).converted(to: Double.self).elements
    if let index = values.firstIndex(where: { !$0.isFinite }) {
      throw Failure(.invalidData, "\(array.name): the target at index \(index) is not finite")
    }
    let isZeroOrOne = values.allSatisfy { $0 == 0 || $0 == 1 }
    if columns == 1 {
      if isZeroOrOne { return .binary }
      let largest = values.max() ?? 0
      let isLabel = array.isInteger && values.allSatisfy { $0 >= 0 } && largest < 10_000
      return isLabel ? .classes(Int(largest) + 1) : .numbers(1)
    }
    let isOneHot =
      isZeroOrOne
      && stride(from: 0, to: values.count, by: columns).allSatisfy { values[$0..<$0 + columns].reduce(0, +) == 1 }
    if isOneHot { return .classes(columns) }
    return values.allSatisfy { (0...1).contains($0) } ? .shares(columns) : .numbers(columns)
  }
}
