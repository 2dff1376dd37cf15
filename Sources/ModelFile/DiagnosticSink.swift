import Diagnostics

/// Gathers the diagnostics of one file; what was said once is not said again.
struct DiagnosticSink {
  let source: SourceText
  private(set) var diagnostics: [Diagnostic] = []
  private var seen: Set<[String]> = []

  init(source: SourceText) { self.source = source }

  /// How many errors there are among them.
  private(set) var errorCount = 0

  /// Whether there is an error among them.
  var hasErrors: Bool { errorCount > 0 }

  mutating func add(_ diagnostic: Diagnostic) {
    let range = diagnostic.place.range
    let key = [diagnostic.code.rawValue, "\(range.start)", "\(range.end)", diagnostic.message]
    guard seen.insert(key).inserted else { return }
    diagnostics.append(diagnostic)
    if diagnostic.severity == .error { errorCount += 1 }
  }

  /// Adds a diagnostic at a range of the file; `uses` become notes that show where the blocks around it are used.
  mutating func add(
    _ code: DiagnosticCode, _ message: String, at range: SourceRange, notes: [DiagnosticNote] = [],
    uses: [BlockUse] = []
  ) {
    let useNotes = uses.reversed().map { DiagnosticNote("in block `\($0.block)`, used here", at: $0.place) }
    add(Diagnostic(code, message, at: place(range), notes: notes + useNotes))
  }

  func place(_ range: SourceRange) -> SourcePlace { SourcePlace(source: source, range: range) }
}
