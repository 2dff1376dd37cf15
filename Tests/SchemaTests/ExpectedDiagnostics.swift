import Diagnostics
import Schema
import TestSupport
import Testing
import YAML

/// Expects that `marked`, read as YAML, gives diagnostics at its marks whose codes and messages are `expected`.
///
/// Each line of `expected` is a code, a colon, and words of the message or its notes.
func expectDiagnostics(
  _ marked: String, _ expected: [String], sourceLocation: SourceLocation = #_sourceLocation,
  validate: (ParsedDocument) throws -> [Diagnostic]
) rethrows {
  let text = MarkedSource(marked)
  let document = YAMLDocument.parse(source: text.source)
  let found = try document.diagnostics + validate(document)
  let rendered = DiagnosticRenderer().render(found)
  #expect(found.map(\.place.range) == text.marks, "\(rendered)", sourceLocation: sourceLocation)
  #expect(found.count == expected.count, "\(rendered)", sourceLocation: sourceLocation)
  for (diagnostic, line) in zip(found, expected) {
    let parts = line.split(separator: ": ", maxSplits: 1)
    #expect(diagnostic.code.rawValue == String(parts[0]), "\(rendered)", sourceLocation: sourceLocation)
    let said = ([diagnostic.message] + diagnostic.notes.map(\.message)).joined(separator: "\n")
    #expect(parts.count < 2 || said.contains(parts[1]), "\(said)", sourceLocation: sourceLocation)
  }
}
