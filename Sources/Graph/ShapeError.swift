/// What is wrong with shapes. The place in a file is added by whoever knows it, and rank-4 shapes are shown in the
/// order of axes that the author uses.
public struct ShapeError: Error, Sendable {
  /// What of an operation is to blame, so that a message can point at it.
  public enum Culprit: Sendable {
    /// What the operation takes.
    case input
    /// The size of its window.
    case window
    /// The number of groups.
    case groups
    /// The shape of its parameters.
    case parameter
  }

  /// What was found and what was expected.
  public let message: ShapeMessage
  /// What to do about it, where that can be said.
  public let hint: ShapeMessage?
  /// What is to blame.
  public let culprit: Culprit

  /// An error with a message and perhaps a hint.
  public init(_ message: ShapeMessage, hint: ShapeMessage? = nil, culprit: Culprit = .input) {
    self.message = message
    self.hint = hint
    self.culprit = culprit
  }

  static let overflow = ShapeError("a size here is larger than this program can count")
}

/// A message that remembers which of its parts are shapes: `"takes \(shape)"`.
public struct ShapeMessage: Sendable, ExpressibleByStringInterpolation {
  fileprivate enum Part: Sendable {
    case text(String)
    case shape(Shape)
  }

  private let parts: [Part]

  /// Collects the parts of an interpolated literal.
  public struct StringInterpolation: StringInterpolationProtocol, Sendable {
    fileprivate var parts: [Part] = []

    /// An empty message.
    public init(literalCapacity: Int, interpolationCount: Int) {}

    /// Adds text.
    public mutating func appendLiteral(_ literal: String) { parts.append(.text(literal)) }

    /// Adds a shape.
    public mutating func appendInterpolation(_ shape: Shape) { parts.append(.shape(shape)) }

    /// Adds a value's text.
    public mutating func appendInterpolation(_ value: some CustomStringConvertible) {
      parts.append(.text(value.description))
    }
  }

  /// A message of text only.
  public init(stringLiteral value: String) { parts = [.text(value)] }

  /// A message of text and shapes.
  public init(stringInterpolation: StringInterpolation) { parts = stringInterpolation.parts }

  /// The message, each shape first put through `present`.
  public func text(presenting present: (Shape) -> Shape = { $0 }) -> String {
    parts.map { part in
      switch part {
      case .text(let text): text
      case .shape(let shape): present(shape).text
      }
    }.joined()
  }
}
