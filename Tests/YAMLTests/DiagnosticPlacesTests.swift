import Diagnostics
import Testing
import YAML

@Suite("What is wrong in a YAML text is said at its place")
struct DiagnosticPlacesTests {
  @Test(
    "Keys",
    arguments: [
      ("⟪a⟫: 1\nb: 2\n⟦a⟧: 3\n", [.duplicateKey], "the key `a` stands here a second time"),
      ("{⟪a⟫: 1, ⟦\"a\"⟧: 2}", [.duplicateKey], "first given here"),
      ("# é\n⟪ü⟫: 1\n⟦ü⟧: 2", [.duplicateKey], "`ü`"),
      ("x: {⟪k⟫: 1, ⟦k⟧: {⟪j⟫: 1, ⟦j⟧: 2}}", [.duplicateKey, .duplicateKey], ""),
      ("⟦1⟧: x", [.keyNotString], "this is the number 1; put it in quotes: \"1\""),
      ("⟦true⟧: x", [.keyNotString], "this is `true`"), ("⟦~⟧: x", [.keyNotString], "this is `~`"),
      ("? ⟦[a, b]⟧\n: x", [.keyNotString], "this is a list"), ("?⟦⟧\n: x", [.keyNotString], "this is nothing"),
      ("⟦.nan⟧: x", [.keyNotString], ""), ("on: 1\n\"1\": 2\n!!str 2: 3", [], ""),
      ("a: &s key\n⟪*s⟫ : 1\n⟦*s⟧ : 2\n", [.duplicateKey], ""),
    ] as [(String, [DiagnosticCode], String)])
  func keys(text: String, codes: [DiagnosticCode], words: String) {
    expectDiagnostics(text, codes, words: words)
  }

  @Test(
    "Anchors and aliases",
    arguments: [
      ("a: &weights 1\nb: ⟦*weight⟧\n", [.undefinedAlias], "did you mean `*weights`?"),
      ("a: ⟦*x⟧\nb: &x 1\n", [.undefinedAlias], "no anchor `&x` stands before this alias"),
      ("a: ⟪&x⟫ [1, ⟦*x⟧]", [.recursiveAlias], "cannot contain itself"),
      ("⟪&x⟫\na: {b: ⟦*x⟧}", [.recursiveAlias], ""),
      ("a: ⟪&x⟫ 1\nb: ⟦&x⟧ 2\nc: *x", [.duplicateAnchor], "defined twice"),
      ("a: !!str ⟪&x⟫ 1\nb: ⟦&x⟧ [1]\n", [.duplicateAnchor], ""),
    ] as [(String, [DiagnosticCode], String)])
  func anchors(text: String, codes: [DiagnosticCode], words: String) {
    expectDiagnostics(text, codes, words: words)
  }

  @Test(
    "Merge keys",
    arguments: [
      ("a: &a {x: 1}\nb:\n  ⟪<<⟫: *a\n  ⟦<<⟧: *a\n", [.duplicateKey], "merge several with a list"),
      ("<<: ⟦text⟧", [.mergeKey], "this is the string \"text\""), ("<<: ⟦[1, 2]⟧", [.mergeKey], "this is a list"),
      ("<<: [{a: 1}, ⟦2⟧]", [.mergeKey], "this item is the number 2"), ("<<:⟦⟧", [.mergeKey], "nothing"),
      ("<<: ⟦*x⟧", [.undefinedAlias], ""), ("\"<<\": 1\nb: {'<<': 2}", [], ""),
    ] as [(String, [DiagnosticCode], String)])
  func merges(text: String, codes: [DiagnosticCode], words: String) {
    expectDiagnostics(text, codes, words: words)
  }

  @Test(
    "Tags",
    arguments: [
      ("a: ⟦!foo⟧ 1", [.unknownTag], "the tag `!foo` is not known"), ("a: ⟦!!set⟧ {b}", [.unknownTag], ""),
      ("⟦!foo⟧\na: 1", [.unknownTag], ""), ("a: &x ⟦!<tag:example.com,2000:y>⟧ [1]", [.unknownTag], ""),
      ("a: !<tag:yaml.org,2002:int> 1", [], ""), ("a: ⟦!⟧ 1", [.unknownTag], ""),
      ("a: !!int ⟦1.5⟧", [.tagMismatch], "`!!int` says that this is an integer, but it is the number 1.5"),
      ("a: !!int ⟦x⟧", [.tagMismatch], "the string \"x\""), ("a: !!float ⟦\"x\"⟧", [.tagMismatch], "a number"),
      ("a: !!bool ⟦yes⟧", [.tagMismatch], "`true` or `false`"), ("a: !!null ⟦0⟧", [.tagMismatch], "null"),
      ("a: !!seq ⟦{}⟧", [.tagMismatch], "a list, but it is a mapping"), ("a: !!map ⟦x⟧", [.tagMismatch], ""),
      ("a: !!str\n  ⟦- b⟧\n", [.tagMismatch], "a string, but it is a list"),
      ("a: !!binary AQ⟦*⟧D", [.tagMismatch], "this character is not base64"),
      ("a: !!binary |\n  AQID\n  AQ⟦é⟧=\n", [.tagMismatch], ""), ("a: !!binary \"AQ⟦D⟧\"", [.tagMismatch], "middle"),
      ("a: !!binary A⟦=⟧==", [.tagMismatch], "fill up"),
      ("a: !!binary AQ==⟦A⟧QID", [.tagMismatch], "nothing may follow"),
      ("a: !!binary A⟦R⟧==", [.tagMismatch], "belong to no byte"), ("a: !!binary ⟦\"A\\x2A\"⟧", [.tagMismatch], ""),
      ("a: ⟦!a%2⟧ 1", [.unknownTag], ""), ("a: ⟦!!⟧ 1", [.unknownTag], "not complete"),
      ("a: ⟦!e!x⟧ 1", [.unknownTag], "the handle of the tag `!e!x` is not declared"),
    ] as [(String, [DiagnosticCode], String)])
  func tags(text: String, codes: [DiagnosticCode], words: String) {
    expectDiagnostics(text, codes, words: words)
  }

  @Test(
    "Documents and text",
    arguments: [
      ("⟦⟧", [.emptyDocument], "nothing but space"), ("⟦⟧# only a comment\n", [.emptyDocument], ""),
      ("⟦⟧%YAML 1.2\n---\n...\n", [.emptyDocument], ""), ("%YAML 1.2\n---\na: 1\n...\n", [], ""),
      ("\u{FEFF}⟪a⟫: 1\n⟦a⟧: 2", [.duplicateKey], "marked.yaml:2:1"),
      ("a: 1\n⟦---⟧\nb: 2", [.severalDocuments], "a second document"),
      ("a: 1\n...\n⟦---⟧\n", [.severalDocuments], ""),
      ("⟪a⟫: 1\r\n⟦a⟧: 2\r\n\r\nb: ⟦*c⟧\r\n", [.duplicateKey, .undefinedAlias], "marked.yaml:4:4"),
      ("⟪a⟫: 1\n⟦a⟧: 2\nb: ⟦\u{1}⟧\n", [.duplicateKey, .encoding], "the character U+0001"),
      ("a: ⟦\u{0}⟧", [.encoding], "U+0000"), ("# ⟦\u{7F}⟧\n", [.encoding], "U+007F"),
      ("a: ⟦\u{FFFE}⟧", [.encoding], "U+FFFE"),
      ("# a ⟦\u{85}⟧b\nc: 1", [.lineBreak], "U+0085"), ("a: b⟦\u{2028}⟧ c\nd: \"x\u{2029}\"", [.lineBreak], "U+2028"),
      ("a: 'x\u{2028}y'\nb: \"\u{85}\"", [], ""),
    ] as [(String, [DiagnosticCode], String)])
  func documents(text: String, codes: [DiagnosticCode], words: String) {
    expectDiagnostics(text, codes, words: words)
  }

  @Test(
    "Syntax",
    arguments: [
      ("a:\n⟦\t⟧b: 1", "a tab cannot indent YAML; use spaces"), ("a: ⟦@⟧x", "a value cannot begin with `@`"),
      ("a: ⟦`⟧x`", "put quotes around it"), ("a: ⟦%⟧x", "cannot begin with `%`"),
      ("a: b⟦:⟧ c", "a second `: ` is not expected in a line"),
      ("a: b\n  c⟦:⟧ d\n", "this line goes on with the value above it"),
      ("a:\n    b: 1\n  ⟦c⟧: 1\n", "no line above is indented as this one, by 2"),
      ("a: 1\n⟦<<<<<<< HEAD⟧\nb: 2\n=======\nb: 3\n>>>>>>> x\n", "a merge that was not resolved"),
      ("⟦%YAML x⟧\n---\na: 1\n", "expected a version behind `%YAML`"),
      ("⟦%YAML 2.0⟧\n---\na: 1\n", "this version of YAML is not known"),
      (String(repeating: "k", count: 2_000) + "⟦:⟧ 1", "a key has at most 1,024 characters"),
      ("a: ⟪[⟫1, 2\n⟦b⟧: 3", "expected `,` or `]` in the list, found `b`"),
      ("a: ⟪[⟫1, 2⟦⟧\n", "found the end of the file"), ("a: ⟪{⟫b: 1\n⟦c⟧: 2\n", "expected `,` or `}`"),
      ("a: ⟪\"⟫b\nc: d⟦⟧\n", "the file ends within quotes that are not closed"),
      ("a: ⟪'⟫b\n⟦---⟧\n", "the document ends within quotes"), ("a: 1\nb⟦:⟧2\n", "a space is missing behind the `:`"),
      ("a: 1\n⟦bcd⟧\n", "there is no `:` behind `bcd`"), ("a: 1\n⟦bcd⟧\ne: 2\n", "expected `key: value`"),
      ("⟪a⟫: 1\n⟦-⟧ b\n", "expected a key of the mapping, found `-`"), ("a: ⟦-⟧ b\n", "a list item cannot begin here"),
      ("⟪-⟫ a\n⟦b⟧: 1\n", "expected the list's next item, which begins with `- `, found `b`"),
      ("a: \"⟦\\d⟧\"", "`\\d` is no escape"), ("a: \"\\x⟦4g⟧\"", "hexadecimal"),
      ("a: ⟦}⟧", "expected a value, found `}`"),
      ("a: \"b\" ⟦c⟧", "expected the end of the line, found `c`"), ("[a]\n⟦b⟧", "more follows"),
      ("%FOO⟦ ⟧x\n---\na", "directive"),
    ])
  func syntax(text: String, words: String) {
    expectDiagnostics(text, [.syntax], words: words)
  }

  @Test("What is wrong before a syntax error is kept, and nothing after it")
  func syntaxEndsTheList() {
    expectDiagnostics("⟪a⟫: 1\n⟦a⟧: 2\nb: ⟪[⟫1\n⟦c⟧: 3\na: 4\n", [.duplicateKey, .syntax])
  }

  @Test("64 nested collections are read and the 65th is refused at once")
  func depth() {
    let allowed = String(repeating: "[", count: 64) + "1" + String(repeating: "]", count: 64)
    #expect(parse(allowed).diagnostics.isEmpty)
    expectDiagnostics(String(repeating: "[", count: 64) + "⟦[⟧", [.tooDeep], words: "at most 64")
    expectDiagnostics(String(repeating: "- ", count: 64) + "⟦-⟧ 1", [.tooDeep])
    let clock = ContinuousClock()
    let deep = SourceText(name: "deep", bytes: Array(repeating: UInt8(ascii: "["), count: 1_000_000))
    let time = clock.measure { #expect(YAMLDocument.parse(source: deep).diagnostics.map(\.code) == [.tooDeep]) }
    #expect(time < .seconds(2))
  }

  @Test("Aliases that multiply are stopped, and sharing a large list is not")
  func expansion() {
    var laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...9 {
      let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
      laughs += "a\(level): &a\(level) [\(aliases)]\n"
    }
    #expect(parse(laughs).diagnostics.map(\.code) == [.aliasExpansion])
    let large = "w: &w [\(Array(repeating: "0.5", count: 100_000).joined(separator: ","))]\n"
    let shared = large + "v: [" + Array(repeating: "*w", count: 20).joined(separator: ", ") + "]\n"
    #expect(parse(shared).diagnostics.isEmpty)
  }

  @Test("After a thousand errors reading stops")
  func tooMany() {
    let text = String(repeating: "a: 1\n", count: 5_000)
    let codes = parse(text).diagnostics.map(\.code)
    #expect(codes.count == 1_001)
    #expect(codes.last == .tooManyErrors)
  }

  @Test(
    "Bytes that are not UTF-8 are found at their place",
    arguments: [
      ([0x61, 0x3A, 0x20, 0xE9, 0x0A], 3), ([0x61, 0x3A, 0x20, 0xFF], 3), ([0x61, 0x3A, 0x20, 0xE2, 0x82], 3),
      ([0x61, 0x3A, 0x20, 0x80], 3), ([0xEF, 0xBB, 0xBF, 0x61, 0xC0, 0x80], 4), ([0xFF, 0xFE, 0x61, 0x00], 0),
      ([0x61, 0x3A, 0x20, 0xED, 0xA0, 0x80], 3),
    ])
  func encoding(bytes: [Int], offset: Int) {
    let source = SourceText(name: "bytes", bytes: bytes.map { UInt8($0) })
    let diagnostics = YAMLDocument.parse(source: source).diagnostics
    #expect(diagnostics.map(\.code) == [.encoding])
    #expect(diagnostics.first?.place.range.start == offset)
  }
}
