/// Writes JSON, piece by piece, with commas and escapes taken care of.
///
/// ```swift
/// var json = JSONWriter()
/// json.object { json in
///   json.key("loss"); json.number(0.5)
/// }
/// ```
public struct JSONWriter: Sendable {
  /// What was written so far.
  public private(set) var text = ""
  private var needsComma = false

  /// An empty text.
  public init() {}

  /// Writes an object; `body` writes each key and its value.
  public mutating func object(_ body: (inout JSONWriter) -> Void) {
  }

  /// Writes an array; `body` writes its items.
  public mutating func array(_ body: (inout JSONWriter) -> Void) {
  }

  /// Writes a key of the object that is open.
  public mutating func key(_ key: String) {
  }

  /// Writes a string, escaped.
  public mutating func string(_ value: String) {
  }

  /// Writes an integer.
  public mutating func integer(_ value: Int) {
  }

  /// Writes a number with the fewest digits that read back to it; null where it is not finite.
  public mutating func number(_ value: Double) {
  }

  /// Writes a number with the fewest digits that read back to it as a `Float`; null where it is not finite.
  public mutating func number(_ value: Float) {
  }

  /// Writes `true` or `false`.
  public mutating func boolean(_ value: Bool) {
  }

  /// Writes `null`.
  public mutating func null() {
  }
}
