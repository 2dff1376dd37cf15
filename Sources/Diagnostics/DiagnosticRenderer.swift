/// Renders diagnostics for people, with the source line and carets under the place.
public struct DiagnosticRenderer: Sendable {
  private let color: Bool

  /// A renderer, with colours for a terminal if `color`.
  public init(color: Bool = false) {
    self.color = color
  }

  /// The text of `diagnostics`, file by file in the order of the file, ending in a line break; empty for none.
  public func render(_ diagnostics: [Diagnostic]) -> String { "" }
}
