import Diagnostics

/// What keeps a file from being text that everybody reads alike.
enum TextProblem {
  /// More `%` lines than any file needs; libyaml's time grows with their square.
  private static let mostDirectives = 100

  /// What can be said from the first bytes.
  static func inBeginning(of source: SourceText) -> Diagnostic? {
    let bytes = source.bytes
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      return Diagnostic(
        .encoding, "the file is UTF-16, but model files are UTF-8; save it as UTF-8",
        at: SourcePlace(source: source, range: SourceRange(start: 0, end: 2)))
    }
    return tooManyDirectives(in: source)
  }

  private static func tooManyDirectives(in source: SourceText) -> Diagnostic? {
    guard source.lineCount > mostDirectives else { return nil }
    var directives = 0
    for number in 1...source.lineCount {
      let line = source.line(number)
      switch line.first {
      case UInt8(ascii: "%"): directives += 1
      case UInt8(ascii: "#"), UInt8(ascii: " "), UInt8(ascii: "\t"), nil: break
      default: return nil
      }
      if directives > mostDirectives {
        return Diagnostic(
          .syntax, "more than \(mostDirectives) lines that begin with `%`; a file needs none or one",
          at: SourcePlace(source: source, range: SourceRange(start: line.startIndex, end: line.endIndex)))
      }
    }
    return nil
  }

  /// Says what the byte at `offset`, which libyaml refused, is.
  static func badByte(at offset: Int, in source: SourceText) -> Diagnostic {
    let bytes = source.bytes
    let offset = min(offset, max(bytes.count - 1, 0))
    // A character that breaks off is refused at the byte that should have continued it.
    var start = offset
    for back in 1...3 where back <= offset && bytes[offset - back] >= 0xC0 && bytes[offset] >= 0x20 {
      let needed = bytes[offset - back] >= 0xF0 ? 4 : bytes[offset - back] >= 0xE0 ? 3 : 2
      if back < needed, bytes[(offset - back + 1)..<offset].allSatisfy({ $0 & 0xC0 == 0x80 }) {
        start = offset - back
        break
      }
    }
    let tail = bytes[start..<min(start + 4, bytes.count)]
    var decoder = UTF8()
    var iterator = tail.makeIterator()
    let message: String
    var end = start + 1
    switch decoder.decode(&iterator) {
    case .scalarValue(let scalar):
      end = start + UTF8.width(scalar)
      message = "the character \(name(scalar)) may not stand in a YAML file; remove it"
    case .error, .emptyInput:
      let byte = start < bytes.count ? String(bytes[start], radix: 16, uppercase: true) : "?"
      message = "the byte 0x\(byte) is not UTF-8 text; save the file as UTF-8"
    }
    return Diagnostic(
      .encoding, message,
      at: SourcePlace(source: source, range: SourceRange(start: start, end: min(end, bytes.count))))
  }

  private static func name(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16, uppercase: true)
    return "U+" + String(repeating: "0", count: max(4 - digits.count, 0)) + digits
  }
}
