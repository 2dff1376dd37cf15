import Diagnostics
import Tensors

/// What became of a parameter, or of an array of a file.
public struct ArrayChange: Sendable {
  /// What there is to say of its values.
  public enum Outcome: Sendable {
    /// Every value is what it was.
    case same
    /// Some values are others.
    case changed(Distance)
    /// The shape is another, so values cannot be compared.
    case reshaped
    case added
    case removed
    /// The file with its values is not there, on one side or both.
    case unknown(missingFile: String)
  }

  /// How far apart two arrays of one shape are.
  public struct Distance: Sendable {
    /// The largest absolute change of a value.
    public let largest: Double
    /// The mean absolute change.
    public let mean: Double
    /// The cosine of the angle between both as vectors; nil where one of them is all zeros.
    public let cosine: Double?
  }

  /// Its path, the new one where it is on both sides.
  public let path: String
  /// The shape that it had, where it was there.
  public let oldShape: [Int]?
  /// The shape that it has, where it is there.
  public let newShape: [Int]?
  /// What became of it.
  public let outcome: Outcome
  /// Where its values were, in words.
  public let oldStorage: String?
  /// Where its values are, in words.
  public let newStorage: String?

  /// Whether its values are kept elsewhere, or in another form.
  public var isMoved: Bool {
    guard let oldStorage, let newStorage else { return false }
    return oldStorage != newStorage
  }

  /// Whether it makes a difference.
  public var isDifference: Bool {
    switch outcome {
    case .same, .unknown: false
    case .changed, .reshaped, .added, .removed: true
    }
  }

  /// What became of every array, in the new order, removed ones last. `renamedPaths` tells under what other paths those of
  /// renamed layers are found. Throws where values cannot be read.
  static func all(
    _ old: [ComparedArray], _ new: [ComparedArray], renamedPaths: [(old: String, new: String)]
  ) throws(Failure) -> [ArrayChange] {
    var remaining = Dictionary(
      old.map { (renamed($0.path, renamedPaths), $0) }, uniquingKeysWith: { first, _ in first })
    var changes: [ArrayChange] = []
    for array in new {
      let before = remaining.removeValue(forKey: array.path)
      changes.append(
        ArrayChange(
          path: array.path, oldShape: before?.shape, newShape: array.shape,
          outcome: try before.map { before throws(Failure) in try outcome(before, array) } ?? .added,
          oldStorage: before?.storage, newStorage: array.storage))
    }
    for array in old where remaining[renamed(array.path, renamedPaths)] != nil {
      changes.append(
        ArrayChange(
          path: array.path, oldShape: array.shape, newShape: nil, outcome: .removed, oldStorage: array.storage,
          newStorage: nil))
    }
    return changes
  }

  private static func renamed(_ path: String, _ paths: [(old: String, new: String)]) -> String {
    for rename in paths where path.hasPrefix(rename.old + ".") { return rename.new + path.dropFirst(rename.old.count) }
    return path
  }

  private static func outcome(_ old: ComparedArray, _ new: ComparedArray) throws(Failure) -> Outcome {
    if old.shape != new.shape { return .reshaped }
    if let file = old.missingFile ?? new.missingFile { return .unknown(missingFile: file) }
    if let law = old.drawing, law == new.drawing, old.path == new.path { return .same }
    let distance = Distance(try old.read(), try new.read())
    return distance.largest == 0 ? .same : .changed(distance)
  }
}

extension ArrayChange.Distance {
  /// The distance of two arrays with as many values; values that are not finite are equal to themselves.
  init(_ old: AnyTensor, _ new: AnyTensor) {
    switch (old, new) {
    case (.float32(let old), .float32(let new)): self.init(old.elements, new.elements)
    case (.float64(let old), .float64(let new)): self.init(old.elements, new.elements)
    default: self.init(old.converted(to: Double.self).elements, new.converted(to: Double.self).elements)
    }
  }

  private init<Element: TensorScalar>(_ old: [Element], _ new: [Element]) {
    var (largest, sum, product, oldSquares, newSquares) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for index in 0..<min(old.count, new.count) {
      let (a, b) = (Double(old[index]), Double(new[index]))
      let change = a == b || (a.isNaN && b.isNaN) ? 0 : (a - b).isNaN ? .infinity : (a - b).magnitude
      largest = max(largest, change)
      sum += change
      product += a * b
      oldSquares += a * a
      newSquares += b * b
    }
    self.largest = largest
    mean = old.isEmpty ? 0 : sum / Double(old.count)
    let length = oldSquares.squareRoot() * newSquares.squareRoot()
    cosine = length > 0 && length.isFinite ? min(max(product / length, -1), 1) : nil
  }
}
