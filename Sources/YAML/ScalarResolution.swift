/// The meaning of plain scalars by the core schema of YAML 1.2.
enum ScalarResolution {
  /// What a plain scalar without a tag means.
  static func resolve(_ text: Span<UInt8>) -> Scalar.Value {
    let string = unsafe text.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    guard text.count > 0 else { return .null }
    switch text[0] {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
      guard let number = NumberLexer.lex(text) else { return .string(string) }
      return number.integer.map { .integer($0) } ?? .number(number.value)
    default:
      return word(string)
    }
  }

  /// What a word that is not a number means.
  private static func word(_ string: String) -> Scalar.Value {
    switch string {
    case "", "~", "null", "Null", "NULL": .null
    case "true", "True", "TRUE": .boolean(true)
    case "false", "False", "FALSE": .boolean(false)
    default: .string(string)
    }
  }

  /// What `text` means without a tag.
  static func resolve(_ text: String) -> Scalar.Value {
    let bytes = Array(text.utf8)
    return resolve(bytes.span)
  }
}
