import Diagnostics
import TestSupport
import Testing
import YAML

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
