/// The stable codes of diagnostics. `docs/diagnostics.md` lists every one; a test holds the two together.
///
/// To add one: its case and its row in `details`, in the same section of both.
public enum DiagnosticCode: String, Sendable, CaseIterable {
  // MARK: The text

  case encoding
  case syntax
  case lineBreak = "line-break"
  case tooDeep = "too-deep"
  case duplicateKey = "duplicate-key"
  case keyNotString = "key-not-string"
  case undefinedAlias = "undefined-alias"
  case recursiveAlias = "recursive-alias"
  case duplicateAnchor = "duplicate-anchor"
  case aliasExpansion = "alias-expansion"
  case mergeKey = "merge-key"
  case severalDocuments = "several-documents"
  case emptyDocument = "empty-document"
  case unknownTag = "unknown-tag"
  case tagMismatch = "tag-mismatch"
  case tooMany = "too-many-errors"

  // MARK: The schema

  // MARK: The layers and the graph

  // MARK: Parameters and files

  // MARK: Training and tests

  /// What the documentation says of a code.
  public struct Details: Sendable {
    /// Error or warning.
    public let severity: Severity
    /// What is wrong, in half a line.
    public let summary: String
    /// Why it is wrong and what to do.
    public let explanation: String

    fileprivate static func error(_ summary: String, _ explanation: String) -> Details {
      Details(severity: .error, summary: summary, explanation: explanation)
    }

    fileprivate static func warning(_ summary: String, _ explanation: String) -> Details {
      Details(severity: .warning, summary: summary, explanation: explanation)
    }
  }

  /// What the code means.
  public var details: Details {
    switch self {
    // MARK: The text

    case .encoding:
      .error(
        "The file is not clean UTF-8 text",
        "Model files are UTF-8. Save the file as UTF-8 and remove control characters.")
    case .syntax:
      .error(
        "The text is not well-formed YAML or JSON",
        "Nothing after this place could be read, so further errors may show once it is mended.")
    case .lineBreak:
      .error(
        "An unusual line break stands outside quotes",
        "NEL (U+0085), U+2028 and U+2029 are line breaks to some readers and not to others. Use an ordinary line break."
      )
    case .tooDeep:
      .error("Collections are nested too deep", "At most 64 lists and mappings may stand within one another.")
    case .duplicateKey:
      .error("A key stands twice in a mapping", "Only one of them could count. Remove or rename the other.")
    case .keyNotString:
      .error(
        "A key is not a string", "Keys are strings. Put quotes around a key that reads as a number, a boolean or null.")
    case .undefinedAlias:
      .error(
        "An alias names an anchor that does not exist", "An anchor (`&name`) must stand before its alias (`*name`).")
    case .recursiveAlias:
      .error("An alias stands inside the value that it names", "A value cannot contain itself.")
    case .duplicateAnchor:
      .error("An anchor is defined twice", "Which one an alias means would depend on its place. Rename one of them.")
    case .aliasExpansion:
      .error(
        "Aliases repeat too much",
        "Written out in full, the aliases would add more than a million values to the file.")
    case .mergeKey:
      .error(
        "A merge key has no mapping to merge",
        "`<<` takes a mapping, usually an alias such as `*base`, or a list of them.")
    case .severalDocuments:
      .error("The file holds more than one document", "A file is one document. Remove what follows the second `---`.")
    case .emptyDocument:
      .error("The file holds nothing", "`nnrun init` writes a model to begin from.")
    case .unknownTag:
      .error(
        "A tag is not known",
        "The tags are `!!binary`, `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`, `!!seq` and `!!map`.")
    case .tagMismatch:
      .error("A tag does not fit its value", "Correct the value, or remove the tag.")
    case .tooMany:
      .error("There are too many errors to go on", "Mend the errors listed before this one first.")
    }
  }

  /// Whether the code is an error or a warning.
  public var severity: Severity { details.severity }

  /// The table of all codes in Markdown, as it stands in `docs/diagnostics.md`.
  public static var documentation: String {
    var text = "| code | severity | meaning | what to know |\n|---|---|---|---|\n"
    for code in allCases {
      let details = code.details
      text += "| `\(code.rawValue)` | \(details.severity.rawValue) | \(details.summary) | \(details.explanation) |\n"
    }
    return text
  }
}
