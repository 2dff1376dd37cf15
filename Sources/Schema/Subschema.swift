import Diagnostics
import YAML

/// One schema within a schema document; its keywords are read when they are first needed.
final class Subschema {
  /// The schema's text: a mapping, or `true` or `false`.
  let node: Node
  /// The document that it stands in, for places.
  let source: SourceText
  /// The URI that its references are relative to.
  let base: String
  private var compiled: Keywords?

  init(node: Node, source: SourceText, base: String) {
    self.node = node
    self.source = source
    self.base = base
  }

  var isCompiled: Bool { compiled != nil }

  func keywords(_ library: SchemaLibrary) -> Keywords {
    if let compiled { return compiled }
    let keywords = Keywords(self, library)
    compiled = keywords
    return keywords
  }

  func forgetKeywords() { compiled = nil }
}

/// What `items` holds.
enum ItemsKeyword {
  case every(Subschema)
  case each([Subschema])
}

/// What a key of `dependencies` asks for.
enum DependencyKeyword {
  case keys([String])
  case schema(Subschema)
}

/// The keywords of a schema, ready to be checked.
final class Keywords {
  /// `true` or `false` as a schema.
  var constant: Bool?
  var reference: Subschema?

  var title: String?
  var description: String?

  var types: JSONType?
  var enumeration: ValueSet?
  var const: ValueSet?
  var minimum: SchemaNumber?
  var exclusiveMinimum: SchemaNumber?
  var maximum: SchemaNumber?
  var exclusiveMaximum: SchemaNumber?
  var multipleOf: SchemaNumber?

  var minLength: Int?
  var maxLength: Int?
  var pattern: RegularExpression?
  var isBase64 = false

  var items: ItemsKeyword?
  var additionalItems: Subschema?
  var minItems: Int?
  var maxItems: Int?
  var uniqueItems = false
  var contains: Subschema?

  var properties: [String: Subschema] = [:]
  /// The keys of `properties` as the schema lists them.
  var propertyNamesInOrder: [String] = []
  var patternProperties: [(pattern: RegularExpression, schema: Subschema)] = []
  var additionalProperties: Subschema?
  var propertyNames: Subschema?
  var required: [String] = []
  var minProperties: Int?
  var maxProperties: Int?
  var dependencies: [(key: String, needs: DependencyKeyword)] = []

  var allOf: [Subschema] = []
  var anyOf: Alternatives?
  var oneOf: Alternatives?
  var not: Subschema?
  var condition: Subschema?
  var consequence: Subschema?
  var alternative: Subschema?

  /// Whether a number, and whether a list, could fail by what it holds and not only by what it is; worked out on demand.
  var readsNumbers: (values: Bool, integrality: Bool)?

  /// Schemas that apply to the very same value.
  var inPlace: [Subschema] {
    var all = allOf + (anyOf?.branches ?? []) + (oneOf?.branches ?? [])
    for schema in [reference, not, condition, consequence, alternative] {
      if let schema { all.append(schema) }
    }
    for case (_, .schema(let schema)) in dependencies { all.append(schema) }
    return all
  }

  /// Schemas that apply to items, values and keys.
  var descendants: [Subschema] {
    var all = Array(properties.values) + patternProperties.map(\.schema)
    switch items {
    case .every(let schema)?: all.append(schema)
    case .each(let schemas)?: all += schemas
    case nil: break
    }
    for schema in [additionalItems, contains, additionalProperties, propertyNames] {
      if let schema { all.append(schema) }
    }
    return all
  }

  init(_ schema: Subschema, _ library: SchemaLibrary) {
    if let value = schema.node.boolean {
      constant = value
      return
    }
    guard let entries = schema.node.entries else {
      library.report(.invalidSchema, "a schema is a mapping, or `true` or `false`", at: schema.node, in: schema)
      return
    }
    title = schema.node["title"]?.string
    description = schema.node["description"]?.string
    // In draft-07 everything beside `$ref` is ignored; title and description still tell an author what is meant.
    if let reference = schema.node["$ref"] {
      self.reference = library.resolve(reference, in: schema)
      return
    }
    for entry in entries {
      read(entry, KeywordReader(schema: schema, library: library, value: entry.value))
    }
  }

  private func read(_ entry: Node.Entry, _ reader: KeywordReader) {
    switch entry.key {
    case "type": types = reader.types()
    case "enum": enumeration = ValueSet(entry.value.schemaItems(reader.schema.source) ?? [])
    case "const": const = ValueSet([entry.value])
    case "minimum": minimum = entry.value.schemaNumber
    case "exclusiveMinimum": exclusiveMinimum = entry.value.schemaNumber
    case "maximum": maximum = entry.value.schemaNumber
    case "exclusiveMaximum": exclusiveMaximum = entry.value.schemaNumber
    case "multipleOf": multipleOf = entry.value.schemaNumber
    case "minLength": minLength = reader.count
    case "maxLength": maxLength = reader.count
    case "pattern": pattern = reader.pattern(entry.value.string ?? "", at: entry.value.range)
    case "contentEncoding": isBase64 = entry.value.string == "base64"
    case "items":
      items = entry.value.isList ? .each(reader.schemas()) : .every(reader.child(entry.value))
    case "additionalItems": additionalItems = reader.child(entry.value)
    case "minItems": minItems = reader.count
    case "maxItems": maxItems = reader.count
    case "uniqueItems": uniqueItems = entry.value.boolean ?? false
    case "contains": contains = reader.child(entry.value)
    case "properties":
      propertyNamesInOrder = entry.value.entries?.map(\.key) ?? []
      properties = Dictionary(reader.namedSchemas(), uniquingKeysWith: { first, _ in first })
    case "patternProperties":
      patternProperties =
        entry.value.entries?.compactMap { pair in
          reader.pattern(pair.key, at: pair.keyRange).map { ($0, reader.child(pair.value)) }
        } ?? []
    case "additionalProperties": additionalProperties = reader.child(entry.value)
    case "propertyNames": propertyNames = reader.child(entry.value)
    case "required": required = entry.value.schemaItems(reader.schema.source)?.compactMap(\.string) ?? []
    case "minProperties": minProperties = reader.count
    case "maxProperties": maxProperties = reader.count
    case "dependencies":
      dependencies =
        entry.value.entries?.map { pair in
          if pair.value.isList {
            return (pair.key, .keys(pair.value.schemaItems(reader.schema.source)?.compactMap(\.string) ?? []))
          }
          return (pair.key, .schema(reader.child(pair.value)))
        } ?? []
    case "allOf": allOf = reader.schemas()
    case "anyOf": anyOf = Alternatives(reader.schemas())
    case "oneOf": oneOf = Alternatives(reader.schemas())
    case "not": not = reader.child(entry.value)
    case "if": condition = reader.child(entry.value)
    case "then": consequence = reader.child(entry.value)
    case "else": alternative = reader.child(entry.value)
    case "definitions", "$id", "$schema", "$comment", "title", "description", "default", "examples", "readOnly",
      "writeOnly", "format", "contentMediaType":
      break
    default: reader.library.noteUnknown(entry, in: reader.schema)
    }
  }
}

/// Reads the value of one keyword.
struct KeywordReader {
  let schema: Subschema
  let library: SchemaLibrary
  let value: Node

  var count: Int? { value.schemaNumber?.count }

  func child(_ node: Node) -> Subschema { library.subschema(node, within: schema) }

  func schemas() -> [Subschema] { value.schemaItems(schema.source)?.map(child) ?? [] }

  func namedSchemas() -> [(String, Subschema)] { value.entries?.map { ($0.key, child($0.value)) } ?? [] }

  func types() -> JSONType? {
    let names = value.string.map { [$0] } ?? value.schemaItems(schema.source)?.compactMap(\.string) ?? []
    return names.reduce(into: JSONType()) { types, name in types.formUnion(JSONType(name: name) ?? []) }
  }

  func pattern(_ text: String, at range: SourceRange) -> RegularExpression? {
    do {
      return try library.expression(text)
    } catch {
      library.report(
        .schemaPattern, "the pattern `\(text)` cannot be used: \(error.message)", at: range, in: schema)
      return nil
    }
  }
}

extension Node {
  /// The items of a list in a schema, packed or not.
  func schemaItems(_ source: SourceText) -> [Node]? {
    if case .sequence(let items) = content { return items }
    return items(in: source)
  }
}
