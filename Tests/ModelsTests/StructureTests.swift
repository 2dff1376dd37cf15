import Diagnostics
import Files
import Foundation
import Interchange
import Layers
import ModelFile
import Testing

/// A layer has its entry everywhere: the recipe of docs/architecture.md, step by step.
struct StructureTests {
  static let types = LayerCatalogue.types.map { $0.type }

  @Test("a layer type has a schema entry that the list of layers names", arguments: types)
  func schemaEntry(type: String) throws {
    let schema = try Repository.text("schemas/nnrun-1.schema.json")
    let document = try #require(try JSONSerialization.jsonObject(with: Data(schema.utf8)) as? [String: Any])
    let definitions = try #require(document["definitions"] as? [String: Any])
    let entry = try #require(definitions[type] as? [String: Any], "no definition `\(type)` in the schema")
    let properties = try #require(entry["properties"] as? [String: [String: Any]])
    #expect(properties["type"]?["const"] as? String == type)
    #expect((properties["type"]?["description"] as? String)?.isEmpty == false)
    let layer = try #require(definitions["layer"] as? [String: Any])
    let choices = try #require(layer["oneOf"] as? [[String: String]])
    #expect(choices.contains(["$ref": "#/definitions/\(type)"]))
  }

  @Test("a layer type has a sample model of its name, or is in one of another's", arguments: types)
  func sample(type: String) throws {
    let stem = type == "dense-sigmoid" ? "neuron" : type
    let text = try Repository.text("models/\(stem)/\(stem).yaml")
    #expect(text.contains("type: \(type)"))
    #expect(Repository.arrayFile("models/\(stem)/\(stem).output") != nil)
    #expect(try !Repository.text("models/\(stem)/README.md").isEmpty)
  }

  @Test("a layer type has a row in the format's documentation", arguments: types)
  func documentation(type: String) throws {
    let rows = try Repository.text("docs/format.md").split(separator: "\n").filter { $0.hasPrefix("| `") }
    #expect(rows.contains { $0.dropFirst().prefix { $0 != "|" }.contains("`\(type)`") })
  }

  @Test("a frozen model of format 1 uses the layer type", arguments: types)
  func frozen(type: String) throws {
    let stems = try Repository.modelStems(under: "models/v1")
    #expect(try stems.contains { try Repository.text($0 + ".yaml").contains("type: \(type)") })
  }

  @Test("a layer type has a file of its own in the layers' module", arguments: types)
  func file(type: String) throws {
    let folder = Repository.path("Sources/Layers")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix("Layer.swift") }
    let declaration = "static let type = \"\(type)\""
    #expect(try files.count { try Repository.text("Sources/Layers/\($0)").contains(declaration) } == 1)
  }

  @Test("a layer type has its meaning in the second reading of the format", arguments: types)
  func secondReading(type: String) throws {
    #expect(try Repository.text("models/reference.py").contains("\"\(type)\""))
  }

  @Test("a layer type's sample goes to ONNX and comes back", arguments: types)
  func interchange(type: String) throws {
    let stem = type == "dense-sigmoid" ? "neuron" : type
    let model = try ModelLoader.load(path: Repository.path("models/\(stem)/\(stem).yaml")).valid()
    let folder = FileManager.default.temporaryDirectory.appending(path: "nnrun-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "case.onnx").path
    try Data(try ONNXExport.bytes(of: model)).write(to: URL(filePath: path))
    let text = try ONNXImport.read(FilePath(path), weightsFile: "case.safetensors").text
    // A dropout does nothing in inference, which is what ONNX files are for.
    #expect(text.contains("type: \(type)") || type == "dropout", "\(text)")
  }

  @Test("an operation has a test with known answers or a gradient case")
  func operations() throws {
    let tests = try FileManager.default.contentsOfDirectory(atPath: Repository.path("Tests/GraphTests"))
      .map { try Repository.text("Tests/GraphTests/\($0)") }.joined()
    let files = try FileManager.default.contentsOfDirectory(atPath: Repository.path("Sources/Graph"))
    var count = 0
    for file in files {
      for match in try Repository.text("Sources/Graph/\(file)").matches(of: /struct (\w+): \w*Operation\b/) {
        count += 1
        // A gradient's operation is tested by the gradient case of the operation that it belongs to.
        let name = String(match.1).replacing(/(Data|Filter)?Gradient$/, with: "")
        #expect(tests.contains("\(name)"), "\(match.1)")
      }
    }
    #expect(count > 25)
  }

  @Test("docs/architecture.md has a row for every module, and docs/decisions/README.md for every record")
  func tables() throws {
    let architecture = try Repository.text("docs/architecture.md")
    let rows = architecture.split(separator: "\n").filter { $0.hasPrefix("| `") }
    let sources = try FileManager.default.contentsOfDirectory(atPath: Repository.path("Sources"))
    for module in sources { #expect(rows.contains { $0.contains("`\(module)`") }, "\(module)") }
    let list = try Repository.text("docs/decisions/README.md")
    let records = try FileManager.default.contentsOfDirectory(atPath: Repository.path("docs/decisions"))
    for record in records where record != "README.md" { #expect(list.contains("(\(record))"), "\(record)") }
  }

  @Test("every folder of models says where its numbers are from, and every model file names the schema")
  func readmes() throws {
    for stem in try Repository.modelStems(under: "models") {
      let folder = stem.split(separator: "/").dropLast().joined(separator: "/")
      #expect(try !Repository.text(folder + "/README.md").isEmpty)
      if !stem.hasSuffix("/json") {
        #expect(try Repository.text(stem + ".yaml").contains("$schema=../../schemas/nnrun-1.schema.json"), "\(stem)")
      }
    }
  }
}
