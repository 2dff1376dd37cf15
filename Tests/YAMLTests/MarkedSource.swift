import Diagnostics
import Testing
import YAML

/// A text in which `⟦…⟧` marks where each diagnostic is expected, in order, and `⟪…⟫` where its note is.
struct MarkedSource {
  let source: SourceText
  private(set) var marks: [SourceRange] = []
  private(set) var noteMarks: [SourceRange] = []

  init(_ marked: String) {
    var bytes: [UInt8] = []
    var open: [Int] = []
    for scalar in marked.unicodeScalars {
      switch scalar {
      case "⟦", "⟪": open.append(bytes.count)
      case "⟧": marks.append(SourceRange(start: open.removeLast(), end: bytes.count))
      case "⟫": noteMarks.append(SourceRange(start: open.removeLast(), end: bytes.count))
      default: bytes += Array(String(scalar).utf8)
      }
    }
    source = SourceText(name: "marked.yaml", bytes: bytes)
  }
}

/// Expects that `marked` gives diagnostics of `codes` at its marks, with `words` in the messages and notes.
func expectDiagnostics(
  _ marked: String, _ codes: [DiagnosticCode], words: String = "", json: Bool = false,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let text = MarkedSource(marked)
  let document = json ? JSONDocument.parse(source: text.source) : YAMLDocument.parse(source: text.source)
  let diagnostics = document.diagnostics
  let rendered = DiagnosticRenderer().render(diagnostics)
  #expect(diagnostics.map(\.code) == codes, "\(rendered)", sourceLocation: sourceLocation)
  #expect(diagnostics.map(\.place.range) == text.marks, "\(rendered)", sourceLocation: sourceLocation)
  let notePlaces = diagnostics.flatMap(\.notes).compactMap(\.place?.range)
  #expect(notePlaces == text.noteMarks, "\(rendered)", sourceLocation: sourceLocation)
  #expect(rendered.contains(words), "\(rendered)", sourceLocation: sourceLocation)
}
