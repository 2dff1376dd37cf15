/// The meaning of plain scalars by the core schema of YAML 1.2.
enum ScalarResolution {
  /// What the plain scalar `text` means without a tag.
  static func resolve(_ text: String) -> Scalar.Value {
    switch text.utf8.first ?? 0 {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
      guard let number = NumberLexer.lex(text.utf8.span) else { return .string(text) }
      return number.integer.map { .integer($0) } ?? .number(number.value)
    default:
      return word(text)
    }
  }

  /// What a word that is not a number means.
  private static func word(_ text: String) -> Scalar.Value {
    switch text {
    case "", "~", "null", "Null", "NULL": .null
    case "true", "True", "TRUE": .boolean(true)
    case "false", "False", "FALSE": .boolean(false)
    default: .string(text)
    }
  }
}
