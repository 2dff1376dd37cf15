import Diagnostics
import Foundation
import Testing

@Suite("Diagnostics for programs")
struct DiagnosticReportsTests {
  private let diagnostics: [Diagnostic] = {
    let source = SourceText(name: "my models/é.yaml", bytes: Array("ä: \"1\"\nb: [\n 2]\n".utf8))
    let notes = [DiagnosticNote("hint"), DiagnosticNote("here", at: place(of: "ä", in: source))]
    return [
      Diagnostic(.duplicateKey, "says \"\u{1B}\"", at: place(of: "[\n 2]", in: source), notes: notes),
      Diagnostic(.syntax, "first", at: place(of: "\"1\"", in: source)),
    ]
  }()

  private func object(_ json: String) throws -> Any {
    #expect(json.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 })
    return try JSONSerialization.jsonObject(with: Data(json.utf8))
  }

  @Test("The JSON array has every place in lines and code points, the end exclusive")
  func json() throws {
    let array = try #require(try object(renderJSON(diagnostics)) as? [[String: Any]])
    #expect(array.map { $0["code"] as? String } == ["syntax", "duplicate-key"])
    #expect(array.map { $0["message"] as? String } == ["first", "says \"\u{1B}\""])
    #expect(array.map { $0["severity"] as? String } == ["error", "error"])
    #expect(array.map { $0["file"] as? String } == ["my models/é.yaml", "my models/é.yaml"])
    #expect(array.map { $0["line"] as? Int } == [1, 2])
    #expect(array.map { $0["column"] as? Int } == [4, 4])
    #expect(array.map { $0["endLine"] as? Int } == [1, 3])
    #expect(array.map { $0["endColumn"] as? Int } == [7, 4])
    let notes = try #require(array[1]["notes"] as? [[String: Any]])
    #expect(notes.map { $0["message"] as? String } == ["hint", "here"])
    #expect(notes.map { $0["line"] as? Int } == [nil, 1])
    #expect(renderJSON([]).filter { !$0.isWhitespace } == "[]")
  }

  @Test("The SARIF log has what its schema requires")
  func sarif() throws {
    let log = try #require(try object(renderSARIF(diagnostics, version: "1.2.3")) as? [String: Any])
    #expect(log["version"] as? String == "2.1.0")
    let run = try #require((log["runs"] as? [[String: Any]])?.first)
    #expect(run["columnKind"] as? String == "unicodeCodePoints")
    let driver = try #require((run["tool"] as? [String: Any])?["driver"] as? [String: Any])
    #expect(driver["name"] as? String == "nnrun")
    #expect(driver["version"] as? String == "1.2.3")
    let rules = try #require(driver["rules"] as? [[String: Any]])
    let results = try #require(run["results"] as? [[String: Any]])
    #expect(rules.map { $0["id"] as? String } == ["syntax", "duplicate-key"])
    #expect(rules.allSatisfy { (($0["help"] as? [String: String])?["text"] ?? "").isEmpty == false })
    for result in results {
      let index = try #require(result["ruleIndex"] as? Int)
      #expect(rules[index]["id"] as? String == result["ruleId"] as? String)
      #expect(result["level"] as? String == "error")
    }
    let message = (results[1]["message"] as? [String: String])?["text"]
    #expect(message == "says \"\u{1B}\"\nnote: hint")
    let location = try #require(
      (results[1]["locations"] as? [[String: Any]])?.first?["physicalLocation"] as? [String: Any])
    #expect((location["artifactLocation"] as? [String: String])?["uri"] == "my%20models/%C3%A9.yaml")
    #expect(
      location["region"] as? [String: Int] == ["startLine": 2, "startColumn": 4, "endLine": 3, "endColumn": 4])
    #expect((results[1]["relatedLocations"] as? [[String: Any]])?.count == 1)
  }

  @Test("What the JSON writer writes is JSON and reads back")
  func writer() throws {
    var json = JSONWriter()
    json.object { json in
      json.key("a\"\\\n\u{7F}\u{2028}😀")
      json.array { json in
        json.integer(-1)
        json.number(0.1)
        json.number(Float(0.1))
        json.number(Double.nan)
        json.boolean(true)
        json.null()
        json.array { _ in }
        json.object { _ in }
        json.string("é")
      }
      json.key("b")
      json.number(1e300)
    }
    #expect(json.text.hasPrefix(#"{"a\"\\\n\u007f\u2028😀": [-1, 0.1, 0.1, null, true, null, [], {}, "é"], "b": "#))
    let object = try #require(try object(json.text) as? [String: Any])
    #expect(object["b"] as? Double == 1e300)
    #expect((object["a\"\\\n\u{7F}\u{2028}😀"] as? [Any])?.count == 9)
  }
}
