import Graph
public import YAML

/// The keys of a layer, read as what the schema says they are.
public struct LayerAttributes: Sendable {
  private let entries: [String: Node]
  private let givenShapes: [String: [Int]]

  /// The attributes of a mapping that the schema has passed, with the shapes of the parameters that it gives by values or
  /// by a file.
  public init(entries: [String: Node], givenShapes: [String: [Int]]) {
    self.entries = entries
    self.givenShapes = givenShapes
  }

  /// The shape of the values that the layer gives for a parameter, if it does.
  func givenShape(_ parameter: String) -> [Int]? { givenShapes[parameter] }

  /// An integer.
  func integer(_ key: String) -> Int? { entries[key]?.integer }

  /// A number.
  func number(_ key: String) -> Double? { entries[key]?.number }

  /// True or false.
  func boolean(_ key: String) -> Bool? { entries[key]?.boolean }

  /// A string.
  func string(_ key: String) -> String? { entries[key]?.string }

  /// One integer for both spatial axes, or a list of integers.
  func integers(_ key: String) -> [Int]? {
    guard let node = entries[key] else { return nil }
    switch node.content {
    case .scalar: return node.integer.map { [$0] }
    case .numbers(let list): return list.values.compactMap { Int(exactly: $0) }
    case .sequence(let items): return items.compactMap(\.integer)
    case .mapping: return nil
    }
  }

  /// One integer for both spatial axes, or one for each: [height, width].
  func pair(_ key: String) -> [Int]? {
    guard let values = integers(key) else { return nil }
    return values.count == 1 ? [values[0], values[0]] : values
  }

  /// Padding as the format gives it: one integer, [height, width], [top, left, bottom, right] or `same`.
  func padding() -> Padding {
    if string("padding") == "same" { return .same }
    guard let values = integers("padding") else { return .none }
    switch values.count {
    case 1: return .explicit(top: values[0], left: values[0], bottom: values[0], right: values[0])
    case 2: return .explicit(top: values[0], left: values[1], bottom: values[0], right: values[1])
    default: return .explicit(top: values[0], left: values[1], bottom: values[2], right: values[3])
    }
  }

  /// A size that is written down, or follows from the shape of a given parameter, or both ways alike. `axes` is what the
  /// parameter's axes mean, in words.
  func agreed(
    _ key: String, written: [Int]?, given: [Int]?, parameter: String, axes: String
  ) throws(LayerError) -> [Int] {
    if let written, let given, written != given {
      throw LayerError(
        "`\(key)` says \(Self.text(written)), but the values of `\(parameter)` are for \(Self.text(given))",
        hint: "leave `\(key)` out, or make the two agree", key: key)
    }
    guard let value = written ?? given else {
      if let shape = givenShapes[parameter] {
        throw LayerError(
          "`\(parameter)` has the shape \(shape), which does not tell `\(key)`", hint: "its axes are \(axes)",
          key: parameter)
      }
      throw LayerError(
        "`\(key)` is missing, and no values of `\(parameter)` tell it", hint: "add `\(key)` to the layer", key: nil)
    }
    return value
  }

  private static func text(_ values: [Int]) -> String {
    Set(values).count == 1 ? "\(values[0])" : "[" + values.map(String.init).joined(separator: ", ") + "]"
  }
}
