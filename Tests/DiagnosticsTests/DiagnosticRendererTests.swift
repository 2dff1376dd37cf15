import Diagnostics
import Testing

/// A text, and a diagnostic at the first place of `word` in it.
func diagnostic(
  in text: String, at word: String, message: String = "message", notes: [DiagnosticNote] = []
) -> Diagnostic {
  let source = SourceText(name: "model.yaml", bytes: Array(text.utf8))
  return Diagnostic(.syntax, message, at: place(of: word, in: source), notes: notes)
}

/// The first place of `word` in `source`; its end where `word` is empty.
func place(of word: String, in source: SourceText) -> SourcePlace {
  let word = Array(word.utf8)
  let starts = 0...(source.bytes.count - word.count)
  let start = word.isEmpty ? nil : starts.first { source.bytes[$0...].starts(with: word) }
  let found = start ?? source.bytes.count
  return SourcePlace(source: source, range: SourceRange(start: found, end: found + word.count))
}

@Suite("Diagnostics for people")
struct DiagnosticRendererTests {
  @Test("A diagnostic shows its place, its line, and carets under what is meant")
  func shape() {
    let text = String(repeating: "\n", count: 13) + "      - {name: conv2, padding: 0, bias: false}\n"
    let rendered = DiagnosticRenderer().render([
      diagnostic(
        in: text, at: "padding", message: "the shapes differ", notes: [DiagnosticNote("padding 1 would keep 8 by 8")])
    ])
    #expect(
      rendered == """
        model.yaml:14:23: error: the shapes differ [syntax]
           |
        14 |       - {name: conv2, padding: 0, bias: false}
           |                       ^^^^^^^
        note: padding 1 would keep 8 by 8

        """)
  }

  @Test("A note with a place shows its line too")
  func notes() {
    let source = SourceText(name: "a.yaml", bytes: Array("x: 1\ny: 2\nx: 3\n".utf8))
    let note = DiagnosticNote("first given here", at: place(of: "x", in: source))
    let second = SourcePlace(source: source, range: SourceRange(start: 10, end: 11))
    #expect(
      DiagnosticRenderer().render([Diagnostic(.duplicateKey, "twice", at: second, notes: [note])]) == """
        a.yaml:3:1: error: twice [duplicate-key]
          |
        3 | x: 3
          | ^
        a.yaml:1:1: note: first given here
          |
        1 | x: 1
          | ^

        """)
  }

  @Test("Diagnostics come in the order of the file, files in the order they were met")
  func order() {
    let first = SourceText(name: "first", bytes: Array("abc".utf8))
    let second = SourceText(name: "second", bytes: Array("abc".utf8))
    func at(_ source: SourceText, _ start: Int, _ message: String) -> Diagnostic {
      Diagnostic(.syntax, message, at: SourcePlace(source: source, range: SourceRange(start: start, end: start + 1)))
    }
    let mixed = [at(first, 2, "1c"), at(second, 1, "2b"), at(first, 0, "1a"), at(second, 0, "2a"), at(first, 0, "1a'")]
    #expect(mixed.inFileOrder.map(\.message) == ["1a", "1a'", "1c", "2a", "2b"])
    #expect(DiagnosticRenderer().render([]).isEmpty)
    #expect((mixed + mixed).inFileOrder.map(\.message) == mixed.inFileOrder.map(\.message))
  }

  @Test(
    "The line and the carets fit a terminal, whatever the file holds",
    arguments: [
      ("a\tb: x", "x", "a    b: x", "        ^"),
      ("日本: x", "x", "日本: x", "      ^"),
      ("日本: x", "日本", "日本: x", "^^^^"),
      ("e\u{301}: x", "x", "e\u{301}: x", "   ^"),
      ("a\u{1B}[31m: x", "x", "a\\x1b[31m: x", "           ^"),
      ("\u{202E}a: x", "x", "\\u202ea: x", "         ^"),
      ("ab", "", "ab", "  ^"),
      ("a: [b,\n c]", "[b,\n c]", "a: [b,", "   ^^^"),
      ("\u{FEFF}a: x", "a", "a: x", "^"),
    ])
  func terminal(text: String, word: String, line: String, carets: String) {
    let lines = DiagnosticRenderer().render([diagnostic(in: text, at: word)])
      .split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[2] == "1 | \(line)")
    #expect(lines[3] == "  | \(carets)")
  }

  @Test("Of a long line only the neighbourhood of the place is shown")
  func longLines() {
    let long = String(repeating: "0123456789", count: 2_000)
    let lines = DiagnosticRenderer().render([diagnostic(in: long + "bad" + long, at: "bad")])
      .split(separator: "\n")
    #expect(lines[2].hasPrefix("1 | …") && lines[2].hasSuffix("…"))
    #expect(lines[2].count <= 125)
    let column = lines[3].prefix { $0 != "^" }.count
    #expect(lines[2].dropFirst(column).hasPrefix("bad"))
    #expect(lines[3].hasSuffix(" ^^^"))
    let whole = DiagnosticRenderer().render([diagnostic(in: "x" + long, at: "x" + long)]).split(separator: "\n")
    #expect(whole[2].count <= 125 && whole[3].count <= 125)
  }

  @Test("Bytes that are not text, and names and messages with control characters, are shown harmlessly")
  func harmless() {
    let source = SourceText(name: "a\u{1B}]0;x\u{7}.yaml", bytes: [0x61, 0xFF, 0x1B, 0x62])
    let place = SourcePlace(source: source, range: SourceRange(start: 1, end: 2))
    let rendered = DiagnosticRenderer().render([Diagnostic(.encoding, "bad \u{9B}1m", at: place)])
    #expect(
      rendered.unicodeScalars.allSatisfy { $0 == "\n" || ($0.value >= 0x20 && !(0x7F...0x9F).contains($0.value)) })
    #expect(rendered.contains("a\\x1b]0;x\\x07.yaml:1:2: error: bad \\x9b1m"))
  }

  @Test("Colours surround the text and do not change it")
  func colors() {
    let one = [diagnostic(in: "a: x", at: "x", notes: [DiagnosticNote("hint")])]
    let colored = DiagnosticRenderer(color: true).render(one)
    #expect(colored.contains("\u{1B}[1;31merror:\u{1B}[0m"))
    #expect(colored.replacing(/\u{1B}\[[0-9;]*m/, with: "") == DiagnosticRenderer().render(one))
  }
}
