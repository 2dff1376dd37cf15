/// `text` as a message may show it: on one line, with control characters and invisible ones escaped, cut with `…`
/// behind `limit` characters.
public func printable(_ text: String, limit: Int = 60) -> String {
  // ASCII without control characters, by far the usual text, is asked nothing more.
  if text.utf8.count <= limit, text.utf8.allSatisfy({ 0x20 <= $0 && $0 < 0x7F }) { return text }
  var result = ""
  var count = 0
  for scalar in text.unicodeScalars {
    guard count < limit else { return result + "…" }
    count += 1
    if scalar.isPrintable { result.unicodeScalars.append(scalar) } else { result += scalar.escape }
  }
  return result
}

/// The same of a part of a text.
public func printable(_ text: Substring, limit: Int = 60) -> String { printable(String(text), limit: limit) }

extension Unicode.Scalar {
  /// Whether the scalar shows on a terminal as itself and cannot change how its neighbours show.
  var isPrintable: Bool {
    switch properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
    default: true
    }
  }

  /// The scalar as an escape: `\n`, `\x1b`, `\u2028`.
  var escape: String {
    switch self {
    case "\n": return "\\n"
    case "\r": return "\\r"
    case "\t": return "\\t"
    default:
      let value = byteStoodFor.map(UInt32.init) ?? value
      let digits = String(value, radix: 16)
      let width = value < 0x100 ? 2 : value < 0x10000 ? 4 : 8
      let letter = value < 0x100 ? "x" : value < 0x10000 ? "u" : "U"
      return "\\" + letter + String(repeating: "0", count: width - digits.count) + digits
    }
  }

  /// The byte, not part of any UTF-8, that the scalar stands for in the text of a file's name: the last private
  /// characters of Unicode stand for the bytes 80 to FF.
  package var byteStoodFor: UInt8? { value >= 0x10FF80 ? UInt8(value & 0xFF) : nil }

  /// The scalar that stands for a byte from 80 on.
  package init?(standingFor byte: UInt8) { self.init(UInt32(0x10FF80) + UInt32(byte & 0x7F)) }
}
