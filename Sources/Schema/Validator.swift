import YAML

/// Decides whether values satisfy schemas, without a word about why not.
struct Validator {
  let library: SchemaLibrary
  /// Whether `contentEncoding: base64` asks for a `!!binary` scalar; else it is an annotation.
  let assertsEncoding: Bool
  /// How much work is left before a schema that multiplies itself is given up.
  var steps: Int
  private var depth = 0

  init(library: SchemaLibrary, assertsEncoding: Bool, steps: Int) {
    self.library = library
    self.assertsEncoding = assertsEncoding
    self.steps = steps
  }

  private static let maximumDepth = 2_000

  /// Whether the work became too much; every answer since then is "valid".
  var isExhausted: Bool { steps <= 0 }

  mutating func isValid(_ instance: Instance, _ schema: Subschema) -> Bool {
    let keywords = schema.keywords(library)
    if let constant = keywords.constant { return constant }
    steps -= 1
    depth += 1
    defer { depth -= 1 }
    if depth > Self.maximumDepth { steps = 0 }
    if isExhausted { return true }
    if case .node(let node) = instance, node.isErroneous { return true }
    if let reference = keywords.reference { return isValid(instance, reference) }

    let type = instance.type
    if let types = keywords.types, types.isDisjoint(with: type) { return false }
    if let enumeration = keywords.enumeration, !enumeration.contains(instance) { return false }
    if let const = keywords.const, !const.contains(instance) { return false }
    let isSound =
      switch type {
      case .integer, .fraction: numberIsValid(instance, keywords)
      case .string: stringIsValid(instance, keywords)
      case .array: listIsValid(instance, keywords)
      case .object: mappingIsValid(instance, keywords)
      default: true
      }
    return isSound && combinationsAreValid(instance, keywords)
  }

  // MARK: By type

  private func numberIsValid(_ instance: Instance, _ keywords: Keywords) -> Bool {
    guard let number = instance.numberValue else { return true }
    if let bound = keywords.minimum, number.compared(to: bound).map({ $0 >= 0 }) != true { return false }
    if let bound = keywords.maximum, number.compared(to: bound).map({ $0 <= 0 }) != true { return false }
    if let bound = keywords.exclusiveMinimum, number.compared(to: bound).map({ $0 > 0 }) != true { return false }
    if let bound = keywords.exclusiveMaximum, number.compared(to: bound).map({ $0 < 0 }) != true { return false }
    if let divisor = keywords.multipleOf, !number.isMultiple(of: divisor) { return false }
    return true
  }

  private mutating func stringIsValid(_ instance: Instance, _ keywords: Keywords) -> Bool {
    guard case .node(let node) = instance, let text = node.schemaString else { return true }
    if assertsEncoding, keywords.isBase64, !node.isBinary { return false }
    if keywords.minLength != nil || keywords.maxLength != nil {
      let length = text.unicodeScalars.count
      if let bound = keywords.minLength, length < bound { return false }
      if let bound = keywords.maxLength, length > bound { return false }
    }
    if let pattern = keywords.pattern, !pattern.matches(text, steps: &steps), !isExhausted { return false }
    return true
  }

  private mutating func listIsValid(_ instance: Instance, _ keywords: Keywords) -> Bool {
    let count = instance.count
    if let bound = keywords.minItems, count < bound { return false }
    if let bound = keywords.maxItems, count > bound { return false }
    if keywords.uniqueItems, instance.firstDuplicate != nil { return false }
    switch keywords.items {
    case .every(let schema)?:
      // Numbers that are judged by their kind alone are judged by the first.
      let checked = instance.packed.map { isJudgedByKind($0, schema) } == true ? min(count, 1) : count
      for index in 0..<checked where !isValid(instance.element(index), schema) { return false }
    case .each(let schemas)?:
      for (index, schema) in schemas.prefix(count).enumerated() where !isValid(instance.element(index), schema) {
        return false
      }
      if let additional = keywords.additionalItems, count > schemas.count {
        for index in schemas.count..<count where !isValid(instance.element(index), additional) { return false }
      }
    case nil: break
    }
    if let contained = keywords.contains {
      return (0..<count).contains { isValid(instance.element($0), contained) }
    }
    return true
  }

  private mutating func mappingIsValid(_ instance: Instance, _ keywords: Keywords) -> Bool {
    guard case .node(let node) = instance, let entries = node.entries else { return true }
    if let bound = keywords.minProperties, entries.count < bound { return false }
    if let bound = keywords.maxProperties, entries.count > bound { return false }
    guard keywords.required.isEmpty || missingKeys(keywords.required, in: entries).isEmpty else { return false }
    for entry in entries {
      for schema in schemas(for: entry.key, keywords) where !isValid(.node(entry.value), schema) { return false }
      if let names = keywords.propertyNames, !isValid(.node(entry.keyNode), names) { return false }
    }
    for (key, needs) in keywords.dependencies where entries.contains(where: { $0.key == key }) {
      switch needs {
      case .keys(let keys): if !missingKeys(keys, in: entries).isEmpty { return false }
      case .schema(let schema): if !isValid(instance, schema) { return false }
      }
    }
    return true
  }

  /// The schemas that the value under `key` must satisfy.
  mutating func schemas(for key: String, _ keywords: Keywords) -> [Subschema] {
    var found: [Subschema] = []
    if let schema = keywords.properties[key] { found.append(schema) }
    for (pattern, schema) in keywords.patternProperties where pattern.matches(key, steps: &steps) {
      found.append(schema)
    }
    if found.isEmpty, let additional = keywords.additionalProperties { found.append(additional) }
    return found
  }

  func missingKeys(_ keys: [String], in entries: [Node.Entry]) -> [String] {
    if keys.count * entries.count < 1_000 {
      return keys.filter { key in !entries.contains { $0.key == key } }
    }
    let present = Set(entries.map(\.key))
    return keys.filter { !present.contains($0) }
  }

  // MARK: Combinations

  private mutating func combinationsAreValid(_ instance: Instance, _ keywords: Keywords) -> Bool {
    for schema in keywords.allOf where !isValid(instance, schema) { return false }
    if let anyOf = keywords.anyOf, matches(instance, anyOf, upTo: 1).isEmpty { return false }
    if let oneOf = keywords.oneOf, matches(instance, oneOf, upTo: 2).count != 1, !isExhausted { return false }
    if let not = keywords.not, isValid(instance, not), !isExhausted { return false }
    if let branch = branch(instance, keywords), !isValid(instance, branch) { return false }
    return true
  }

  /// The first branches, at most `limit`, that `instance` satisfies.
  mutating func matches(_ instance: Instance, _ alternatives: Alternatives, upTo limit: Int) -> [Int] {
    var found: [Int] = []
    for index in alternatives.candidates(instance, library) where isValid(instance, alternatives.branches[index]) {
      found.append(index)
      if found.count == limit { break }
    }
    return found
  }

  /// What `if` leads to: `then`, `else` or nothing.
  mutating func branch(_ instance: Instance, _ keywords: Keywords) -> Subschema? {
    guard let condition = keywords.condition, keywords.consequence != nil || keywords.alternative != nil else {
      return nil
    }
    return isValid(instance, condition) ? keywords.consequence : keywords.alternative
  }

  // MARK: Packed lists

  /// Whether all numbers, or all rows, of a packed list get the same answer from `schema`.
  mutating func isJudgedByKind(_ list: NumberList, _ schema: Subschema) -> Bool {
    let keywords = schema.keywords(library)
    let reads: (values: Bool, integrality: Bool)
    if let known = keywords.readsNumbers {
      reads = known
    } else {
      reads = findNumberReaders(schema)
      keywords.readsNumbers = reads
    }
    return !reads.values && (list.isIntegral || !reads.integrality)
  }

  private func findNumberReaders(_ root: Subschema) -> (values: Bool, integrality: Bool) {
    var reads = (values: false, integrality: false)
    var pending = [root]
    var seen: Set<ObjectIdentifier> = []
    while let schema = pending.popLast(), !reads.values {
      guard seen.insert(ObjectIdentifier(schema)).inserted else { continue }
      let keywords = schema.keywords(library)
      reads.values =
        keywords.enumeration != nil || keywords.const != nil || keywords.minimum != nil || keywords.maximum != nil
        || keywords.exclusiveMinimum != nil || keywords.exclusiveMaximum != nil || keywords.multipleOf != nil
        || keywords.uniqueItems
      if let types = keywords.types, types.isSuperset(of: .integer), !types.isSuperset(of: .number) {
        reads.integrality = true
      }
      pending += keywords.inPlace
      switch keywords.items {
      case .every(let schema)?: pending.append(schema)
      case .each(let schemas)?: pending += schemas
      case nil: break
      }
      for schema in [keywords.additionalItems, keywords.contains] {
        if let schema { pending.append(schema) }
      }
    }
    return reads
  }
}

extension Node {
  var isBinary: Bool {
    if case .binary? = scalar?.value { true } else { false }
  }
}

extension Node.Entry {
  /// The key as a value of its own, for `propertyNames`.
  var keyNode: Node {
    Node(range: keyRange, content: .scalar(Scalar(text: key, value: .string(key), isPlain: true, tag: nil)))
  }
}
