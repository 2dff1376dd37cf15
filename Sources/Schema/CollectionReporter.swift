import Diagnostics
import YAML

extension Reporter {
  // MARK: Lists

  mutating func reportItems(_ node: Node, _ keywords: Keywords, _ context: Context) {
    let list = Instance.node(node)
    let count = list.count
    reportCount(count, keywords.minItems, keywords.maxItems, of: "item", at: node.range, context)
    if keywords.uniqueItems, let (first, second) = list.firstDuplicate {
      let notes = [DiagnosticNote("the first is here", at: place(ofItem: first, of: node))]
      add(
        .duplicateItem, "item \(second + 1) of \(context.label) repeats item \(first + 1)",
        at: place(ofItem: second, of: node).range, notes: notes)
    }
    switch keywords.items {
    case .every(let schema)?:
      if let packed = node.numbers, validator.isJudgedByKind(packed, schema) {
        if !validator.isValid(list.element(0), schema) { reportItem(0, of: node, schema, context) }
      } else {
        reportItems(Array(repeating: schema, count: count), of: node, from: 0, context)
      }
    case .each(let schemas)?:
      reportItems(Array(schemas.prefix(count)), of: node, from: 0, context)
      if let additional = keywords.additionalItems, count > schemas.count {
        reportItems(
          Array(repeating: additional, count: count - schemas.count), of: node, from: schemas.count, context)
      }
    case nil: break
    }
    if let contained = keywords.contains,
      !(0..<count).contains(where: { validator.isValid(list.element($0), contained) })
    {
      let phrase = expectation(for: node).phrase(contained) ?? "what the schema asks for"
      add(.missingItem, "\(context.label) must contain \(phrase)", at: node.range)
    }
  }

  private mutating func reportItems(_ schemas: [Subschema], of node: Node, from start: Int, _ context: Context) {
    let list = Instance.node(node)
    for (offset, schema) in schemas.enumerated() where diagnostics.count < Self.mostDiagnostics {
      if !validator.isValid(list.element(start + offset), schema) {
        reportItem(start + offset, of: node, schema, context)
      }
    }
  }

  private mutating func reportItem(_ index: Int, of node: Node, _ schema: Subschema, _ context: Context) {
    let itemContext = Context(label: "item \(index + 1) of \(context.label)")
    guard let item = item(index, of: node) else {
      let phrase = expectation(for: node).phrase(schema) ?? "other values"
      return add(.wrongType, "expected \(phrase) for every item of \(context.label)", at: node.range)
    }
    report(item, schema, itemContext)
  }

  /// The node of an item; nil in packed lists that are too long to be taken apart.
  private func item(_ index: Int, of node: Node) -> Node? {
    if case .sequence(let items) = node.content { return items[index] }
    guard let list = node.numbers, list.values.count <= Self.longList else { return nil }
    return node.items(in: source)?[index]
  }

  private func place(ofItem index: Int, of node: Node) -> SourcePlace {
    SourcePlace(source: source, range: item(index, of: node)?.range ?? node.range)
  }

  // MARK: Mappings

  mutating func reportEntries(_ node: Node, _ entries: [Node.Entry], _ keywords: Keywords, _ context: Context) {
    reportCount(entries.count, keywords.minProperties, keywords.maxProperties, of: "entry", at: node.range, context)
    for key in validator.missingKeys(keywords.required, in: entries) {
      reportMissing(key, of: node, keywords, because: "")
    }
    for entry in entries {
      let valueContext = Context(label: entry.key.label, keyRange: entry.keyRange)
      if let names = keywords.propertyNames {
        report(entry.keyNode, names, Context(label: "the key \(entry.key.label)"))
      }
      let schemas = validator.schemas(for: entry.key, keywords)
      let isKnown = keywords.properties[entry.key] != nil
      for schema in schemas {
        if !isKnown, schema === keywords.additionalProperties, schema.keywords(library).constant == false {
          reportUnknownKey(entry, of: node, keywords)
        } else {
          report(entry.value, schema, valueContext)
        }
      }
    }
    for (key, needs) in keywords.dependencies where node[key] != nil {
      switch needs {
      case .keys(let keys):
        for missing in validator.missingKeys(keys, in: entries) {
          reportMissing(missing, of: node, keywords, because: ", which \(key.label) needs")
        }
      case .schema(let schema): report(node, schema, context)
      }
    }
  }

  private mutating func reportMissing(_ key: String, of node: Node, _ keywords: Keywords, because reason: String) {
    var notes: [DiagnosticNote] = []
    if let description = keywords.properties[key].flatMap({ describe($0) }) {
      notes = [DiagnosticNote("\(key.label): \(Self.inSentence(Self.firstSentence(description)))")]
    } else if let description = keywords.description {
      notes = [DiagnosticNote(Self.inSentence(Self.firstSentence(description)))]
    }
    add(.missingKey, "missing key \(key.label)\(reason)", at: startOfMapping(node), notes: notes)
  }

  /// The description of a schema, or of what it refers to.
  private func describe(_ schema: Subschema) -> String? {
    let keywords = schema.keywords(library)
    return keywords.description ?? keywords.reference.flatMap { $0.keywords(library).description }
  }

  private mutating func reportUnknownKey(_ entry: Node.Entry, of node: Node, _ keywords: Keywords) {
    guard diagnostics.count < Self.mostDiagnostics else { return }
    let known = keywords.propertyNamesInOrder
    if let near = suggestion(for: entry.key, among: known) {
      add(.unknownKey, "unknown key \(entry.key.label): did you mean `\(near)`?", at: entry.keyRange)
    } else {
      let names = Expectation.joined(known.map { "`\($0)`" })
      let notes = known.isEmpty ? [] : [DiagnosticNote("the keys known here are \(names)")]
      add(.unknownKey, "unknown key \(entry.key.label)", at: entry.keyRange, notes: notes)
    }
  }

  /// The first key of a mapping, or its brace.
  func startOfMapping(_ node: Node) -> SourceRange {
    let start = node.range.start
    if let first = node.entries?.first, first.keyRange.start == start { return first.keyRange }
    return SourceRange(start: start, end: min(start + 1, max(node.range.end, start)))
  }
}

extension String {
  /// A key for a message, in backticks; long ones are cut.
  var label: String {
    unicodeScalars.count > 60 ? "`\(String(unicodeScalars.prefix(57)))...`" : "`\(self)`"
  }
}
