import Foundation
import Testing

@Suite("nnrun validate and show")
struct ValidateTests {
  private let program: Program

  init() throws {
    program = try Program()
    try program.write(neuron, to: "models/good.yaml")
    try program.write(
      "nnrun: 1\ninputs: {x: {shape: [N, 2]}}\nlayers: [{name: a, type: rleu}]\n", to: "models/bad.yaml")
    try program.write("key: value\n", to: "models/other.yaml")
  }

  @Test("a folder's models are checked, other files are passed over, and the largest status counts")
  func folder() throws {
    defer { program.remove() }
    let result = try program.shell("nnrun validate models")
    #expect(result.status == 65)
    #expect(result.output == "")
    #expect(result.errors.contains("models/bad.yaml:3:26: error: "), "\(result.errors)")
    #expect(result.errors.contains("did you mean `relu`?"), "\(result.errors)")
    #expect(result.errors.contains("models/good.yaml: valid"))
    #expect(result.errors.contains("models/other.yaml: passed over"))
    #expect(try program.shell("nnrun validate models/good.yaml nothing.yaml").status == 66)
  }

  @Test("the report for programs goes to standard output")
  func reports() throws {
    defer { program.remove() }
    let json = try program.shell("nnrun validate --format json models/bad.yaml")
    let findings = try #require(try JSONSerialization.jsonObject(with: json.outputBytes) as? [[String: Any]])
    #expect(findings.count == 1)
    #expect(findings.first?["line"] as? Int == 3)
    #expect(findings.first?["column"] as? Int == 26)
    #expect(findings.first?["severity"] as? String == "error")
    #expect(json.status == 65)
    let sarif = try program.shell("nnrun validate --format sarif models/good.yaml")
    let log = try #require(try JSONSerialization.jsonObject(with: sarif.outputBytes) as? [String: Any])
    #expect(log["version"] as? String == "2.1.0")
    #expect(sarif.status == 0)
  }

  @Test("any document is checked against any schema")
  func schema() throws {
    defer { program.remove() }
    try program.write(#"{"type": "object", "required": ["name"]}"#, to: "s.json")
    #expect(try program.shell("nnrun validate --schema s.json models/other.yaml").status == 65)
    try program.write("name: x\n", to: "doc.yaml")
    #expect(try program.shell("nnrun validate --schema s.json doc.yaml").status == 0)
    try program.write(#"{"tpye": "object"}"#, to: "s.json")
    #expect(try program.shell("nnrun validate --schema s.json doc.yaml").status == 65)
  }

  @Test("control characters of a file never reach the terminal raw")
  func controlCharacters() throws {
    defer { program.remove() }
    try program.write(
      "nnrun: 1\ninputs: {x: {shape: [N, 2]}}\nlayers: [{name: \"\\e[31mx\", type: relu}]\n# \u{7}\n", to: "m.yaml")
    let result = try program.shell("nnrun validate --color never m.yaml")
    #expect(result.status == 65)
    #expect(!result.errors.utf8.contains { $0 < 0x20 && $0 != 0x0A }, "\(result.errors)")
  }

  @Test("show prints the table, as text or JSON, and draws the graph in three languages")
  func show() throws {
    defer { program.remove() }
    let table = try program.shell("nnrun show models/good.yaml")
    #expect(table.output.contains("out    dense-sigmoid  [N, 1]           3              2"), "\(table.output)")
    let json = try program.shell("nnrun show --json models/good.yaml")
    let object = try JSONSerialization.jsonObject(with: json.outputBytes) as? [String: Any]
    #expect(object?["parameters"] as? Int == 3)
    #expect(try program.shell("nnrun show --graph svg models/good.yaml").output.hasPrefix("<svg"))
    #expect(try program.shell("nnrun show --graph dot models/good.yaml").output.hasPrefix("digraph"))
    #expect(try program.shell("nnrun show --graph mermaid models/good.yaml").output.hasPrefix("flowchart"))
  }

  @Test("help carries an example for every subcommand, and nothing at all shows the help")
  func help() throws {
    defer { program.remove() }
    let help = try program.shell("nnrun")
    #expect(help.status == 0 && help.output.contains("SUBCOMMANDS"))
    for command in ["run", "validate", "show", "test", "schema"] {
      let text = try program.shell("nnrun \(command) --help")
      #expect(text.status == 0 && text.output.contains("nnrun "), "\(command)")
    }
    #expect(try program.shell("nnrun --version").output == "0.1.0\n")
  }
}
