import Diagnostics
import Foundation
import Testing
import YAML

@testable import Schema

/// Python's jsonschema, an implementation of draft-07 that others wrote, gives the verdicts that ours gives.
@Suite(
  "Python's jsonschema agrees",
  .enabled(if: Python.hasJSONSchema, "python3 has no jsonschema here; scripts/setup test installs it"))
struct PythonAgreementTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  @Test("on every model of the repository")
  func models() throws {
    let paths =
      FileManager.default.enumerator(atPath: Self.root.appending(path: "models").path)?
      .compactMap { $0 as? String } ?? []
    let models = try paths.filter { $0.hasSuffix(".yaml") }.sorted().map { path in
      let bytes = [UInt8](try Data(contentsOf: Self.root.appending(path: "models/\(path)")))
      return try YAMLDocument.parse(source: SourceText(name: path, bytes: bytes)).validRoot()
    }
    #expect(models.count > 50)
    #expect(try Self.verdicts(of: models) == models.map { _ in true })
  }

  @Test("on the models that are written down with their verdicts", arguments: ["valid", "invalid", "asserts-binary"])
  func verdicts(section: String) throws {
    let models = try Self.written(section)
    #expect(!models.isEmpty)
    for (model, verdict) in zip(models, try Self.verdicts(of: models)) {
      #expect(verdict == (section == "valid"), "\(Self.json(model))")
    }
  }

  @Test("on what the valid ones become when a value is exchanged, a key left out or one too many")
  func mutants() throws {
    let mutants = try Self.written("valid").flatMap(Self.mutants)
    #expect(mutants.count > 1000)
    let source = SourceText(name: "", bytes: [])
    var counts = [true: 0, false: 0]
    for (mutant, verdict) in zip(mutants, try Self.verdicts(of: mutants)) {
      #expect(ModelSchema.validate(mutant, source: source).isEmpty == verdict, "\(Self.json(mutant))")
      counts[verdict, default: 0] += 1
    }
    #expect(counts[true, default: 0] > 100)
    #expect(counts[false, default: 0] > 500)
  }

  private static func written(_ section: String) throws -> [Node] {
    let bytes = [UInt8](try Data(contentsOf: root.appending(path: "Tests/Fixtures/schema-verdicts.yaml")))
    let source = SourceText(name: "schema-verdicts.yaml", bytes: bytes)
    return try #require(try YAMLDocument.parse(source: source).validRoot()[section]?.items(in: source))
  }

  // MARK: Broken models

  private static let replacements: [Node.Content] = [
    .scalar(Scalar(text: "", value: .null, isPlain: true, tag: nil)),
    .scalar(Scalar(text: "relu", value: .string("relu"), isPlain: true, tag: nil)),
    .scalar(Scalar(text: "-1", value: .integer(-1), isPlain: true, tag: nil)),
    .scalar(Scalar(text: "1.5", value: .number(1.5), isPlain: true, tag: nil)),
    .sequence([]), .mapping([]),
  ]

  private static func mutants(of node: Node) -> [Node] {
    var results = replacements.map { Node(range: node.range, content: $0) }
    switch node.content {
    case .scalar, .numbers: break
    case .sequence(let items):
      for (index, item) in items.enumerated() {
        for mutant in mutants(of: item) {
          var changed = items
          changed[index] = mutant
          results.append(Node(range: node.range, content: .sequence(changed)))
        }
      }
    case .mapping(let entries):
      for (index, entry) in entries.enumerated() {
        var changed = entries
        changed.remove(at: index)
        results.append(Node(range: node.range, content: .mapping(changed)))
        for mutant in mutants(of: entry.value) {
          changed = entries
          changed[index] = Node.Entry(key: entry.key, keyRange: entry.keyRange, value: mutant, isMerged: false)
          results.append(Node(range: node.range, content: .mapping(changed)))
        }
      }
      let unknown = Node.Entry(key: "unknown", keyRange: node.range, value: node, isMerged: false)
      results.append(Node(range: node.range, content: .mapping(entries + [unknown])))
    }
    return results
  }

  // MARK: Python

  private static func verdicts(of models: [Node]) throws -> [Bool] {
    let folder = FileManager.default.temporaryDirectory
    let file = folder.appending(path: "nnrun-instances-\(UUID().uuidString).jsonl")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(models.map { json($0) + "\n" }.joined().utf8).write(to: file)
    let program = """
      import json, sys, jsonschema
      def binary(validator, value, instance, schema):
          if isinstance(instance, str) and not instance.startswith("!!binary "):
              yield jsonschema.ValidationError("not tagged !!binary")
      kind = jsonschema.validators.extend(jsonschema.Draft7Validator, {"contentEncoding": binary})
      validator = kind(json.load(open(sys.argv[1], encoding="utf-8")))
      print("".join(str(int(validator.is_valid(json.loads(line)))) for line in open(sys.argv[2], encoding="utf-8")))
      """
    let output = try Python.run(program, [root.appending(path: "schemas/nnrun-1.schema.json").path, file.path])
    let verdicts = output.trimmingCharacters(in: .whitespacesAndNewlines).map { $0 == "1" }
    try #require(verdicts.count == models.count)
    return verdicts
  }

  /// A node as JSON in which Python reads infinities too.
  private static func json(_ node: Node) -> String {
    switch node.content {
    case .scalar(let scalar):
      switch scalar.value {
      case .null: return "null"
      case .boolean(let value): return "\(value)"
      case .integer(let value): return "\(value)"
      case .number(let value): return number(value)
      case .string(let value): return string(value)
      case .binary: return string("!!binary " + scalar.text)
      }
    case .numbers(let list): return nested(list.values[...], list.shape[...])
    case .sequence(let items): return "[" + items.map(json).joined(separator: ", ") + "]"
    case .mapping(let entries):
      return "{" + entries.map { string($0.key) + ": " + json($0.value) }.joined(separator: ", ") + "}"
    }
  }

  private static func nested(_ values: ArraySlice<Double>, _ shape: ArraySlice<Int>) -> String {
    guard let count = shape.first else { return number(values[values.startIndex]) }
    let step = values.count / count
    let parts = (0..<count).map {
      nested(values.dropFirst($0 * step).prefix(step), shape.dropFirst())
    }
    return "[" + parts.joined(separator: ", ") + "]"
  }

  private static func number(_ value: Double) -> String {
    value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : "\(value)"
  }

  private static func string(_ text: String) -> String {
    var writer = JSONWriter()
    writer.string(text)
    return writer.text
  }
}

/// Python, as it is on this machine.
private enum Python {
  struct Failed: Error {
    let message: String
  }

  static let hasJSONSchema = (try? run("import jsonschema", [])) != nil

  static func run(_ program: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-W", "ignore", "-c", program] + arguments
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    let said = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failed(message: String(decoding: said, as: UTF8.self)) }
    return String(decoding: data, as: UTF8.self)
  }
}
