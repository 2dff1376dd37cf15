import Diagnostics
import Testing
import YAML

@testable import Schema

@Suite("A document against a schema")
struct SchemaDiagnosticsTests {
  private static func schema(_ text: String) -> ParsedDocument {
    YAMLDocument.parse(source: SourceText(name: "schema.yaml", bytes: Array(text.utf8)))
  }

  @Test(
    "says what is wrong with a value at its place",
    arguments: [
      ("{type: integer}", "⟦x⟧", ["wrong-type: expected an integer for the document, found the string \"x\""]),
      ("{type: integer}", "1.0", []),
      ("{type: [string, 'null']}", "⟦[]⟧", ["wrong-type: expected a string or `null`"]),
      ("{properties: {a: {type: string}}}", "a: ⟦1.5⟧", ["wrong-type: put it in quotes: \"1.5\""]),
      ("{properties: {a: {type: boolean}}}", "a: ⟦yes⟧", ["wrong-type: write `true`"]),
      ("{properties: {a: {type: number}}}", "a: ⟦'3'⟧", ["wrong-type: what stands in quotes is a string"]),
      ("{properties: {a: {type: object}}}", "a:⟦⟧\nb: 1", ["wrong-type: found nothing"]),
      ("{properties: {a: {enum: [left, right]}}}", "a: ⟦lefft⟧", ["unknown-value: did you mean `left`?"]),
      ("{properties: {a: {enum: [left, right]}}}", "a: ⟦up⟧", ["unknown-value: expected `left` or `right`"]),
      ("{properties: {a: {const: 3}}}", "a: ⟦4⟧", ["unknown-value: `a` must be `3`, found the number 4"]),
      ("{properties: {a: {const: 3}}}", "a: ⟦b⟧", ["wrong-type: expected `3`"]),
      ("{items: {minimum: 2, maximum: 3}}", "[⟦1⟧, 2, ⟦4⟧]", ["out-of-range: at least 2", "out-of-range: at most 3"]),
      (
        "{items: {exclusiveMinimum: 0, exclusiveMaximum: 1}}", "[⟦0⟧, ⟦1⟧]",
        ["out-of-range: above 0", "out-of-range: below 1"]
      ),
      ("{minimum: 0}", "⟦.nan⟧", ["out-of-range: must be a finite number, found .nan"]),
      ("{multipleOf: 0.01}", "⟦0.075⟧", ["out-of-range: a multiple of 0.01"]),
      (
        "{items: {minLength: 2, maxLength: 3}}", "[⟦é⟧, ⟦abcd⟧]",
        ["wrong-count: at least 2 characters, found 1", "wrong-count: at most 3"]
      ),
      ("{pattern: '^a'}", "⟦b⟧", ["pattern-mismatch: does not match the pattern `^a`"]),
      (
        "{title: word, description: Small letters., pattern: '^[a-z]+$'}", "⟦B⟧",
        ["pattern-mismatch: `B` is not a word: expected small letters"]
      ),
      ("{minItems: 1}", "⟦[]⟧", ["wrong-count: must not be empty"]),
      ("{minItems: 2, maxItems: 2}", "⟦[1]⟧", ["wrong-count: exactly 2 items, found 1"]),
      ("{uniqueItems: true}", "[1, [2], ⟦[2.0]⟧]", ["duplicate-item: item 3 of the document repeats item 2"]),
      ("{contains: {type: string}}", "⟦[1, 2]⟧", ["missing-item: must contain a string"]),
      (
        "{items: [{type: integer}], additionalItems: {type: string}}", "[⟦a⟧, b, ⟦1⟧]",
        ["wrong-type: an integer", "wrong-type: item 3"]
      ),
      ("{maxProperties: 1}", "⟦{a: 1, b: 2}⟧", ["wrong-count: at most 1 entry, found 2"]),
      ("{required: [a, b]}", "⟦⟦c⟧⟧: 1", ["missing-key: missing key `a`", "missing-key: missing key `b`"]),
      (
        "{properties: {padding: true}, additionalProperties: false}", "{⟦pading⟧: 1}",
        ["unknown-key: did you mean `padding`?"]
      ),
      (
        "{properties: {a: true, b: true}, additionalProperties: false}", "{⟦xyz⟧: 1}",
        ["unknown-key: the keys known here are `a` or `b`"]
      ),
      ("{propertyNames: {maxLength: 2}}", "⟦abc⟧: 1", ["wrong-count: the key `abc` must have at most 2 characters"]),
      ("{patternProperties: {'^x-': {type: string}}}", "x-a: ⟦1⟧", ["wrong-type"]),
      ("{properties: {a: false}}", "⟦a⟧: 1", ["not-allowed: `a` is not allowed here"]),
      ("{not: {type: string}}", "⟦a⟧", ["not-allowed"]),
      ("{not: {type: string, description: No text here.}}", "⟦a⟧", ["not-allowed: no text here"]),
      ("{dependencies: {a: [b]}}", "⟦a⟧: 1", ["missing-key: missing key `b`, which `a` needs"]),
      ("{dependencies: {a: {required: [c]}}}", "⟦a⟧: 1", ["missing-key: `c`"]),
      ("{if: {required: [a]}, then: {required: [b]}, else: {required: [c]}}", "⟦a⟧: 1", ["missing-key: `b`"]),
      ("{if: {required: [a]}, then: {required: [b]}, else: {required: [c]}}", "⟦d⟧: 1", ["missing-key: `c`"]),
      (
        "{allOf: [{minimum: 2}, {multipleOf: 2}]}", "⟦⟦1⟧⟧",
        ["out-of-range: at least 2", "out-of-range: multiple of 2"]
      ),
      ("{oneOf: [{minimum: 1}, {minimum: 2}]}", "⟦3⟧", ["ambiguous-value: fits two forms"]),
    ])
  func places(schema: String, document: String, expected: [String]) {
    expectDiagnostics(document, expected) { SchemaCheck.validate([$0], schema: Self.schema(schema)).droppingText($0) }
  }

  @Test(
    "reports the branch that was meant",
    arguments: [
      ("{anyOf: [{type: integer, minimum: 1}, {type: string, pattern: '^\\$'}]}", "⟦0⟧", ["out-of-range: at least 1"]),
      (
        "{anyOf: [{type: integer, minimum: 1}, {type: string, pattern: '^\\$'}]}", "⟦a⟧",
        ["wrong-type: expected an integer of at least 1 for"]
      ),
      ("{anyOf: [{type: integer}, {enum: [same]}]}", "⟦smae⟧", ["unknown-value: did you mean `same`?"]),
      ("{anyOf: [{type: integer}, {enum: [same]}]}", "⟦foo⟧", ["wrong-type: expected an integer or `same`"]),
      (
        "{anyOf: [{type: integer}, {type: array, items: {type: integer}}]}", "[1, ⟦a⟧]",
        ["wrong-type: an integer for item 2"]
      ),
      ("{anyOf: [{required: [a]}, {required: [b]}]}", "⟦c⟧: 1", ["missing-key: expected `a` or `b`"]),
      (
        "{oneOf: [{properties: {t: {const: one}, a: {type: integer}}}, {properties: {t: {const: two}, b: {type: integer}}}]}",
        "{t: two, b: ⟦x⟧}", ["wrong-type: an integer for `b`"]
      ),
      (
        "{oneOf: [{properties: {t: {title: Kind, const: one}}}, {properties: {t: {const: two}}}]}",
        "{t: ⟦twoo⟧}", ["unknown-value: unknown kind `twoo`: did you mean `two`?"]
      ),
      (
        "{oneOf: [{required: [t], properties: {t: {const: one}}}, {required: [t], properties: {t: {enum: [two]}}}]}",
        "⟦{⟧}", ["missing-key: `t` is one of `one` or `two`"]
      ),
    ])
  func branches(schema: String, document: String, expected: [String]) {
    expectDiagnostics(document, expected) { SchemaCheck.validate([$0], schema: Self.schema(schema)).droppingText($0) }
  }

  @Test(
    "says what is wrong with the schema itself, at its place",
    arguments: [
      ("{⟦tpye⟧: string}", ["unknown-keyword: did you mean `type`?"]),
      ("{⟦$defs⟧: {a: true}}", ["unknown-keyword"]),
      ("{$defs: {a: true}, properties: {b: {$ref: '#/$defs/a'}}}", []),
      ("{type: ⟦strin⟧}", ["unknown-value: did you mean `string`?"]),
      ("{minimum: ⟦a⟧}", ["wrong-type: a number"]),
      ("{multipleOf: ⟦0⟧}", ["out-of-range"]),
      ("{pattern: ⟦'(?=a)'⟧}", ["schema-pattern: look-ahead is not supported"]),
      ("{patternProperties: {⟦'['⟧: true}}", ["schema-pattern: without its `]`"]),
      ("{$ref: ⟦'#/definitions/a'⟧}", ["schema-reference: leads to nothing"]),
      ("{$ref: ⟦'https://example.org/a.json'⟧}", ["schema-reference: never fetched"]),
      ("{$ref: 'http://json-schema.org/draft-07/schema#'}", []),
      ("⟦{$ref: '#'}⟧", ["endless-reference: without end"]),
      ("{$schema: ⟦'https://json-schema.org/draft/2020-12/schema'⟧}", ["unsupported-draft: only draft-07"]),
      ("⟦3⟧", ["wrong-type"]),
      ("true", []),
      ("{definitions: {a: {⟦minimun⟧: 1}}}", ["unknown-keyword: `minimum`"]),
      ("{format: anything, contentMediaType: text/plain, readOnly: true, examples: [1], $comment: x}", []),
    ])
  func schemas(schema: String, expected: [String]) {
    let instance = Self.schema("{}")
    expectDiagnostics(schema, expected) {
      SchemaCheck.validate([instance], schema: $0).filter { $0.place.source.name != "schema.yaml" }
    }
  }

  @Test("ends where a schema multiplies its own work")
  func explosion() {
    var text = "definitions:\n  a40: {type: object}\n"
    for level in 0..<40 {
      let next = "{$ref: '#/definitions/a\(level + 1)'}"
      text += "  a\(level): {allOf: [\(next), \(next)]}\n"
    }
    text += "$ref: '#/definitions/a0'\n"
    let found = SchemaCheck.validate([Self.schema("{}")], schema: Self.schema(text))
    #expect(found.map(\.code) == [.schemaTooComplex])
  }

  @Test("a schema that refers to itself is freed with the last that holds it")
  func circle() throws {
    weak var part: Subschema?
    do {
      let library = SchemaLibrary()
      let document = Self.schema("{properties: {a: {$ref: '#'}}}")
      let root = library.add(try document.validRoot(), source: document.source, uri: "")
      library.compileAll(root)
      part = root
      #expect(library.diagnostics.isEmpty)
    }
    #expect(part == nil)
  }

  @Test("ends where a schema multiplies the reasons")
  func manyReasons() {
    var text = "definitions:\n  a12: {type: integer}\n"
    for level in 0..<12 {
      let next = "{$ref: '#/definitions/a\(level + 1)'}"
      text += "  a\(level): {anyOf: [\(Array(repeating: next, count: 2).joined(separator: ", "))]}\n"
    }
    text += "$ref: '#/definitions/a0'\n"
    let found = SchemaCheck.validate([Self.schema("x")], schema: Self.schema(text))
    #expect(found.map(\.code).contains(.wrongType))
  }

  @Test("takes a chain of references up to a bound")
  func chain() {
    func schema(_ length: Int) -> ParsedDocument {
      let links = (0..<length).map { "  a\($0): {$ref: '#/definitions/a\($0 + 1)'}\n" }.joined()
      return Self.schema("definitions:\n\(links)  a\(length): {type: string}\n$ref: '#/definitions/a0'\n")
    }
    #expect(SchemaCheck.validate([Self.schema("a")], schema: schema(50)).isEmpty)
    #expect(SchemaCheck.validate([Self.schema("a")], schema: schema(5_000)).map(\.code).first == .endlessReference)
  }

  @Test("judges a million packed numbers without a node for each")
  func packed() throws {
    let numbers = Array(repeating: "0.5", count: 200_000).joined(separator: ", ")
    let text = "w: [\(numbers)]\nu: [\(numbers)]\n"
    let document = YAMLDocument.parse(source: SourceText(name: "big.yaml", bytes: Array(text.utf8)))
    let schema = try CompiledSchema.compile(
      Self.schema("{properties: {w: {items: {type: number}}, u: {uniqueItems: true, items: {enum: [0.5, 1]}}}}"))
    let found = try schema.validate(document.validRoot(), in: document.source)
    #expect(found.map(\.code) == [.duplicateItem])
  }
}

extension [Diagnostic] {
  /// Without those of the text itself, which the caller has already.
  fileprivate func droppingText(_ document: ParsedDocument) -> [Diagnostic] {
    Array(dropFirst(document.diagnostics.count))
  }
}
