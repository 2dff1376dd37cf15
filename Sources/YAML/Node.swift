public import Diagnostics

/// A YAML value with its exact place in the source.
///
/// Nodes are compared by identity where sharing matters: an alias yields the very node of its anchor.
public final class Node: Sendable {
  /// What a node holds.
  public enum Content: Sendable {
    /// A scalar, resolved by the YAML 1.2 core schema or its tag.
    case scalar(Scalar)
    /// A list that is not made of plain numbers only.
    case sequence([Node])
    /// A list of numbers, perhaps nested to a rectangle, packed as it was read. Never empty.
    case numbers(NumberList)
    /// A mapping, in the order of the file; keys are strings and unique, merge keys are resolved.
    case mapping([Entry])
  }

  /// One key of a mapping and its value.
  public struct Entry: Sendable {
    /// The key's text.
    public let key: String
    /// Where the key stands.
    public let keyRange: SourceRange
    /// Its value.
    public let value: Node
    /// Whether the entry came by a merge key (`<<`).
    public let isMerged: Bool

    package init(key: String, keyRange: SourceRange, value: Node, isMerged: Bool) {
      self.key = key
      self.keyRange = keyRange
      self.value = value
      self.isMerged = isMerged
    }
  }

  /// The node's bytes: from its first to its last character, without trailing space, comments or line break, and
  /// without tag and anchor.
  public let range: SourceRange
  /// What it holds.
  public let content: Content
  /// Whether an error about this very node was reported already (it is a null in place of an alias to nothing, say), so
  /// that nothing more should be said of it.
  public let isErroneous: Bool

  /// The node whose content this one took over, where it stands for a block's parameter (`$name`).
  package let definition: Node?

  package init(range: SourceRange, content: Content, isErroneous: Bool = false, definition: Node? = nil) {
    self.range = range
    self.content = content
    self.isErroneous = isErroneous
    self.definition = definition
  }
}

/// A scalar and what it means.
public struct Scalar: Sendable {
  /// The meaning of a scalar under the YAML 1.2 core schema.
  public enum Value: Sendable, Equatable {
    /// `null`, `~` or nothing.
    case null
    /// `true` or `false`.
    case boolean(Bool)
    /// An integer that fits.
    case integer(Int)
    /// Any other number; an integer literal too large for `Int` is a number too.
    case number(Double)
    /// A string.
    case string(String)
    /// The decoded bytes of `!!binary`.
    case binary([UInt8])
  }

  /// Its text after YAML's unescaping.
  public let text: String
  /// What it means.
  public let value: Value
  /// Whether it stands plain, without quotes and not as a block.
  public let isPlain: Bool
  /// The explicit tag, such as `!!int`, if one was given.
  public let tag: String?

  package init(text: String, value: Value, isPlain: Bool, tag: String?) {
    self.text = text
    self.value = value
    self.isPlain = isPlain
    self.tag = tag
  }
}

/// Numbers packed as they are read: a million weights cost 8 MB, not a node each.
public struct NumberList: Sendable {
  /// The lengths of the nested lists, outermost first.
  public let shape: [Int]
  /// The numbers in row-major order, each correctly rounded to `Double`.
  public let values: [Double]
  /// The few values (by index) whose rounding to `Float` through `Double` would differ from rounding their text at once.
  public let floatCorrections: [Int: Float]
  /// Whether no number has a fraction, whether written as an integer or not.
  public let isIntegral: Bool

  package init(shape: [Int], values: [Double], floatCorrections: [Int: Float]) {
    self.shape = shape
    self.values = values
    self.floatCorrections = floatCorrections
    isIntegral = values.allSatisfy { $0.rounded(.towardZero) == $0 && $0.isFinite }
  }
}
