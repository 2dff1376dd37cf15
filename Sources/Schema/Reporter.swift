import Diagnostics
import YAML

/// Says why a value that is not valid is not, at its exact places and in terms of what its author meant.
struct Reporter {
  var validator: Validator
  let source: SourceText
  var diagnostics: [Diagnostic] = []
  private var depth = 0

  init(validator: Validator, source: SourceText) {
    self.validator = validator
    self.source = source
  }

  /// What is known of a value from where it stands.
  struct Context {
    /// What to call it: `` `filters` ``, `` item 2 of `kernel` ``.
    var label: String
    /// The key that it stands under.
    var keyRange: SourceRange?
    /// What the schemas that apply to it call it, for an editor and for messages.
    var title: String?
    var noun: String?
  }

  static let mostDiagnostics = 1_000
  /// Packed lists longer than this get no nodes for their items.
  static let longList = 4_096

  var library: SchemaLibrary { validator.library }

  func expectation(for node: Node) -> Expectation { Expectation(library: library, text: node.string) }

  mutating func report(_ node: Node, _ schema: Subschema, _ context: Context) {
    depth += 1
    defer { depth -= 1 }
    validator.steps -= 1
    guard !node.isErroneous, !validator.isExhausted, depth < 2_000, diagnostics.count < Self.mostDiagnostics else {
      return
    }
    let keywords = schema.keywords(library)
    var context = context
    if let title = keywords.title {
      if let noun = keywords.noun { context.noun = noun } else if context.title == nil { context.title = title }
    }
    if let constant = keywords.constant {
      if !constant { reportForbidden(node, reason: nil, context) }
      return
    }
    if let reference = keywords.reference { return report(node, reference, context) }
    if let types = keywords.types, types.isDisjoint(with: Instance.node(node).type) {
      return reportMismatch(node, expectation(for: node).phrase(schema), context)
    }
    if let values = keywords.const ?? keywords.enumeration, !values.contains(.node(node)) {
      return reportUnknownValue(node, values.values, context)
    }
    reportBounds(node, keywords, context)
    switch node.content {
    case .scalar: reportText(node, keywords, context)
    case .sequence, .numbers: reportItems(node, keywords, context)
    case .mapping(let entries): reportEntries(node, entries, keywords, context)
    }
    reportCombinations(node, keywords, context)
  }

  mutating func add(_ code: DiagnosticCode, _ message: String, at range: SourceRange, notes: [DiagnosticNote] = []) {
    guard diagnostics.count < Self.mostDiagnostics else { return }
    diagnostics.append(Diagnostic(code, message, at: SourcePlace(source: source, range: range), notes: notes))
    if diagnostics.count == Self.mostDiagnostics {
      diagnostics.append(
        Diagnostic(
          .tooManyErrors, "after \(Self.mostDiagnostics) errors no more are listed",
          at: SourcePlace(source: source, range: range)))
    }
  }

  // MARK: Kinds and values

  mutating func reportMismatch(_ node: Node, _ phrase: String?, _ context: Context) {
    let wanted = context.noun.map(Expectation.withArticle) ?? phrase ?? "something else"
    add(
      .wrongType, "expected \(wanted) for \(context.label), found \(node.found)", at: node.range,
      notes: hints(node, wanted: wanted))
  }

  private func hints(_ node: Node, wanted: String) -> [DiagnosticNote] {
    guard let scalar = node.scalar else { return [] }
    switch scalar.value {
    case .string(let text):
      let wantsBoolean = wanted.contains("`true`") || wanted.contains("`false`")
      if wantsBoolean, let word = ["yes": "true", "on": "true", "no": "false", "off": "false"][text.lowercased()] {
        return [DiagnosticNote("`\(text)` is a string in YAML 1.2: write `\(word)`")]
      }
      if !scalar.isPlain, wanted.contains("number") || wanted.contains("integer"), Double(text) != nil {
        return [DiagnosticNote("what stands in quotes is a string: write \(text)")]
      }
    case .integer, .number, .boolean:
      if wanted.contains("string") { return [DiagnosticNote("put it in quotes: \"\(scalar.text)\"")] }
    case .null:
      if scalar.text.isEmpty { return [DiagnosticNote("give it a value, or remove the key")] }
    case .binary: break
    }
    return []
  }

  mutating func reportUnknownValue(_ node: Node, _ allowed: [Node], _ context: Context) {
    let words = Expectation.joined(allowed.map(\.quoted))
    guard let text = node.string, allowed.contains(where: { $0.string != nil }) else {
      let isOfKind = allowed.contains { Instance.node($0).type == Instance.node(node).type }
      if isOfKind {
        add(.unknownValue, "\(context.label) must be \(words), found \(node.found)", at: node.range)
      } else {
        add(.wrongType, "expected \(words) for \(context.label), found \(node.found)", at: node.range)
      }
      return
    }
    let what =
      context.title.map { "unknown \(Self.inSentence($0)) \(node.quoted)" }
      ?? "unknown value \(node.quoted) for \(context.label)"
    if let near = suggestion(for: text, among: allowed.compactMap(\.string)) {
      let notes = allowed.count > 1 ? [DiagnosticNote("the values are \(words)")] : []
      add(.unknownValue, "\(what): did you mean `\(near)`?", at: node.range, notes: notes)
    } else {
      add(.unknownValue, "\(what): expected \(words)", at: node.range)
    }
  }

  /// A title or sentence as it goes on after other words: its first letter small unless the word is an abbreviation.
  static func inSentence(_ text: String) -> String {
    var sentence = text
    if sentence.hasSuffix(".") { sentence.removeLast() }
    guard let first = sentence.first, first.isUppercase, sentence.dropFirst().first?.isUppercase != true else {
      return sentence
    }
    return first.lowercased() + sentence.dropFirst()
  }

  mutating func reportForbidden(_ node: Node, reason: String?, _ context: Context) {
    add(
      .notAllowed, reason.map(Self.withoutStop) ?? "\(context.label) is not allowed here",
      at: context.keyRange ?? node.range)
  }

  /// The first sentence of a description.
  static func firstSentence(_ text: String) -> String {
    var end = text.startIndex
    while let stop = text[end...].firstIndex(of: ".") {
      end = text.index(after: stop)
      if end == text.endIndex || text[end] == " " { return String(text[..<end]) }
    }
    return text
  }

  static func withoutStop(_ text: String) -> String {
    let sentence = text.hasSuffix(".") ? String(text.dropLast()) : text
    guard let first = sentence.first, first != "`" else { return sentence }
    return first.lowercased() + sentence.dropFirst()
  }

  // MARK: Bounds

  private mutating func reportBounds(_ node: Node, _ keywords: Keywords, _ context: Context) {
    guard let number = node.schemaNumber else { return }
    var words: [String] = []
    if let bound = keywords.minimum, !(number.compared(to: bound).map { $0 >= 0 } ?? false) {
      words.append("at least \(bound)")
    }
    if let bound = keywords.exclusiveMinimum, !(number.compared(to: bound).map { $0 > 0 } ?? false) {
      words.append("above \(bound)")
    }
    if let bound = keywords.maximum, !(number.compared(to: bound).map { $0 <= 0 } ?? false) {
      words.append("at most \(bound)")
    }
    if let bound = keywords.exclusiveMaximum, !(number.compared(to: bound).map { $0 < 0 } ?? false) {
      words.append("below \(bound)")
    }
    if let divisor = keywords.multipleOf, !number.isMultiple(of: divisor) { words.append("a multiple of \(divisor)") }
    guard !words.isEmpty else { return }
    let wanted = number.doubleValue.isFinite ? words.joined(separator: " and ") : "a finite number"
    add(.outOfRange, "\(context.label) must be \(wanted), found \(node.scalar?.text ?? "")", at: node.range)
  }

  private mutating func reportText(_ node: Node, _ keywords: Keywords, _ context: Context) {
    guard let text = node.schemaString else { return }
    if validator.assertsEncoding, keywords.isBase64, !node.isBinary {
      add(.wrongType, "expected a `!!binary` value for \(context.label), found \(node.found)", at: node.range)
    }
    if keywords.minLength != nil || keywords.maxLength != nil {
      reportCount(
        text.unicodeScalars.count, keywords.minLength, keywords.maxLength, of: "character", at: node.range, context)
    }
    guard let pattern = keywords.pattern, !pattern.matches(text, steps: &validator.steps) else { return }
    if let noun = context.noun {
      let detail = keywords.description.map { ": expected \(Self.inSentence($0))" } ?? ""
      add(.patternMismatch, "\(node.quoted) is not \(Expectation.withArticle(noun))\(detail)", at: node.range)
    } else {
      let name = context.label.hasSuffix("`") ? " for \(context.label)" : ""
      add(
        .patternMismatch, "\(node.quoted)\(name) does not match the pattern `\(pattern.pattern)`", at: node.range)
    }
  }

  mutating func reportCount(
    _ count: Int, _ minimum: Int?, _ maximum: Int?, of unit: String, at range: SourceRange, _ context: Context
  ) {
    let isFewer = minimum.map { count < $0 } ?? false
    let isMore = maximum.map { count > $0 } ?? false
    guard isFewer || isMore else { return }
    if isFewer, count == 0, minimum == 1 {
      return add(.wrongCount, "\(context.label) must not be empty", at: range)
    }
    func counted(_ number: Int) -> String {
      let plural = unit.hasSuffix("y") ? unit.dropLast() + "ies" : unit + "s"
      return number == 1 ? "1 \(unit)" : "\(number) \(plural)"
    }
    let wanted =
      if let minimum, minimum == maximum {
        "exactly \(counted(minimum))"
      } else if isFewer {
        "at least \(counted(minimum ?? 0))"
      } else {
        "at most \(counted(maximum ?? 0))"
      }
    add(.wrongCount, "\(context.label) must have \(wanted), found \(count)", at: range)
  }
}
