/// The stable codes of diagnostics. `docs/diagnostics.md` lists every one; a test holds the two together.
public enum DiagnosticCode: String, Sendable, CaseIterable {
  // The text.
  case syntax

  /// Whether the code is an error or a warning.
  public var severity: Severity {
    switch self {
    default: .error
    }
  }
}
