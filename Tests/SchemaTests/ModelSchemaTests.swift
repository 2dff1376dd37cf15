import Diagnostics
import Foundation
import Testing
import YAML

@testable import Schema

@Suite("The schema of model files")
struct ModelSchemaTests {
  private static func schemaDocument() -> ParsedDocument {
    JSONDocument.parse(source: SourceText(name: "nnrun-1.schema.json", bytes: ModelSchema.bytes))
  }

  @Test("is a valid draft-07 schema of which every reference leads somewhere")
  func isValid() throws {
    #expect(throws: Never.self) { try CompiledSchema.compile(Self.schemaDocument()) }
  }

  @Test("is small enough to be read at every start")
  func isSmall() {
    #expect(ModelSchema.bytes.count < 46_000)
  }

  @Test("is the same when its definitions are read one by one")
  func definitions() throws {
    let document = Self.schemaDocument()
    let whole = try document.validRoot()
    let text = SoundJSON(source: document.source, leavingOut: "definitions")
    let root = try #require(text.root)
    #expect(root.entries?.map(\.key) == whole.entries?.map(\.key).filter { $0 != "definitions" })
    for entry in root.entries ?? [] {
      #expect(Instance.node(entry.value).isEqual(to: .node(try #require(whole[entry.key]))), "\(entry.key)")
    }
    for entry in try #require(whole["definitions"]?.entries) {
      let part = try #require(text.part(entry.key))
      #expect(part.range == entry.value.range && Instance.node(part).isEqual(to: .node(entry.value)), "\(entry.key)")
    }
    #expect(text.part("conv3d") == nil)
  }

  @Test("explains every key: title, description, and an example or its only value")
  func explainsKeys() throws {
    let root = try Self.schemaDocument().validRoot()
    let source = SourceText(name: "", bytes: [])
    var pending: [(node: Node, path: String)] = [(root, "#")]
    var keys = 0
    while let (node, path) = pending.popLast() {
      for entry in node.entries ?? [] where !["examples", "default", "if", "then", "else"].contains(entry.key) {
        pending.append((entry.value, path + "/" + entry.key))
        guard entry.key == "properties" else { continue }
        // What `if` tests is explained where the key itself stands.
        if node["additionalProperties"] == nil, node["title"] == nil { continue }
        for property in entry.value.entries ?? [] {
          keys += 1
          var schema = property.value
          var found = Set(schema.entries?.map(\.key) ?? [])
          while let name = schema["$ref"]?.string, let target = root["definitions"]?[String(name.dropFirst(14))] {
            schema = target
            found.formUnion(schema.entries?.map(\.key) ?? [])
          }
          #expect(found.isSuperset(of: ["title", "description"]), "\(path)/\(property.key)")
          #expect(!found.isDisjoint(with: ["examples", "const", "enum", "allOf"]), "\(path)/\(property.key)")
        }
      }
      for (index, item) in (node.items(in: source) ?? []).enumerated() { pending.append((item, "\(path)/\(index)")) }
    }
    #expect(keys > 100)
  }

  @Test("gives the verdicts that are written down", arguments: ["valid", "invalid", "asserts-binary"])
  func verdicts(section: String) throws {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Fixtures/schema-verdicts.yaml")
    let source = SourceText(name: "schema-verdicts.yaml", bytes: [UInt8](try Data(contentsOf: url)))
    let root = try YAMLDocument.parse(source: source).validRoot()
    let models = try #require(root[section]?.items(in: source))
    for model in models {
      let found = ModelSchema.validate(model, source: source)
      #expect(
        found.isEmpty == (section == "valid"),
        "\(DiagnosticRenderer().render(found)) line \(model.place(in: source).start.line)")
    }
  }

  @Test("allows every model that the project holds")
  func models() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("models")
    let paths = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
    let models = paths.filter { $0.hasSuffix(".yaml") }
    #expect(!models.isEmpty)
    for path in models {
      let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(path)))
      let document = YAMLDocument.parse(source: SourceText(name: path, bytes: bytes))
      let found = try ModelSchema.validate(document.validRoot(), source: document.source)
      #expect(found.isEmpty, "\(DiagnosticRenderer().render(found))")
    }
  }

  private static let head = "nnrun: 1\ninputs: {x: {shape: [N, 2]}}\n"

  @Test(
    "says what is wrong with a layer",
    arguments: [
      ("{name: a, type: ⟦conv2⟧}", ["unknown-value: unknown layer type `conv2`: did you mean `conv2d`?"]),
      ("{name: a, type: ⟦transformer⟧}", ["unknown-value: expected `conv2d`, `relu`, `residual`"]),
      ("{name: a, type: relu, ⟦inputs⟧: x}", ["unknown-key: did you mean `input`?"]),
      (
        "⟦⟦{⟧⟧name: a, type: conv2d, ⟦pading⟧: 1}",
        ["missing-key: `filters`", "missing-key: `kernel`", "unknown-key: did you mean `padding`?"]
      ),
      ("⟦{⟧type: relu}", ["missing-key: missing key `name`"]),
      ("⟦{⟧name: a}", ["missing-key: without `type`, `block` is needed"]),
      (
        "{name: ⟦1a⟧, type: relu}",
        ["pattern-mismatch: `1a` is not a layer name: expected a letter or `_`, then letters"]
      ),
      ("{name: ⟦3⟧, type: relu}", ["wrong-type: expected a layer name for `name`"]),
      ("{name: ⟦outer⟧, type: relu}", ["not-allowed: `outer` names what the owner"]),
      (
        "{name: a, type: conv2d, filters: ⟦0⟧, kernel: ⟦abc⟧}",
        [
          "out-of-range: `filters` must be at least 1, found 0",
          "wrong-type: expected an integer of at least 1 or a list [height, width] for `kernel`",
        ]
      ),
      (
        "{name: a, type: conv2d, filters: 1, kernel: [3, ⟦0⟧], padding: ⟦[1, 2, 3]⟧}",
        [
          "out-of-range: item 2 of `kernel`",
          "wrong-type: a list [height, width] or [top, left, bottom, right] for `padding`, found a list of 3",
        ]
      ),
      (
        "{name: a, type: conv2d, filters: 1, kernel: 1, padding: ⟦smae⟧}",
        ["unknown-value: unknown padding `smae`: did you mean `same`?"]
      ),
      (
        "{name: a, type: conv2d, filters: 1, kernel: 1, bias: ⟦no⟧}",
        ["wrong-type: `no` is a string in YAML 1.2: write `false`"]
      ),
      (
        "{name: a, type: dense, units: 1, weight: ⟦\"0.5\"⟧}",
        ["wrong-type: expected a number, a list of numbers, a `!!binary` value, an array in a file"]
      ),
      (
        "{name: a, type: dense, units: 1, weight: [[1, ⟦x⟧]]}",
        ["wrong-type: expected a number or a list of numbers for item 2 of item 1 of `weight`"]
      ),
      ("{name: a, type: dense, units: 1, weight: {file: ⟦a.bin⟧}}", ["pattern-mismatch: `a.bin` is not an array file"]),
      ("{name: a, type: dense, units: 1, weight: {file: a.npy, ⟦key⟧: b}}", ["not-allowed: so it takes no `key`"]),
      (
        "{name: a, type: dense, units: 1, weight: {init: ⟦he-norml⟧}}",
        ["unknown-value: unknown initialisation `he-norml`: did you mean `he-normal`?"]
      ),
      (
        "{name: a, type: dense, units: 1, weight: {init: ones, ⟦scale⟧: 2}}",
        ["not-allowed: only `normal` and `uniform` take a `scale`"]
      ),
      (
        "{name: a, type: residual, body: [{name: b, type: dense, units: ⟦-1⟧}], activation: ⟦rel⟧}",
        ["out-of-range: `units`", "unknown-value: unknown activation `rel`: did you mean `relu`?"]
      ),
      ("{name: a, type: batchnorm, statistics: batch, ⟦mean⟧: 0}", ["not-allowed: there is no running mean"]),
      ("{name: a, type: add, input: ⟦x⟧}", ["wrong-type: expected a list of two names or more for `input`"]),
      ("{name: a, block: b, repeat: ⟦0⟧}", ["out-of-range: `repeat` must be at least 1"]),
      ("⟦relu⟧", ["wrong-type: expected a layer for item 1 of `layers`, found the string \"relu\""]),
      ("{name: a, type: dropout, rate: ⟦1⟧}", ["out-of-range: `rate` must be below 1, found 1"]),
    ])
  func layers(layer: String, expected: [String]) {
    expectDiagnostics(Self.head + "layers: [\(layer)]\n", expected) { document in
      document.root.map { ModelSchema.validate($0, source: document.source) } ?? []
    }
  }

  @Test(
    "says what is wrong with the rest of a model",
    arguments: [
      ("training:⟦⟧\nname: a", ["wrong-type: expected a mapping for `training`, found nothing"]),
      ("training: {⟦epoch⟧: 3}", ["unknown-key: did you mean `epochs`?"]),
      ("training: {optimizer: {type: ⟦sdg⟧}}", ["unknown-value: unknown optimizer `sdg`: did you mean `sgd`?"]),
      (
        "training: {optimizer: ⟦{⟧type: sgd, nesterov: true}}",
        ["missing-key: nesterov momentum needs a momentum above 0"]
      ),
      ("training: {learning-rate: ⟦{⟧type: step, initial: 1, every: 2}}", ["missing-key: `factor`"]),
      ("training: {learning-rate: ⟦.inf⟧}", ["out-of-range: `learning-rate` must be a finite number, found .inf"]),
      ("training: {batch-size: ⟦big⟧}", ["wrong-type: expected an integer of at least 1 or `full` for `batch-size`"]),
      ("tests: [⟦{⟧name: a}]", ["missing-key: expected `inputs` with `outputs`, `train` or `counts`"]),
      ("tests: [⟦{⟧inputs: {x: 1}}]", ["missing-key: `outputs`"]),
      ("version: ⟦1.2⟧", ["wrong-type: put it in quotes: \"1.2\""]),
      ("dtype: ⟦float23⟧", ["unknown-value: unknown number type `float23`: did you mean `float32`?"]),
      ("outputs: [a, ⟦a⟧, ⟦b c⟧]", ["duplicate-item", "pattern-mismatch: `b c` is not a path"]),
      ("⟦laers⟧: []", ["unknown-key: did you mean `layers`?"]),
    ])
  func sections(section: String, expected: [String]) {
    expectDiagnostics(Self.head + "layers: [{name: a, type: relu}]\n" + section + "\n", expected) { document in
      document.root.map { ModelSchema.validate($0, source: document.source) } ?? []
    }
  }

  @Test("checks a list of layers by itself")
  func layerLists() {
    expectDiagnostics("- {name: a, type: relu}\n- {name: b, type: dense, units: ⟦0⟧}\n", ["out-of-range: `units`"]) {
      document in document.root.map { ModelSchema.validateLayers($0, source: document.source) } ?? []
    }
  }

  @Test("lets a million weights pass as fast as one")
  func manyWeights() throws {
    let row = "[" + Array(repeating: "0.25", count: 1_000).joined(separator: ", ") + "]"
    let rows = Array(repeating: row, count: 300).joined(separator: ",\n")
    let text = Self.head + "layers:\n  - {name: a, type: dense, weight: [\(rows)]}\n"
    let document = YAMLDocument.parse(source: SourceText(name: "wide.yaml", bytes: Array(text.utf8)))
    let root = try document.validRoot()
    let duration = ContinuousClock().measure {
      #expect(ModelSchema.validate(root, source: document.source).isEmpty)
    }
    #expect(duration < .milliseconds(500))
  }
}
