/// How bad a diagnostic is.
public enum Severity: String, Sendable {
  /// The file cannot be used.
  case error
  /// The file can be used, but probably not as its author meant.
  case warning
}

/// A further remark of a diagnostic: a hint, or where the other half of a conflict stands.
public struct DiagnosticNote: Sendable {
  /// What is to be said.
  public let message: String
  /// Where it stands, if anywhere.
  public let place: SourcePlace?

  /// A note, at a place if it has one.
  public init(_ message: String, at place: SourcePlace? = nil) {
    self.message = message
    self.place = place
  }
}

/// One thing wrong in one place of a file, as a value; how it looks is `DiagnosticRenderer`'s matter.
public struct Diagnostic: Error, Sendable {
  /// The stable code that the documentation lists.
  public let code: DiagnosticCode
  /// Error or warning.
  public let severity: Severity
  /// What was found and what was expected.
  public let message: String
  /// Where.
  public let place: SourcePlace
  /// What to do, and where the other half of a conflict is.
  public let notes: [DiagnosticNote]

  /// A diagnostic; its severity is the code's own.
  public init(_ code: DiagnosticCode, _ message: String, at place: SourcePlace, notes: [DiagnosticNote] = []) {
    self.code = code
    self.severity = code.severity
    self.message = message
    self.place = place
    self.notes = notes
  }
}
