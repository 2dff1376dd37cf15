public import Diagnostics

/// A text that was read into nodes, and what was wrong with it.
public struct ParsedDocument: Sendable {
  /// The text.
  public let source: SourceText
  /// The root, or nil where the text is empty or so broken that there is none.
  ///
  /// With errors in `diagnostics`, a root holds what could be read, so that later stages can look for more.
  public let root: Node?
  /// What was found, in the order of the file.
  public let diagnostics: [Diagnostic]

  package init(source: SourceText, root: Node?, diagnostics: [Diagnostic]) {
    self.source = source
    self.root = root
    self.diagnostics = diagnostics
  }

  /// Whether one of the diagnostics is an error.
  public var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

  /// The root of a text without errors; throws the diagnostics otherwise.
  public func validRoot() throws(Failure) -> Node {
    guard let root, !hasErrors else { throw Failure(diagnostics) }
    return root
  }
}
