package import Diagnostics

/// How a text is laid out around a place: what an edit has to fit in with.
package struct SourceLayout {
  private let bytes: [UInt8]
  private let start: Int
  /// The line break that the file uses: that of its first line.
  package let lineBreak: String

  package init(_ source: SourceText) {
    bytes = source.bytes
    start = source.textStart
    let first = source.bytes.firstIndex { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
    lineBreak =
      switch first {
      case let index? where source.bytes[index] == UInt8(ascii: "\n"): "\n"
      case let index? where index + 1 < source.bytes.count && source.bytes[index + 1] == UInt8(ascii: "\n"): "\r\n"
      case .some: "\r"
      case nil: "\n"
      }
  }

  /// The byte at `offset`, or nil beyond the end.
  package func byte(_ offset: Int) -> UInt8? { bytes.indices.contains(offset) ? bytes[offset] : nil }

  /// The first byte of the line that holds `offset`.
  package func lineStart(_ offset: Int) -> Int {
    var index = min(offset, bytes.count)
    while index > start, !Self.isBreak(bytes[index - 1]) { index -= 1 }
    return index
  }

  /// The end of the line that holds `offset`, before its line break.
  package func lineEnd(_ offset: Int) -> Int {
    var index = min(offset, bytes.count)
    while index < bytes.count, !Self.isBreak(bytes[index]) { index += 1 }
    return index
  }

  /// The first byte behind the line that holds `offset`.
  package func nextLine(_ offset: Int) -> Int {
    let end = lineEnd(offset)
    guard end < bytes.count else { return end }
    return bytes[end] == UInt8(ascii: "\r") && byte(end + 1) == UInt8(ascii: "\n") ? end + 2 : end + 1
  }

  /// The spaces that reach to the column of `offset`.
  package func indentation(_ offset: Int) -> String {
    let column = bytes[lineStart(offset)..<offset].count { $0 & 0xC0 != 0x80 }
    return String(repeating: " ", count: column)
  }

  /// The spaces that the line of `offset` begins with.
  package func lineIndentation(_ offset: Int) -> String {
    let from = lineStart(offset)
    return String(repeating: " ", count: bytes[from...].prefix { $0 == UInt8(ascii: " ") }.count)
  }

  /// Whether nothing but spaces stands before `offset` on its line.
  package func isFirstOnLine(_ offset: Int) -> Bool {
    bytes[lineStart(offset)..<offset].allSatisfy(Self.isBlank)
  }

  /// The offset behind blanks (not line breaks) from `offset` on.
  package func skippingBlanks(_ offset: Int) -> Int {
    var index = offset
    while index < bytes.count, Self.isBlank(bytes[index]) { index += 1 }
    return index
  }

  /// The offset behind blanks, line breaks and comments from `offset` on, where a comment may begin.
  package func skippingSpace(_ offset: Int) -> Int {
    var index = offset
    while index < bytes.count {
      if Self.isBlank(bytes[index]) || Self.isBreak(bytes[index]) {
        index += 1
      } else if bytes[index] == UInt8(ascii: "#"), index > offset || isComment(index) {
        index = lineEnd(index)
      } else {
        break
      }
    }
    return index
  }

  /// Whether a `#` at `offset` begins a comment.
  private func isComment(_ offset: Int) -> Bool {
    offset == start || Self.isBlank(bytes[offset - 1]) || Self.isBreak(bytes[offset - 1])
  }

  /// Whether only blanks and a comment follow `offset` on its line.
  package func isLastOnLine(_ offset: Int) -> Bool {
    let next = skippingBlanks(offset)
    guard let byte = byte(next) else { return true }
    return Self.isBreak(byte) || (byte == UInt8(ascii: "#") && next > offset)
  }

  /// The comments in a range that holds numbers, base64, brackets and commas, no quoted text, `#` included.
  package func comments(in range: SourceRange) -> [String] {
    var comments: [String] = []
    var index = range.start
    while index < range.end {
      if bytes[index] == UInt8(ascii: "#"), isComment(index) {
        var end = min(lineEnd(index), range.end)
        while end > index, Self.isBlank(bytes[end - 1]) { end -= 1 }
        comments.append(String(decoding: bytes[index..<end], as: UTF8.self))
        index = lineEnd(index)
      } else {
        index += 1
      }
    }
    return comments
  }

  /// The tag in front of a value that begins at `offset`, with the space behind it; nil where there is none.
  func tag(before offset: Int) -> SourceRange? {
    func isSpace(_ byte: UInt8) -> Bool { Self.isBlank(byte) || Self.isBreak(byte) }
    var end = offset
    // An anchor may stand between the two.
    for _ in 0..<2 {
      var wordEnd = end
      while wordEnd > 0, isSpace(bytes[wordEnd - 1]) { wordEnd -= 1 }
      guard wordEnd < end else { return nil }
      var start = wordEnd
      // Only a tag in `<>` has a comma within.
      let isVerbatim = wordEnd > 0 && bytes[wordEnd - 1] == UInt8(ascii: ">")
      while start > 0, !isSpace(bytes[start - 1]), isVerbatim || !",[{".utf8.contains(bytes[start - 1]) { start -= 1 }
      guard start < wordEnd else { return nil }
      if bytes[start] == UInt8(ascii: "!") { return SourceRange(start: start, end: end) }
      guard bytes[start] == UInt8(ascii: "&") else { return nil }
      end = start
    }
    return nil
  }

  package static func isBreak(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }
  package static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
}
