import Diagnostics

/// The lines of a scalar that needs several, for another indentation.
struct ScalarLines {
  private let bytes: ArraySlice<UInt8>

  init(_ element: SyntaxElement, in source: SourceText) {
    bytes = source.bytes[element.range.start..<element.range.end]
  }

  /// The lines of a plain or quoted scalar; further ones begin in column `indentation`, where there is anything in them.
  func folded(indentation: Int) -> [[UInt8]] {
    lines.enumerated().map { index, line in
      guard index > 0 else { return line }
      let text = Array(line.drop(while: SourceLayout.isBlank))
      return text.isEmpty ? [] : Self.spaces(indentation) + text
    }
  }

  /// The lines of a literal or folded block, header first. Its text was indented relative to column `old` of the block
  /// around it, and now is relative to `new`.
  func block(old: Int, new: Int) -> [[UInt8]] {
    var lines = lines
    // A header that keeps the lines behind the text keeps them as they are; the last break is the line's own.
    if lines.count > 1, lines.last?.isEmpty == true { lines.removeLast() }
    guard let header = lines.first else { return [] }
    let indicator = header.prefix { !SourceLayout.isBlank($0) }.first {
      (UInt8(ascii: "1")...UInt8(ascii: "9")).contains($0)
    }
    let content = lines.dropFirst()
    let before: Int
    let after: Int
    if let indicator {
      let digit = Int(indicator - UInt8(ascii: "0"))
      (before, after) = (max(old, 0) + digit, max(new, 0) + digit)
    } else {
      let first = content.first { !$0.allSatisfy { $0 == UInt8(ascii: " ") } } ?? []
      (before, after) = (first.prefix { $0 == UInt8(ascii: " ") }.count, max(new, 0) + 2)
    }
    return [Self.trimmed(header)]
      + content.map { line in
        let spaces = line.prefix { $0 == UInt8(ascii: " ") }.count
        if spaces == line.count, spaces <= before { return [] }
        return Self.spaces(after) + line.dropFirst(min(before, spaces))
      }
  }

  private var lines: [[UInt8]] {
    var lines: [[UInt8]] = [[]]
    var index = bytes.startIndex
    while index < bytes.endIndex {
      if SourceLayout.isBreak(bytes[index]) {
        if bytes[index] == UInt8(ascii: "\r"), index + 1 < bytes.endIndex, bytes[index + 1] == UInt8(ascii: "\n") {
          index += 1
        }
        lines.append([])
      } else {
        lines[lines.count - 1].append(bytes[index])
      }
      index += 1
    }
    return lines
  }

  private static func trimmed(_ line: [UInt8]) -> [UInt8] {
    Array(line.reversed().drop(while: SourceLayout.isBlank).reversed())
  }

  static func spaces(_ count: Int) -> [UInt8] { [UInt8](repeating: UInt8(ascii: " "), count: max(count, 0)) }
}
