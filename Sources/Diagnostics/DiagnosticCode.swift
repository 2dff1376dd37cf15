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
  case tooManyValues = "too-many-values"
  case mergeKey = "merge-key"
  case severalDocuments = "several-documents"
  case emptyDocument = "empty-document"
  case unknownTag = "unknown-tag"
  case tagMismatch = "tag-mismatch"
  case tooManyErrors = "too-many-errors"

  // MARK: The schema

  case unknownKey = "unknown-key"
  case missingKey = "missing-key"
  case wrongType = "wrong-type"
  case unknownValue = "unknown-value"
  case outOfRange = "out-of-range"
  case patternMismatch = "pattern-mismatch"
  case wrongCount = "wrong-count"
  case duplicateItem = "duplicate-item"
  case missingItem = "missing-item"
  case notAllowed = "not-allowed"
  case ambiguousValue = "ambiguous-value"
  case invalidSchema = "invalid-schema"
  case unknownKeyword = "unknown-keyword"
  case schemaPattern = "schema-pattern"
  case schemaReference = "schema-reference"
  case endlessReference = "endless-reference"
  case unsupportedDraft = "unsupported-draft"
  case schemaTooComplex = "schema-too-complex"

  // MARK: The layers and the graph

  case newerFormat = "newer-format"
  case duplicateName = "duplicate-name"
  case unknownInput = "unknown-input"
  case missingInput = "missing-input"
  case cycle
  case unusedLayer = "unused-layer"
  case unknownOutput = "unknown-output"
  case shape
  case residualShape = "residual-shape"
  case tooManyLayers = "too-many-layers"
  case unknownBlock = "unknown-block"
  case blockCycle = "block-cycle"
  case blockParameter = "block-parameter"
  case blockValues = "block-values"

  // MARK: Parameters and files

  case parameterShape = "parameter-shape"
  case parameterValue = "parameter-value"
  case filePath = "file-path"
  case missingFile = "missing-file"
  case badFile = "bad-file"
  case missingArray = "missing-array"
  case unusedArray = "unused-array"

  // MARK: Training and tests

  case trainingLoss = "training-loss"
  case unmatchedFreeze = "unmatched-freeze"
  case testName = "test-name"

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
    case .tooManyValues:
      .error(
        "The file holds more values than are read",
        "At most ten million values, not counting numbers in lists of nothing but numbers, which memory alone bounds.")
    case .mergeKey:
      .error(
        "A merge key has no mapping to merge",
        "`<<` takes a mapping, usually an alias such as `*base`, or a list of them.")
    case .severalDocuments:
      .error("The file holds more than one document", "A file is one document. Remove what follows the second `---`.")
    case .emptyDocument:
      .error(
        "The file holds nothing",
        "A model begins with `nnrun: 1`, its inputs and its layers; docs/format.md has one in one look.")
    case .unknownTag:
      .error(
        "A tag is not known",
        "The tags are `!!binary`, `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`, `!!seq` and `!!map`.")
    case .tagMismatch:
      .error("A tag does not fit its value", "Correct the value, or remove the tag.")
    case .tooManyErrors:
      .error("There are too many errors to go on", "Mend the errors listed before this one first.")

    // MARK: The schema

    case .unknownKey:
      .error(
        "A key is not known here",
        "The note names the key that is probably meant, or those that can stand here. Keys of your own begin with `x-`."
      )
    case .missingKey:
      .error("A key that is needed is missing", "Add the key to the mapping that begins at this place.")
    case .wrongType:
      .error(
        "A value is of the wrong kind",
        "The message says what was expected and what was found. A quoted value is always a string.")
    case .unknownValue:
      .error("A value is none of those that can stand here", "Take one of the values that the message lists.")
    case .outOfRange:
      .error("A number is too small, too large or not a multiple", "The message names the bound.")
    case .patternMismatch:
      .error(
        "A text is not formed as it must be",
        "Names are a letter or `_`, then letters, digits, `_` and `-`; files end in the suffix of their kind.")
    case .wrongCount:
      .error("A list, a mapping or a text has too few or too many parts", "The message names the bound.")
    case .duplicateItem:
      .error("A list that may not repeat itself does", "Remove one of the two items.")
    case .missingItem:
      .error("A list lacks an item that it must contain", "Add it.")
    case .notAllowed:
      .error("A key or value cannot stand here together with the rest", "The message says what rules it out.")
    case .ambiguousValue:
      .error("A value fits several forms of which only one may fit", "Take away what belongs to the other form.")
    case .invalidSchema:
      .error("A JSON Schema is not valid", "A schema is a mapping, `true` or `false`, as draft-07 describes it.")
    case .unknownKeyword:
      .error(
        "A JSON Schema has a keyword that draft-07 does not know",
        "A misspelt keyword would check nothing. Definitions belong under `definitions`.")
    case .schemaPattern:
      .error(
        "A pattern of a JSON Schema cannot be used",
        "Patterns are ECMA-262's without look-around and back-references, so that none can take forever.")
    case .schemaReference:
      .error(
        "A `$ref` of a JSON Schema leads to nothing",
        "References lead into the schema itself or to draft-07's own schema. Nothing is ever fetched.")
    case .endlessReference:
      .error(
        "A JSON Schema applies itself without end",
        "A chain of `$ref`, `allOf`, `anyOf`, ... must come to an end on each value.")
    case .unsupportedDraft:
      .error("A JSON Schema is written for another draft", "Only draft-07 is known.")
    case .schemaTooComplex:
      .error(
        "A JSON Schema takes too much work on a document",
        "Branches that lead to one another multiply. Simplify the schema.")

    // MARK: The layers and the graph

    case .newerFormat:
      .error(
        "The file is of a newer format than this program",
        "A newer nnrun wrote or needs this file. Update nnrun; format 1 is always still read.")
    case .duplicateName:
      .error(
        "Two things in one list have one name",
        "Names are unique in a list of layers; a residual's `body` and `shortcut` count as one list, and inputs' names are taken too."
      )
    case .unknownInput:
      .error(
        "`input` names nothing that is there",
        "A layer takes inputs of the model and layers of its own list; inside a body or a block also `outer`.")
    case .missingInput:
      .error("The first layer has to say what it takes", "With several inputs there is no default for the first layer.")
    case .cycle:
      .error(
        "Layers take each other's values in a circle",
        "No order of execution exists. Every link of the circle is listed.")
    case .unusedLayer:
      .warning(
        "No output needs the layer",
        "It is not run and not trained. Name it in `outputs`, take its value somewhere, or remove it.")
    case .unknownOutput:
      .error("`outputs` names no layer", "Outputs are names of layers, or paths such as `block.conv1`.")
    case .shape:
      .error("Shapes do not fit", "The message says which shapes met and what was needed.")
    case .residualShape:
      .error(
        "The body and the shortcut of a residual give different shapes",
        "Their values are added, so the shapes must be equal.")
    case .tooManyLayers:
      .error("Blocks write out to too many layers", "At most 100,000 layers are written out.")
    case .unknownBlock:
      .error("There is no such block", "`block` names an entry of the model's `blocks`.")
    case .blockCycle:
      .error(
        "A block uses itself", "Directly or through other blocks; it would never end. Blocks may be nested 64 deep.")
    case .blockParameter:
      .error(
        "A block's parameter is not known or used outside a block",
        "A block's `parameters` name what `with`, `first` and `$name` may use.")
    case .blockValues:
      .error(
        "A block that is used more than once gives values",
        "Each use has weights of its own, so values or a file would serve only one of them.")

    // MARK: Parameters and files

    case .parameterShape:
      .error("A parameter has the wrong shape", "Nested lists have to be as deep and as long as the parameter's shape.")
    case .parameterValue:
      .error("A parameter has a value that cannot be", "Parameters are finite numbers that fit the model's dtype.")
    case .filePath:
      .error(
        "A file lies outside the model's folder",
        "Files are named relative to the model file and lie in its folder or below, also after links.")
    case .missingFile:
      .error("A file is missing or cannot be read", "Paths are relative to the model file.")
    case .badFile:
      .error("A file is not what it should be", "The message says what is wrong with it.")
    case .missingArray:
      .error(
        "A file has no such array",
        "`key` names an array of the file; without it, it is the parameter's path, or the file's only array.")
    case .unusedArray:
      .warning(
        "No parameter takes an array of the `weights` file",
        "It may be misnamed: arrays are named by the paths of parameters.")

    // MARK: Training and tests

    case .trainingLoss:
      .error(
        "The loss does not suit an output",
        "`binary-cross-entropy` needs an output that comes from a sigmoid, `cross-entropy` scores of rank 2.")
    case .unmatchedFreeze:
      .error(
        "A path of `freeze` matches nothing",
        "Paths name layers, or parameters such as `block.conv1.weight`; `*` matches any characters.")
    case .testName:
      .error(
        "A test names something that is not there",
        "Tests give every input of the model, and name outputs, layers that are run, and parameters by their paths.")
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
