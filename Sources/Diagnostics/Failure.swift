/// Why a command cannot go on: what the user is told, and how the process ends.
public struct Failure: Error, Sendable {
  /// The kinds of failure; the raw value is the process's exit status (sysexits.h where it has a name).
  public enum Kind: Int32, Sendable {
    /// A check failed or training diverged.
    case checkFailed = 1
    /// The command line is wrong.
    case usage = 64
    /// A model or data file is not valid.
    case invalidData = 65
    /// A file is missing or cannot be read.
    case cannotRead = 66
    /// An output cannot be created.
    case cannotCreate = 73
    /// Reading or writing failed on the way.
    case inputOutput = 74
    /// The model is being trained by another process, or changed on disk meanwhile.
    case busy = 75
    /// Interrupted by Ctrl-C.
    case interrupted = 130
    /// Ended by SIGTERM.
    case terminated = 143
  }

  /// The kind, hence the exit status.
  public let kind: Kind
  /// One or more sentences: what was found, what was expected, what to do. Empty where `diagnostics` say it all.
  public let message: String
  /// Diagnostics in files, in the order of the file.
  public let diagnostics: [Diagnostic]

  /// A failure described by a message.
  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
    self.diagnostics = []
  }

  /// A failure described by diagnostics: missing files alone are `cannotRead`, anything else is `invalidData`.
  public init(_ diagnostics: [Diagnostic]) {
    let errors = diagnostics.filter { $0.severity == .error }
    self.kind = !errors.isEmpty && errors.allSatisfy { $0.code == .missingFile } ? .cannotRead : .invalidData
    self.message = ""
    self.diagnostics = diagnostics
  }
}

extension Failure: CustomStringConvertible {
  /// The message, or the diagnostics with the lines of the file that they are about.
  public var description: String { message.isEmpty ? DiagnosticRenderer().render(diagnostics) : message }
}
