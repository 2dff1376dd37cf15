import YAML

/// Says in words what a schema asks for: `an integer of at least 1`, `a list of numbers`.
///
/// A title that begins in lower case is such a phrase already; one in upper case names a key to an editor.
struct Expectation {
  let library: SchemaLibrary
  /// The text that stands there now; patterns that it does not even begin like go unmentioned.
  let text: String?

  /// The phrase, or nil where the schema asks for nothing that can be said shortly.
  func phrase(_ schema: Subschema, depth: Int = 0) -> String? {
    let keywords = schema.keywords(library)
    if let noun = keywords.noun { return Self.withArticle(noun) }
    guard depth < 4, keywords.constant == nil else { return nil }
    if let reference = keywords.reference { return phrase(reference, depth: depth + 1) }
    if let values = keywords.const ?? keywords.enumeration { return Self.joined(values.values.map(\.quoted)) }
    if let alternatives = keywords.anyOf ?? keywords.oneOf {
      let phrases = self.phrases(alternatives.branches, depth: depth + 1)
      if !phrases.isEmpty { return Self.joined(phrases) }
    }
    if let types = keywords.types { return phrase(types, keywords) }
    return keywords.allOf.lazy.compactMap { phrase($0, depth: depth + 1) }.first
  }

  /// The phrases of several schemas, each once.
  func phrases(_ schemas: [Subschema], depth: Int = 0) -> [String] {
    var found: [String] = []
    let shown = Array(schemas.prefix(25))
    let meant = shown.filter(isBegun)
    for schema in meant.isEmpty ? shown : meant {
      if let phrase = phrase(schema, depth: depth), !found.contains(phrase) { found.append(phrase) }
    }
    return found
  }

  /// Whether the text begins as the schema's pattern says plainly that it must.
  func isBegun(_ schema: Subschema) -> Bool {
    let prefix = library.body(schema).keywords(library).pattern?.literalPrefix ?? ""
    return prefix.isEmpty || text?.hasPrefix(prefix) ?? false
  }

  private func phrase(_ types: JSONType, _ keywords: Keywords) -> String {
    var words: [String] = []
    if types.contains(.number) {
      words.append("a number" + keywords.rangeWords)
    } else if types.contains(.integer) {
      words.append("an integer" + keywords.rangeWords)
    }
    if types.contains(.string) { words.append("a string") }
    if types.contains(.boolean) { words.append("`true` or `false`") }
    if types.contains(.array) { words.append("a list") }
    if types.contains(.object) { words.append("a mapping") }
    if types.contains(.null) { words.append("`null`") }
    return Self.joined(words)
  }

  /// `a`, `a or b`, `a, b or c`; long lists are cut.
  static func joined(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    if words.count > 24 { return words.prefix(24).joined(separator: ", ") + " or one of \(words.count - 24) others" }
    return words.dropLast().joined(separator: ", ") + " or " + last
  }

  static func withArticle(_ noun: String) -> String {
    guard let first = noun.unicodeScalars.first(where: { $0 != "`" && $0 != "!" }) else { return noun }
    if noun.hasPrefix("`"), noun.hasSuffix("`") { return noun }
    if noun.hasPrefix("name of") { return "the " + noun }
    return ("aeiou".unicodeScalars.contains(first) ? "an " : "a ") + noun
  }
}

extension Keywords {
  /// The title, where it is a phrase for messages.
  var noun: String? {
    guard let title, let first = title.unicodeScalars.first, !first.properties.isUppercase else { return nil }
    return title
  }

  /// ` of at least 1`, ` from 0 up to, but not including, 1`; empty where there is no bound worth saying.
  var rangeWords: String {
    let low = minimum.map { ($0, false) } ?? exclusiveMinimum.map { ($0, true) }
    let high = maximum.map { ($0, false) } ?? exclusiveMaximum.map { ($0, true) }
    let lowWord = low.flatMap { Self.isWorthSaying($0.0) ? $0 : nil }
    let highWord = high.flatMap { Self.isWorthSaying($0.0) ? $0 : nil }
    switch (lowWord, highWord) {
    case (let (low, isExclusive)?, nil): return isExclusive ? " above \(low)" : " of at least \(low)"
    case (nil, let (high, isExclusive)?): return isExclusive ? " below \(high)" : " of at most \(high)"
    case (let (low, isAbove)?, let (high, isBelow)?):
      return (isAbove ? " above \(low)" : " from \(low)")
        + (isBelow ? " up to, but not including, \(high)" : " to \(high)")
    case (nil, nil): return ""
    }
  }

  /// Bounds that only keep a number finite or countable are not worth a word.
  private static func isWorthSaying(_ bound: SchemaNumber) -> Bool {
    abs(bound.doubleValue) < 0x1p30
  }
}

extension Node {
  /// The value for a message, in backticks.
  var quoted: String {
    switch content {
    case .scalar(let scalar):
      let text = scalar.text.unicodeScalars
      return text.count > 60 ? "`\(String(text.prefix(57)))...`" : "`\(scalar.text)`"
    case .sequence, .numbers: return "a certain list"
    case .mapping: return "a certain mapping"
    }
  }

  /// What was found, for a message.
  var found: String {
    if isNull, scalar?.text.isEmpty == true { return "nothing" }
    if isList, numbers?.shape.count ?? 1 == 1, elementCount > 0 {
      return elementCount == 1 ? "a list of 1 item" : "a list of \(elementCount) items"
    }
    return kindName
  }
}
