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
  private let lineStarts: [Int]

  /// A text of the given bytes, called `name` in messages.
  public init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
    let newline = UInt8(ascii: "\n")
    let carriageReturn = UInt8(ascii: "\r")
    var starts = [0]
    let count = bytes.count
    for index in 0..<count {
      let byte = bytes[index]
      if byte == newline || (byte == carriageReturn && !(index + 1 < count && bytes[index + 1] == newline)) {
        starts.append(index + 1)
      }
    }
    lineStarts = starts
  }

  /// The number of lines; a final line break begins one more, empty line.
  public var lineCount: Int { lineStarts.count }

  /// The line and column of the byte at `offset`.
  public func position(at offset: Int) -> SourcePosition {
    let offset = min(max(offset, 0), bytes.count)
    var low = 0
    var high = lineStarts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    var column = 1
    var index = lineStarts[low]
    if low == 0, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
    while index < offset {
      if bytes[index] & 0xC0 != 0x80 { column += 1 }
      index += 1
    }
    return SourcePosition(line: low + 1, column: column)
  }

  /// The bytes of line `number` (from 1), without its line break.
  public func line(_ number: Int) -> ArraySlice<UInt8> {
    guard number >= 1, number <= lineStarts.count else { return [] }
    let start = lineStarts[number - 1]
    var end = number < lineStarts.count ? lineStarts[number] : bytes.count
    while end > start, bytes[end - 1] == UInt8(ascii: "\n") || bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    return bytes[start..<end]
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
