public import Diagnostics
import Tensors
import YAML

/// Something that came out of a test otherwise than expected.
public struct TestDifference: Sendable {
  /// Numbers of one array that are off by more than the tolerance, and the worst of them.
  public struct Numbers: Sendable {
    /// The worst number's place in row-major order.
    let place: Int
    /// The worst number's index, one for each axis.
    public let index: [Int]
    /// What was expected there.
    public let expected: Double
    /// What was found there.
    public let found: Double
    /// How many numbers are off.
    public let count: Int
    /// How many there are.
    public let total: Int
    /// How far they may be off, absolute plus relative.
    public let tolerance: Double
  }

  /// What is different.
  public enum Finding: Sendable {
    /// Numbers are off.
    case numbers(Numbers)
    /// The shapes differ.
    case shape(expected: [Int], found: [Int])
    /// A count differs; nil where it depends on sizes that are not known.
    case count(expected: Int, found: Int?)
  }

  /// Where the expected value is written, and what would have to stand there.
  struct Expectation: Sendable {
    let mapping: Node
    let entry: Node.Entry
    /// The array that came out; nil for a count.
    let found: AnyTensor?
  }

  /// What was compared: an output, a layer's path, `losses`, a parameter's path, a count.
  public let name: String
  /// What is different.
  public let finding: Finding
  let expectation: Expectation
  let source: SourceText

  /// Where the expected value stands: the very number where it is in the text.
  public var place: SourcePlace {
    let node = expectation.entry.value
    if case .numbers(let numbers) = finding, let range = node.range(ofNumber: numbers.place, in: source) {
      return SourcePlace(source: source, range: range)
    }
    return node.place(in: source)
  }

  /// The difference in one line.
  public var text: String {
    switch finding {
    case .count(let expected, let found):
      guard let found else { return "\(name): expected \(expected), but they depend on sizes that are not known" }
      return "\(name): expected \(expected), found \(found)"
    case .shape(let expected, let found): return "\(name): expected the shape \(expected), found \(found)"
    case .numbers(let numbers):
      let index = numbers.index.isEmpty ? "" : "\(numbers.index)"
      let verb = numbers.count == 1 ? "is" : "are"
      return """
        \(name)\(index): expected \(numbers.expected), found \(numbers.found) \
        (off by \(shortNumber((numbers.found - numbers.expected).magnitude)); \(numbers.count) of \(numbers.total) \
        \(verb) off by more than \(numbers.tolerance))
        """
    }
  }
}

extension ElementType {
  /// The number of fewest digits that is the same in this type: 0.9, where the nearest float32 is 0.899999976.
  func decimal(_ value: Double) -> Double {
    switch self {
    case .float32: Double("\(Float(value))") ?? value
    case .float64: value
    }
  }
}

/// A row-major index as one for each axis.
func unravelled(_ index: Int, in shape: [Int]) -> [Int] {
  var rest = index
  var indices: [Int] = []
  for length in shape.reversed() {
    indices.insert(rest % max(length, 1), at: 0)
    rest /= max(length, 1)
  }
  return indices
}
