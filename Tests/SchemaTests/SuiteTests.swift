import Diagnostics
import Foundation
import Testing
import YAML

@testable import Schema

/// The required draft-07 cases of the official JSON Schema test suite, where Debian's `json-schema-test-suite` puts them.
@Suite("The official JSON Schema test suite")
struct SuiteTests {
  static let folder = "/usr/share/json-schema-test-suite"
  static var isThere: Bool { FileManager.default.fileExists(atPath: folder + "/tests/draft7") }
  static var isRequired: Bool { ProcessInfo.processInfo.environment["NNRUN_REQUIRE_SCHEMA_SUITE"] == "1" }

  static func files() throws -> [String] {
    guard isThere else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: folder + "/tests/draft7")
      .filter { $0.hasSuffix(".json") }.sorted()
  }

  static func read(_ path: String) throws -> ParsedDocument {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    return JSONDocument.parse(source: SourceText(name: path, bytes: bytes))
  }

  /// The suite's other documents, which it expects a server to have.
  static func remotes() throws -> [String: ParsedDocument] {
    let paths = ["integer.json", "name.json", "subSchemas.json", "folder/folderInteger.json"]
    return try Dictionary(
      uniqueKeysWithValues: paths.map { ("http://localhost:1234/" + $0, try read(folder + "/remotes/" + $0)) })
  }

  @Test("is there, or its absence is allowed")
  func isInstalled() {
    if !Self.isThere { print("json-schema-test-suite is not installed: its cases are not run") }
    #expect(Self.isThere || !Self.isRequired, "install the package json-schema-test-suite")
  }

  @Test("every case gives the verdict of the suite", arguments: try files())
  func verdicts(file: String) throws {
    let groups = try #require(
      Self.read(Self.folder + "/tests/draft7/" + file).validRoot().items(in: SourceText(name: "", bytes: [])))
    let remotes = try Self.remotes()
    for group in groups {
      let schemaNode = try #require(group["schema"])
      let name = "\(file): \(group["description"]?.string ?? "")"
      let source = SourceText(name: name, bytes: [])
      let document = ParsedDocument(source: source, root: schemaNode, diagnostics: [])
      let schema: CompiledSchema
      do {
        schema = try CompiledSchema.compile(document, documents: remotes)
      } catch {
        Issue.record("\(name): \(error.diagnostics.map(\.message))")
        continue
      }
      for test in group["tests"]?.items(in: source) ?? [] {
        let found = schema.validate(try #require(test["data"]), in: source)
        #expect(
          found.isEmpty == test["valid"]?.boolean,
          "\(name): \(test["description"]?.string ?? ""): \(found.map(\.message))")
      }
    }
  }

  /// The suite read as YAML, so that its lists of numbers are packed; two files have escapes that YAML lacks.
  @Test(
    "packed lists give the verdicts of lists of nodes",
    arguments: try files().filter { !["maxLength.json", "minLength.json"].contains($0) })
  func packedVerdicts(file: String) throws {
    let path = Self.folder + "/tests/draft7/" + file
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    let source = SourceText(name: path, bytes: bytes)
    let packed = YAMLDocument.parse(source: source)
    let groups = try #require(packed.validRoot().items(in: source))
    let remotes = try Self.remotes()
    for group in groups {
      let name = "\(file): \(group["description"]?.string ?? "")"
      let document = ParsedDocument(source: source, root: group["schema"], diagnostics: [])
      let schema = try CompiledSchema.compile(document, documents: remotes)
      for test in group["tests"]?.items(in: source) ?? [] {
        let found = schema.validate(try #require(test["data"]), in: source)
        #expect(
          found.isEmpty == test["valid"]?.boolean,
          "\(name): \(test["description"]?.string ?? ""): \(found.map(\.message))")
      }
    }
  }
}
