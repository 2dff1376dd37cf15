import Diagnostics
import YAML

/// The schema documents that references may point into, and the schemas found in them.
final class SchemaLibrary {
  /// What is wrong with the schemas.
  private(set) var diagnostics: [Diagnostic] = []
  /// By identity, as a number, whose hashing the program looks up anyway: that takes longer than all of this.
  private var subschemas: [Int: Subschema] = [:]
  private var expressions: [String: RegularExpression] = [:]
  /// Schemas by URI: documents, and whatever has an `$id`.
  private var resources: [String: Subschema] = [:]
  /// Nodes that a pointer leads to or through: unknown keywords that hold them serve as definitions.
  private var pointedAt: Set<ObjectIdentifier> = []
  private var unknownKeywords: [(entry: Node.Entry, schema: Subschema)] = []
  /// The definitions that a document leaves out, and those of them that were asked for.
  private let leftOutDefinition: (String) -> Node?
  private var definitions: [String: Subschema] = [:]

  init(definition: @escaping (String) -> Node? = { _ in nil }) { leftOutDefinition = definition }

  // Schemas that refer to one another in a circle would keep themselves for ever.
  deinit { for schema in subschemas.values { schema.forgetKeywords() } }

  /// Adds a document under `uri` and everything in it that has an `$id`; its root.
  func add(_ root: Node, source: SourceText, uri: String) -> Subschema {
    let schema = subschema(root, source: source, base: uri)
    resources[uri] = schema
    resources[schema.base] = schema
    return schema
  }

  /// Finds every `$id` in a document, so that references reach it.
  func index(_ root: Subschema) {
    var pending = [root]
    while let schema = pending.popLast() {
      guard let entries = schema.node.entries, schema.node["$ref"] == nil else { continue }
      if let id = schema.node["$id"]?.string {
        let reference = URIReference(id)
        let anchor = reference.fragment.map { $0.isEmpty ? "" : "#\($0)" } ?? ""
        resources[schema.base + anchor] = schema
      }
      for entry in entries {
        switch entry.key {
        case "items", "additionalItems", "contains", "additionalProperties", "propertyNames", "not", "if", "then",
          "else", "allOf", "anyOf", "oneOf":
          let nodes = entry.value.schemaItems(schema.source) ?? [entry.value]
          pending += nodes.map { subschema($0, within: schema) }
        case "definitions", "properties", "patternProperties", "dependencies":
          pending += (entry.value.entries ?? []).map { subschema($0.value, within: schema) }
        default: break
        }
      }
    }
  }

  /// The schema that `node`, a part of `parent`, is.
  func subschema(_ node: Node, within parent: Subschema) -> Subschema {
    subschema(node, source: parent.source, base: parent.base)
  }

  private func subschema(_ node: Node, source: SourceText, base: String) -> Subschema {
    let identity = Int(bitPattern: ObjectIdentifier(node))
    if let known = subschemas[identity] { return known }
    let schema = Subschema(node: node, source: source, base: Self.base(of: node, within: base))
    subschemas[identity] = schema
    return schema
  }

  private static func base(of node: Node, within base: String) -> String {
    guard let id = node["$id"]?.string, node["$ref"] == nil, !id.hasPrefix("#") else { return base }
    return URIReference(id).resolved(against: URIReference(base)).withoutFragment
  }

  func expression(_ pattern: String) throws(PatternError) -> RegularExpression {
    if let known = expressions[pattern] { return known }
    let expression = try RegularExpression(pattern)
    expressions[pattern] = expression
    return expression
  }

  /// The schema that a chain of references beginning at `schema` ends in.
  func body(_ schema: Subschema) -> Subschema {
    var body = schema
    for _ in 0..<64 {
      guard body.node.entry("$ref") != nil, let target = body.keywords(self).reference else { break }
      body = target
    }
    return body
  }

  // MARK: References

  /// The definition of a name in a document, which may leave it out.
  func definition(_ name: String, of root: Subschema) -> Subschema? {
    if let known = definitions[name] { return known }
    if let node = root.node["definitions"]?[name] { return subschema(node, within: root) }
    let schema = leftOutDefinition(name).map { subschema($0, within: root) }
    definitions[name] = schema
    return schema
  }

  /// The schema that a `$ref` names; nil, with a diagnostic, where there is none.
  func resolve(_ reference: Node, in schema: Subschema) -> Subschema? {
    guard let text = reference.string else {
      report(.invalidSchema, "`$ref` must be a string", at: reference, in: schema)
      return nil
    }
    if text.hasPrefix("#/"), let resource = resources[schema.base], !text.utf8.contains(UInt8(ascii: "%")) {
      if let found = follow(text.utf8.dropFirst(), from: resource) { return found }
    }
    let target = URIReference(text).resolved(against: URIReference(schema.base))
    let uri = target.withoutFragment
    guard let resource = resources[uri] else {
      report(
        .schemaReference, "the reference `\(text)` leads to another document, and documents are never fetched",
        at: reference, in: schema)
      return nil
    }
    let fragment = target.fragment ?? ""
    if fragment.isEmpty { return resource }
    if fragment.hasPrefix("/"), let pointer = URIReference.decoded(fragment),
      let found = follow(pointer.utf8[...], from: resource)
    {
      return found
    }
    if let found = resources["\(uri)#\(fragment)"] { return found }
    report(.schemaReference, "the reference `\(text)` leads to nothing", at: reference, in: schema)
    return nil
  }

  /// The schema at a JSON pointer (RFC 6901) below `root`.
  private func follow(_ pointer: Substring.UTF8View, from root: Subschema) -> Subschema? {
    let prefix = "/definitions/"
    if pointer.starts(with: prefix.utf8), root.node.entry("definitions") == nil,
      let schema = definition(String(Substring(pointer).dropFirst(prefix.utf8.count)), of: root)
    {
      return schema
    }
    var current = root
    for token in pointer.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst() {
      guard let key = Self.unescaped(Substring(token)) else { return nil }
      let next: Node?
      if current.node.entries != nil {
        next = current.node[key]
      } else if let items = current.node.schemaItems(current.source), let index = Int(key),
        items.indices.contains(index)
      {
        next = items[index]
      } else {
        next = nil
      }
      guard let next else { return nil }
      pointedAt.insert(ObjectIdentifier(next))
      current = subschema(next, within: current)
    }
    return current
  }

  private static func unescaped(_ token: Substring) -> String? {
    guard token.utf8.contains(UInt8(ascii: "~")) else { return String(token) }
    var text = ""
    var isEscape = false
    for character in token {
      if isEscape {
        guard character == "0" || character == "1" else { return nil }
        text.append(character == "0" ? "~" : "/")
        isEscape = false
      } else if character == "~" {
        isEscape = true
      } else {
        text.append(character)
      }
    }
    return isEscape ? nil : text
  }

  // MARK: Diagnostics

  func report(_ code: DiagnosticCode, _ message: String, at node: Node, in schema: Subschema) {
    report(code, message, at: node.range, in: schema)
  }

  func report(_ code: DiagnosticCode, _ message: String, at range: SourceRange, in schema: Subschema) {
    guard diagnostics.count < Reporter.mostDiagnostics else { return }
    diagnostics.append(Diagnostic(code, message, at: SourcePlace(source: schema.source, range: range)))
  }

  func noteUnknown(_ entry: Node.Entry, in schema: Subschema) {
    unknownKeywords.append((entry, schema))
  }

  /// Reads every schema that `root` reaches, so that all that is wrong with them shows now.
  func compileAll(_ root: Subschema) {
    var pending = [root]
    var seen: Set<ObjectIdentifier> = []
    while let schema = pending.popLast() {
      guard seen.insert(ObjectIdentifier(schema)).inserted else { continue }
      let keywords = schema.keywords(self)
      pending += keywords.inPlace + keywords.descendants
      if schema.node["$ref"] == nil {
        pending += (schema.node["definitions"]?.entries ?? []).map { subschema($0.value, within: schema) }
      }
    }
    for (entry, schema) in unknownKeywords where !pointedAt.contains(ObjectIdentifier(entry.value)) {
      let hint = suggestion(for: entry.key, among: Self.keywordNames).map { ": did you mean `\($0)`?" } ?? ""
      report(
        .unknownKeyword, "`\(entry.key)` is not a keyword of JSON Schema draft-07\(hint)", at: entry.keyRange,
        in: schema)
    }
    checkDepth(root)
  }

  /// Finds schemas that apply themselves to the same value again, which would never end.
  private func checkDepth(_ root: Subschema) {
    enum Mark { case open, closed(height: Int) }
    var marks: [ObjectIdentifier: Mark] = [:]
    for start in subschemas.values.sorted(by: { $0.node.range.start < $1.node.range.start }) {
      var stack = [(schema: start, isDone: false)]
      while let (schema, isDone) = stack.popLast() {
        let identity = ObjectIdentifier(schema)
        guard schema.node.entries != nil else { continue }
        let children = schema.isCompiled ? schema.keywords(self).inPlace : []
        if isDone {
          var height = 0
          for child in children {
            if case .closed(let below)? = marks[ObjectIdentifier(child)] { height = max(height, below + 1) }
          }
          marks[identity] = .closed(height: height)
          if height == 100 {
            report(.endlessReference, "more than 100 schemas lead to one another here", at: schema.node, in: schema)
          }
          continue
        }
        if case .open? = marks[identity] { continue }
        if case .closed? = marks[identity] { continue }
        marks[identity] = .open
        stack.append((schema, true))
        for child in children {
          if case .open? = marks[ObjectIdentifier(child)] {
            report(
              .endlessReference, "this schema applies itself to the same value again, without end", at: schema.node,
              in: schema)
          } else {
            stack.append((child, false))
          }
        }
      }
    }
  }

  private static let keywordNames = [
    "type", "enum", "const", "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf", "minLength",
    "maxLength", "pattern", "contentEncoding", "contentMediaType", "items", "additionalItems", "minItems", "maxItems",
    "uniqueItems", "contains", "properties", "patternProperties", "additionalProperties", "propertyNames", "required",
    "minProperties", "maxProperties", "dependencies", "allOf", "anyOf", "oneOf", "not", "if", "then", "else",
    "definitions", "title", "description", "default", "examples", "readOnly", "writeOnly", "format", "$id", "$schema",
    "$ref", "$comment",
  ]
}
