/// Writes JSON, piece by piece, with commas and escapes taken care of.
///
/// ```swift
/// var json = JSONWriter()
/// json.object { json in
///   json.key("loss")
///   json.number(0.5)
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
    nested("{", "}", body)
  }

  /// Writes an array; `body` writes its items.
  public mutating func array(_ body: (inout JSONWriter) -> Void) {
    nested("[", "]", body)
  }

  private mutating func nested(_ opener: String, _ closer: String, _ body: (inout JSONWriter) -> Void) {
    write(opener)
    needsComma = false
    body(&self)
    text += closer
    needsComma = true
  }

  /// Writes a key of the object that is open.
  public mutating func key(_ key: String) {
    string(key)
    text += ": "
    needsComma = false
  }

  /// Writes a string; what a terminal would not show as itself is escaped.
  public mutating func string(_ value: String) {
    var escaped = "\""
    escaped.reserveCapacity(value.utf8.count + 2)
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": escaped += "\\\""
      case "\\": escaped += "\\\\"
      case "\n": escaped += "\\n"
      case "\r": escaped += "\\r"
      case "\t": escaped += "\\t"
      case " "..."~": escaped.unicodeScalars.append(scalar)
      case let scalar where scalar.isPrintable: escaped.unicodeScalars.append(scalar)
      default:
        for unit in String(scalar).utf16 {
          let digits = String(unit, radix: 16)
          escaped += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
      }
    }
    write(escaped + "\"")
  }

  /// Writes an integer.
  public mutating func integer(_ value: Int) {
    write(String(value))
  }

  /// Writes a number with the fewest digits that read back to it; null where it is not finite.
  public mutating func number(_ value: Double) {
    write(value.isFinite ? value.description : "null")
  }

  /// Writes a number with the fewest digits that read back to it as a `Float`; null where it is not finite.
  public mutating func number(_ value: Float) {
    write(value.isFinite ? value.description : "null")
  }

  /// Writes `true` or `false`.
  public mutating func boolean(_ value: Bool) {
    write(value ? "true" : "false")
  }

  /// Writes `null`.
  public mutating func null() {
    write("null")
  }

  /// Begins a new line between two items, for people.
  public mutating func lineBreak() {
    if needsComma { text += "," }
    text += "\n"
    needsComma = false
  }

  private mutating func write(_ value: String) {
    if needsComma { text += ", " }
    text += value
    needsComma = true
  }
}
