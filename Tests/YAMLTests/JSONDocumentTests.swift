import Diagnostics
import Testing
import YAML

@Suite("Reading JSON")
struct JSONDocumentTests {
  private func parseJSON(_ text: String) -> ParsedDocument {
    JSONDocument.parse(source: SourceText(name: "test.json", bytes: Array(text.utf8)))
  }

  @Test(
    "Values",
    arguments: [
      ("1", "1"), (" -0.5e1 ", "-5.0f"), ("[1, 2]", "[1, 2]"), ("{}", "{}"), ("[]", "[]"), ("null", "null"),
      ("{\"a\": [true, false, null]}", "{a: [true, false, null]}"), ("\"\\u00e9\\n\\\"\"", "'é\n\"'"),
      ("\"\\ud83d\\ude00\"", "'😀'"), ("\"\\u0000\"", "'\0'"), ("\"é\"", "'é'"), ("1e400", "inff"),
      ("\u{FEFF}[\"x\"]", "['x']"), ("12345678901234567890", "1.2345678901234567e+19f"), ("\"1\"", "'1'"),
    ])
  func values(text: String, meaning: String) {
    let document = parseJSON(text)
    #expect(written(document.root) == meaning)
    #expect(document.diagnostics.isEmpty)
  }

  @Test(
    "What is not JSON is refused at its place",
    arguments: [
      ("⟦⟧", "expected a value, found the end of the text"), ("⟦tru⟧", "expected a value, found `tru`"),
      ("⟦trues⟧", ""),
      ("[1⟦⟧", "expected `,` or `]`"), ("[1,⟦]⟧", "expected a value"), ("{⟦a⟧: 1}", "a key in double quotes"),
      ("{\"a\"⟦1⟧}", "expected `:`"), ("{\"a\": 1,⟦}⟧", ""), ("⟦'⟧a'", ""), ("⟦+1⟧", ""),
      ("⟦01⟧", "a number as JSON writes it"),
      ("1.⟦⟧", "a digit"), ("⟦.5⟧", ""), ("1e⟦⟧", ""), ("⟦NaN⟧", ""), ("⟦\"⟧abc", "no closing quote"),
      ("\"a⟦\n⟧\"", "end of the string"), ("\"⟦\\x⟧\"", "no escape"), ("\"⟦\\ud83d⟧\"", "not a character"),
      ("\"⟦\\ud83d\\u0041⟧\"", ""), ("\"⟦\\u⟧12\"", ""), ("1 ⟦2⟧", "expected the end of the text"), ("-⟦⟧", "a digit"),
      ("[1] ⟦/⟧/ no", ""), ("⟦0x10⟧", "a number as JSON writes it"),
    ])
  func faults(text: String, words: String) {
    expectDiagnostics(text, [.syntax], words: words, json: true)
  }

  @Test("Duplicate keys and bottomless nesting are errors")
  func limits() {
    expectDiagnostics("{⟪\"a\"⟫: 1, ⟦\"a\"⟧: 2}", [.duplicateKey], json: true)
    let deep = String(repeating: "[", count: 512)
    #expect(parseJSON(deep + String(repeating: "]", count: 512)).diagnostics.isEmpty)
    expectDiagnostics(deep + "⟦[⟧", [.tooDeep], json: true)
  }

  @Test("Values know their bytes")
  func ranges() throws {
    let document = parseJSON("{ \"é\" : [1, \"x\"] }")
    let entry = try #require(document.root?.entry("é"))
    #expect(document.source.string(in: entry.keyRange) == "\"é\"")
    #expect(document.source.string(in: entry.value.range) == "[1, \"x\"]")
    #expect(entry.value.items(in: document.source)?.map { document.source.string(in: $0.range) } == ["1", "\"x\""])
  }
}
