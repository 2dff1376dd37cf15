package import Diagnostics

extension Node {
  /// The node on one line in flow style: numbers as they stand in `source`, strings quoted where they have to be, without
  /// comments, anchors and merge keys.
  package func flowText(in source: SourceText) -> String {
    let origin = definition ?? self
    switch origin.content {
    case .scalar(let scalar): return scalar.flowText
    case .numbers(let list):
      var texts: [String] = []
      origin.forEachNumberRange(in: source) { texts.append(source.string(in: $0)) }
      return Self.nested(texts[...], shape: list.shape[...])
    case .sequence(let items):
      return "[" + items.map { $0.flowText(in: source) }.joined(separator: ", ") + "]"
    case .mapping(let entries):
      return "{" + entries.map { scalarText($0.key) + ": " + $0.value.flowText(in: source) }.joined(separator: ", ")
        + "}"
    }
  }

  /// Texts as nested lists of a shape.
  private static func nested(_ texts: ArraySlice<String>, shape: ArraySlice<Int>) -> String {
    guard let count = shape.first, count > 0 else { return texts.first ?? "[]" }
    let step = texts.count / count
    let parts = (0..<count).map {
      nested(texts.dropFirst($0 * step).prefix(step), shape: shape.dropFirst())
    }
    return "[" + parts.joined(separator: ", ") + "]"
  }
}

extension Scalar {
  /// Whether a string that stood plain may do so on one line between brackets.
  private static func isPlainInFlow(_ text: String) -> Bool {
    text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: ","),
        UInt8(ascii: ":"), UInt8(ascii: "#"), 0..<0x20:
        false
      default: true
      }
    }
  }

  /// The scalar in flow style, of the same meaning without a tag.
  fileprivate var flowText: String {
    switch value {
    case .null: "null"
    case .boolean(let value): "\(value)"
    case .integer(let value): isPlain ? text : "\(value)"
    case .number: text
    case .string(let string): isPlain && tag == nil && Self.isPlainInFlow(string) ? string : scalarText(string)
    case .binary: "!!binary \"\(text.filter { !$0.isWhitespace })\""
    }
  }
}
