import Diagnostics
import YAML

extension Reporter {
  mutating func reportCombinations(_ node: Node, _ keywords: Keywords, _ context: Context) {
    for schema in keywords.allOf { report(node, schema, context) }
    if let anyOf = keywords.anyOf, validator.matches(.node(node), anyOf, upTo: 1).isEmpty {
      reportAlternatives(node, anyOf, context)
    }
    if let oneOf = keywords.oneOf {
      let matches = validator.matches(.node(node), oneOf, upTo: 2)
      if matches.isEmpty {
        reportAlternatives(node, oneOf, context)
      } else if matches.count > 1 {
        let phrases = expectation(for: node).phrases(matches.map { oneOf.branches[$0] })
        let detail = phrases.count == 2 ? ": \(phrases[0]) and \(phrases[1])" : ""
        add(.ambiguousValue, "\(context.label) fits two forms of which only one may fit\(detail)", at: node.range)
      }
    }
    if let not = keywords.not, validator.isValid(.node(node), not) {
      let refusal = not.keywords(library)
      let isUnconditional = refusal.constant == true || refusal.isEmpty
      var context = context
      if !isUnconditional { context.keyRange = nil }
      reportForbidden(
        node,
        reason: refusal.description ?? (isUnconditional ? nil : "\(context.label) must not be this value"), context)
    }
    if let branch = validator.branch(.node(node), keywords) { report(node, branch, context) }
  }

  /// Reports the branch that the author meant, or, where no branch is near, what could stand here.
  private mutating func reportAlternatives(_ node: Node, _ alternatives: Alternatives, _ context: Context) {
    let branches = alternatives.branches
    if let entries = node.entries, let discriminator = alternatives.discriminator(library) {
      return reportDiscriminated(node, entries, alternatives, discriminator, context)
    }
    var viable: [Subschema] = []
    for branch in branches where accepts(branch, node) { viable.append(branch) }
    if viable.isEmpty { return reportMismatch(node, phrase(branches, node), context) }
    if node.entries != nil { return reportByKeys(node, viable, context) }
    guard viable.count == 1, let only = viable.first else {
      return reportNearest(node, viable, of: branches, context)
    }
    if let text = node.string, let values = only.keywords(library).enumeration?.values,
      suggestion(for: text, among: values.compactMap(\.string)) == nil, branches.count > 1
    {
      return reportMismatch(node, phrase(branches, node), context)
    }
    report(node, only, context)
  }

  /// What could stand in place of `node`.
  private func phrase(_ branches: [Subschema], _ node: Node) -> String? {
    let phrases = expectation(for: node).phrases(branches)
    return phrases.isEmpty ? nil : Expectation.joined(phrases)
  }

  /// Whether a schema is meant for values of the node's kind.
  private mutating func accepts(_ schema: Subschema, _ node: Node, depth: Int = 0) -> Bool {
    validator.steps -= 1
    guard depth < 16, !validator.isExhausted else { return true }
    let keywords = schema.keywords(library)
    if let constant = keywords.constant { return constant }
    if let reference = keywords.reference { return accepts(reference, node, depth: depth + 1) }
    let type = Instance.node(node).type
    if let types = keywords.types, types.isDisjoint(with: type) { return false }
    if let values = keywords.const ?? keywords.enumeration,
      !values.values.contains(where: { Instance.node($0).type == type })
    {
      return false
    }
    if validator.assertsEncoding, keywords.isBase64, !node.isBinary { return false }
    if !expectation(for: node).isBegun(schema) { return false }
    for schema in keywords.allOf where !accepts(schema, node, depth: depth + 1) { return false }
    guard let nested = (keywords.anyOf ?? keywords.oneOf)?.branches else { return true }
    for branch in nested where accepts(branch, node, depth: depth + 1) { return true }
    return false
  }

  // MARK: Mappings told apart by a key

  private mutating func reportDiscriminated(
    _ node: Node, _ entries: [Node.Entry], _ alternatives: Alternatives, _ discriminator: Alternatives.Discriminator,
    _ context: Context
  ) {
    let others = discriminator.others.map { alternatives.branches[$0] }
    guard let value = node[discriminator.key] else {
      let wanted = Set(discriminator.branches.values.joined().flatMap { required(alternatives.branches[$0]) })
      let own = others.filter { branch in required(branch).contains { !wanted.contains($0) && node[$0] != nil } }
      if !own.isEmpty { return reportByKeys(node, own, context) }
      let values = Expectation.joined(discriminator.values.map { "`\($0)`" })
      var notes = [DiagnosticNote("\(discriminator.key.label) is one of \(values)")]
      for key in others.flatMap({ required($0) }) where !wanted.contains(key) {
        notes.append(DiagnosticNote("without \(discriminator.key.label), \(key.label) is needed"))
      }
      return add(
        .missingKey, "missing key \(discriminator.key.label)", at: startOfMapping(node), notes: notes)
    }
    guard !value.isErroneous else { return }
    var valueContext = Context(label: discriminator.key.label)
    valueContext.title = discriminator.title
    var meant = (value.string.flatMap { discriminator.branches[$0] } ?? []).map { alternatives.branches[$0] }
    for branch in others {
      guard let schema = library.body(branch).keywords(library).properties[discriminator.key] else { continue }
      if validator.isValid(.node(value), schema) { meant.append(branch) }
    }
    if meant.isEmpty {
      let known = discriminator.values.map { Node(range: value.range, content: .scalar(.init(text: $0))) }
      return reportUnknownValue(value, known, valueContext)
    }
    reportByKeys(node, meant, context)
  }

  private func required(_ schema: Subschema) -> [String] { library.body(schema).keywords(library).required }

  /// Reports the branch of which a mapping has the most keys.
  private mutating func reportByKeys(_ node: Node, _ branches: [Subschema], _ context: Context) {
    guard branches.count > 1 else { return branches.first.map { report(node, $0, context) } ?? () }
    let scores = branches.map { branch in
      let keywords = library.body(branch).keywords(library)
      let known = (node.entries ?? []).count { keywords.properties[$0.key] != nil }
      return (required: keywords.required.count { node[$0] != nil }, known: known)
    }
    guard let best = scores.max(by: { $0 < $1 }) else { return }
    let chosen = branches.indices.filter { scores[$0] == best }.map { branches[$0] }
    if chosen.count > 1, best.required == 0, chosen.allSatisfy({ !required($0).isEmpty }) {
      let words = chosen.map { required($0).map(\.label).joined(separator: " with ") }
      return add(.missingKey, "missing key: expected \(Expectation.joined(words))", at: startOfMapping(node))
    }
    reportNearest(node, chosen, of: branches, context)
  }

  /// Reports the branch with the fewest errors, or all that could stand here where no branch is nearer than another.
  private mutating func reportNearest(
    _ node: Node, _ viable: [Subschema], of branches: [Subschema], _ context: Context
  ) {
    let before = diagnostics
    var best: [Diagnostic]?
    var isTied = false
    for branch in viable.prefix(32) {
      diagnostics = []
      report(node, branch, context)
      if let current = best, diagnostics.count >= current.count {
        isTied = isTied || diagnostics.count == current.count
      } else {
        (best, isTied) = (diagnostics, false)
      }
    }
    diagnostics = before
    let chosen = best ?? []
    if isTied, node.entries == nil, chosen.allSatisfy({ $0.place.range == node.range }) {
      return reportMismatch(node, phrase(branches, node), context)
    }
    diagnostics += chosen
  }
}

extension Keywords {
  /// Whether the schema asks for nothing.
  var isEmpty: Bool {
    constant == nil && types == nil && enumeration == nil && const == nil && pattern == nil && properties.isEmpty
      && required.isEmpty && inPlace.isEmpty && descendants.isEmpty && !uniqueItems && multipleOf == nil
      && [minimum, maximum, exclusiveMinimum, exclusiveMaximum].allSatisfy { $0 == nil }
      && [minLength, maxLength, minItems, maxItems, minProperties, maxProperties].allSatisfy { $0 == nil }
      && dependencies.isEmpty && !isBase64
  }
}

extension Scalar {
  fileprivate init(text: String) {
    self.init(text: text, value: .string(text), isPlain: true, tag: nil)
  }
}
