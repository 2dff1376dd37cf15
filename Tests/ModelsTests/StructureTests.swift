import Foundation
import Layers
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
