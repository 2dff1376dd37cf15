/// The line of a place as a terminal can show it, and where the carets go under it.
///
/// Tabs become spaces, control characters escapes; a long line is cut to what stands around the place.
struct SourceExcerpt {
  /// The widest excerpt, in columns of the terminal.
  private static let widest = 120
  /// How much of a long line is shown in front of the place.
  private static let before = 40
  private static let tab = "    "

  /// The line's number.
  let line: Int
  /// The line, or the part of it around the place.
  let text: String
  /// The columns of the terminal in front of the carets.
  let caretColumn: Int
  /// The number of carets, 1 or more.
  let caretCount: Int

  private struct Cell {
    let text: String
    let width: Int
  }

  init(_ place: SourcePlace) {
    line = place.start.line
    let whole = place.source.line(line)
    let bytes = place.source.bytes
    let start = Self.boundary(min(max(place.range.start, whole.startIndex), whole.endIndex), bytes, whole)
    var end = min(max(place.range.end, start), whole.endIndex)
    while end < whole.endIndex, bytes[end] & 0xC0 == 0x80 { end += 1 }

    // Of a line of millions of bytes only the neighbourhood is looked at: a code point has at most 4 bytes.
    let reach = Self.widest * 4
    let from = Self.boundary(max(whole.startIndex, start - reach), bytes, whole)
    let to = Self.boundary(min(whole.endIndex, start + reach), bytes, whole)
    let head = Self.cells(bytes[from..<start])
    let marked = Self.cells(bytes[start..<min(end, to)])
    let tail = Self.cells(bytes[min(end, to)..<to])

    let isWhole = from == whole.startIndex && to == whole.endIndex
    let width = Self.width(head) + Self.width(marked) + Self.width(tail)
    if isWhole, width <= Self.widest {
      text = (head + marked + tail).map(\.text).joined()
      caretColumn = Self.width(head)
      caretCount = max(Self.width(marked), 1)
      return
    }

    var shownHead = head[...]
    if Self.width(head) > Self.before || from > whole.startIndex {
      shownHead = Self.fitting(head.reversed(), in: Self.before - 1).reversed()[...]
      shownHead.insert(Cell(text: "…", width: 1), at: shownHead.startIndex)
    }
    let headWidth = Self.width(shownHead)
    var rest = Self.fitting(marked + tail, in: Self.widest - 1 - headWidth)
    let shownMarked = Self.width(rest.prefix(marked.count))
    if rest.count < marked.count + tail.count || to < whole.endIndex { rest.append(Cell(text: "…", width: 1)) }
    text = (shownHead + rest).map(\.text).joined()
    caretColumn = headWidth
    caretCount = max(shownMarked, 1)
  }

  /// `offset`, or the beginning of the code point that it lies in.
  private static func boundary(_ offset: Int, _ bytes: [UInt8], _ line: ArraySlice<UInt8>) -> Int {
    var offset = offset
    while offset > line.startIndex, offset < line.endIndex, bytes[offset] & 0xC0 == 0x80 { offset -= 1 }
    return offset
  }

  private static func cells(_ bytes: ArraySlice<UInt8>) -> [Cell] {
    String(decoding: bytes, as: UTF8.self).unicodeScalars.map { scalar in
      if scalar == "\t" { return Cell(text: tab, width: tab.count) }
      guard scalar.isPrintable else { return Cell(text: scalar.escape, width: scalar.escape.count) }
      return Cell(text: String(scalar), width: scalar.terminalWidth)
    }
  }

  private static func width(_ cells: some Sequence<Cell>) -> Int {
    cells.reduce(0) { $0 + $1.width }
  }

  /// The first cells that fit in `width` columns.
  private static func fitting(_ cells: [Cell], in width: Int) -> [Cell] {
    var left = width
    return Array(
      cells.prefix { cell in
        left -= cell.width
        return left >= 0
      })
  }
}

extension Unicode.Scalar {
  /// The columns that the scalar takes on a terminal: none for combining marks, two for wide letters and pictures.
  fileprivate var terminalWidth: Int {
    if value < 0x300 { return 1 }
    switch properties.generalCategory {
    case .nonspacingMark, .enclosingMark: return 0
    default: break
    }
    switch value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3,
      0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF,
      0x1F900...0x1FAFF, 0x20000...0x3FFFD:
      return 2
    default: return 1
    }
  }
}
