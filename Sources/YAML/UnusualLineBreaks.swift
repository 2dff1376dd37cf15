import Diagnostics

/// The NEL, U+2028 and U+2029 of a text, to be taken in order: libyaml takes them for line breaks, editors do not.
struct UnusualLineBreaks {
  /// Those that were not yet taken, the last one first.
  private var ahead: [SourceRange] = []

  /// Those before the byte at `end`.
  init(in source: SourceText, end: Int) {
    guard !source.isASCII else { return }
    let bytes = source.bytes
    let span = bytes.span
    var index = end
    while index > 0 {
      index -= 1
      if span[index] == 0xC2, index + 1 < end, span[index + 1] == 0x85 {
        ahead.append(SourceRange(start: index, end: index + 2))
      } else if span[index] == 0xE2, index + 2 < end, span[index + 1] == 0x80, span[index + 2] & 0xFE == 0xA8 {
        ahead.append(SourceRange(start: index, end: index + 3))
      }
    }
  }

  /// Takes those before the byte at `end`.
  mutating func take(before end: Int) -> [SourceRange] {
    var taken: [SourceRange] = []
    while let next = ahead.last, next.start < end {
      taken.append(next)
      ahead.removeLast()
    }
    return taken
  }
}
