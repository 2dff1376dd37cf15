import Diagnostics

/// Gathers the diagnostics of one file; what was said once is not said again.
struct DiagnosticSink {
  let source: SourceText
  private(set) var diagnostics: [Diagnostic] = []
  private var seen: Set<[String]> = []
  private var counts: [Severity: Int] = [:]
  /// The most errors, and the most warnings, that are listed of one file.
  static let mostDiagnostics = 1_000

  init(source: SourceText) { self.source = source }

  /// How many errors there are among them.
  var errorCount: Int { counts[.error, default: 0] }

  /// Whether there is an error among them.
  var hasErrors: Bool { errorCount > 0 }

  /// Whether no more of a severity is listed, so that none need be looked for.
  func isFull(_ severity: Severity) -> Bool { counts[severity, default: 0] >= Self.mostDiagnostics }

  mutating func add(_ diagnostic: Diagnostic) {
    guard !isFull(diagnostic.severity) else { return }
    let count = counts[diagnostic.severity, default: 0]
    let range = diagnostic.place.range
    let key = [diagnostic.code.rawValue, "\(range.start)", "\(range.end)", diagnostic.message]
    guard seen.insert(key).inserted else { return }
    diagnostics.append(diagnostic)
    counts[diagnostic.severity] = count + 1
    if diagnostic.severity == .error, count + 1 == Self.mostDiagnostics {
      diagnostics.append(
        Diagnostic(
          .tooManyErrors, "after \(Self.mostDiagnostics) errors no more are listed", at: diagnostic.place))
    }
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
