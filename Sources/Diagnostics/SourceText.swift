/// A half-open range of bytes in a source text.
public struct SourceRange: Sendable, Hashable {
  /// The offset of the first byte.
  public let start: Int
  /// The offset after the last byte.
  public let end: Int

  /// The range of bytes from `start` up to `end`.
  public init(start: Int, end: Int) {
    self.start = start
    self.end = end
  }
}

/// A line and a column as a person counts them: both from 1, the column in code points.
public struct SourcePosition: Sendable, Hashable {
  /// The line, from 1.
  public let line: Int
  /// The column, from 1, in code points.
  public let column: Int
}

/// The bytes of a file as they were read, and where its lines begin.
///
/// Lines end at LF, CR or CRLF, as editors count them.
public final class SourceText: Sendable {
  /// The file's name as the user wrote it.
  public let name: String
  /// The whole file.
  public let bytes: [UInt8]
  /// Whether every byte is ASCII, so that bytes and code points are the same.
  public let isASCII: Bool
  private let lineStarts: [Int]
  /// The code points before every `stride`th byte, where they differ from the bytes.
  private let codePointsBefore: [Int]
  private static let stride = 1024

  /// A text of the given bytes, called `name` in messages.
  public init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
    var starts = [0]
    var highBits: UInt64 = 0
    let span = bytes.span
    var index = 0
    while index < span.count {
      // Eight bytes at a time, as long as none of them can end a line.
      while index &+ 8 <= span.count {
        let word = unsafe span.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
        if (word &- 0x0E0E_0E0E_0E0E_0E0E) & ~word & 0x8080_8080_8080_8080 != 0 { break }
        highBits |= word
        index &+= 8
      }
      for _ in 0..<min(8, span.count &- index) {
        let byte = span[index]
        index &+= 1
        highBits |= UInt64(byte)
        if byte == UInt8(ascii: "\n")
          || (byte == UInt8(ascii: "\r") && !(index < span.count && span[index] == UInt8(ascii: "\n")))
        {
          starts.append(index)
        }
      }
    }
    lineStarts = starts
    isASCII = highBits & 0x8080_8080_8080_8080 == 0
    var checkpoints: [Int] = []
    if !isASCII {
      var codePoints = 0
      for start in Swift.stride(from: 0, to: span.count, by: Self.stride) {
        checkpoints.append(codePoints)
        let chunk = span.extracting(start..<min(start + Self.stride, span.count))
        for index in chunk.indices where chunk[index] & 0xC0 != 0x80 { codePoints &+= 1 }
      }
    }
    codePointsBefore = checkpoints
  }

  /// The number of lines; a final line break begins one more, empty line.
  public var lineCount: Int { lineStarts.count }

  /// The offset of the first byte behind a byte order mark.
  public var textStart: Int { bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0 }

  /// The line and column of the byte at `offset`.
  public func position(at offset: Int) -> SourcePosition {
    let offset = min(max(offset, 0), bytes.count)
    let line = lineIndex(at: offset)
    let start = line == 0 ? min(textStart, offset) : lineStarts[line]
    return SourcePosition(line: line + 1, column: codePoints(before: offset) - codePoints(before: start) + 1)
  }

  /// The index of the line that holds the byte at `offset`.
  private func lineIndex(at offset: Int) -> Int {
    var low = 0
    var high = lineStarts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    return low
  }

  private func codePoints(before offset: Int) -> Int {
    guard !isASCII, !codePointsBefore.isEmpty else { return offset }
    let checkpoint = min(offset / Self.stride, codePointsBefore.count - 1)
    var codePoints = codePointsBefore[checkpoint]
    for index in checkpoint * Self.stride..<offset where bytes[index] & 0xC0 != 0x80 { codePoints += 1 }
    return codePoints
  }

  /// The bytes of line `number` (from 1), without its line break and without a byte order mark.
  public func line(_ number: Int) -> ArraySlice<UInt8> {
    guard number >= 1, number <= lineStarts.count else { return [] }
    let start = number == 1 ? textStart : lineStarts[number - 1]
    var end = number < lineStarts.count ? lineStarts[number] : bytes.count
    while end > start, bytes[end - 1] == UInt8(ascii: "\n") || bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    return bytes[start..<end]
  }

  /// The text in `range`; bytes that are not UTF-8 are replaced.
  public func string(in range: SourceRange) -> String {
    let start = min(max(range.start, 0), bytes.count)
    return String(decoding: bytes[start..<min(max(range.end, start), bytes.count)], as: UTF8.self)
  }
}

/// A range in a certain text.
public struct SourcePlace: Sendable {
  /// The text.
  public let source: SourceText
  /// The bytes meant in it.
  public let range: SourceRange

  /// The place of `range` in `source`.
  public init(source: SourceText, range: SourceRange) {
    self.source = source
    self.range = range
  }

  /// Where the place begins.
  public var start: SourcePosition { source.position(at: range.start) }
  /// Where the place ends (exclusive).
  public var end: SourcePosition { source.position(at: range.end) }
}
