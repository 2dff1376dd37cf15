import Diagnostics
import Testing

@Suite("Lines and columns")
struct SourceTextTests {
  @Test(
    "Count from 1, in code points, by LF, CR and CRLF, without a byte order mark",
    arguments: [
      ("", 0, 1, 1), ("ab", 1, 1, 2), ("ab", 2, 1, 3), ("a\nb", 2, 2, 1), ("a\r\nb", 3, 2, 1), ("a\rb", 2, 2, 1),
      ("a\r\n", 3, 2, 1), ("é:x", 3, 1, 3), ("😀x", 4, 1, 2), ("\u{FEFF}ab", 3, 1, 1), ("\u{FEFF}ab", 4, 1, 2),
      ("\u{FEFF}ab", 0, 1, 1), ("a\u{2028}b", 4, 1, 3), ("a\nb", 99, 2, 2), ("a\n\nb", 2, 2, 1),
    ])
  func positions(text: String, offset: Int, line: Int, column: Int) {
    let position = SourceText(name: "t", bytes: Array(text.utf8)).position(at: offset)
    #expect(position.line == line)
    #expect(position.column == column)
  }

  @Test("Agree with counting one by one over a long text of all kinds of characters")
  func longText() {
    let pieces = ["abcdefgh", "é", "日本", "😀", "\n", "\r\n", "\r", "0, ", "x\n\n"]
    var text = ""
    var state: UInt64 = 1
    for _ in 0..<3_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1
      text += pieces[Int(state >> 33) % pieces.count]
    }
    let source = SourceText(name: "t", bytes: Array(text.utf8))
    var (line, column, offset) = (1, 1, 0)
    let scalars = Array(text.unicodeScalars)
    for (index, scalar) in scalars.enumerated() {
      let position = source.position(at: offset)
      if position.line != line || position.column != column {
        Issue.record("byte \(offset) is at \(line):\(column), but \(position) was said")
        return
      }
      offset += String(scalar).utf8.count
      column += 1
      if scalar == "\n" || (scalar == "\r" && !(index + 1 < scalars.count && scalars[index + 1] == "\n")) {
        (line, column) = (line + 1, 1)
      }
    }
    #expect(source.lineCount == line)
  }
}
