import Diagnostics
import Testing
import YAML

@Suite("Reading YAML")
struct ReadingTests {
  @Test(
    "Plain scalars mean what YAML 1.2's core schema says",
    arguments: [
      ("1", "1"), ("-7", "-7"), ("+5", "5"), ("0x10", "16"), ("0o17", "15"), ("017", "17"), ("1e-3", "0.001f"),
      (".5", "0.5f"), ("1.", "1.0f"), ("-.5e+2", "-50.0f"), (".inf", "inff"), ("-.Inf", "-inff"), ("+.INF", "inff"),
      (".nan", "nanf"), (".NaN", "nanf"), ("-.nan", "'-.nan'"), ("inf", "'inf'"), ("nan", "'nan'"),
      ("yes", "'yes'"), ("no", "'no'"), ("on", "'on'"), ("off", "'off'"), ("y", "'y'"), ("true", "true"),
      ("True", "true"), ("FALSE", "false"), ("tRUE", "'tRUE'"), ("~", "null"), ("null", "null"), ("Null", "null"),
      ("nULL", "'nULL'"), ("", "null"), ("1_000", "'1_000'"), ("0b1", "'0b1'"), ("1e", "'1e'"), ("e5", "'e5'"),
      (".", "'.'"), ("-", "[null]"), ("+", "'+'"), ("1.2.3", "'1.2.3'"), ("12:30:45", "'12:30:45'"),
      ("2001-01-01", "'2001-01-01'"), ("0x", "'0x'"), ("0xg", "'0xg'"), ("-0x10", "'-0x10'"), ("0o8", "'0o8'"),
      ("0x1p3", "'0x1p3'"), ("nan(0x1)", "'nan(0x1)'"), ("iNf", "'iNf'"), ("1e5", "100000.0f"), ("1E5", "100000.0f"),
      ("9223372036854775807", "9223372036854775807"), ("9223372036854775808", "9.223372036854776e+18f"),
      ("-9223372036854775808", "-9223372036854775808"), ("-9223372036854775809", "-9.223372036854776e+18f"),
      ("0xffffffffffffffff", "1.8446744073709552e+19f"), ("1e999", "inff"), ("-1e999", "-inff"), ("1e-999", "0.0f"),
      ("-0", "0"), ("-0.0", "-0.0f"), ("'1'", "'1'"), ("\"true\"", "'true'"), ("|-\n  1", "'1'"),
      ("!!str 1", "'1'"), ("!!float 1", "1.0f"), ("!!int '3'", "3"), ("!!null ''", "null"), ("!!bool 'true'", "true"),
      ("!!binary AQID", "bytes[1, 2, 3]"), ("!!binary \"AQ==\"", "bytes[1]"), ("!!binary ''", "bytes[]"),
      ("!!binary |\n  AQ\n  I=", "bytes[1, 2]"), ("\"a\\0b\"", "'a\0b'"),
    ])
  func scalars(text: String, meaning: String) {
    let document = parse("key: " + text + "\n")
    if text == "-" {
      #expect(document.hasErrors)
    } else {
      #expect(written(document.root) == "{key: \(meaning)}")
      #expect(document.diagnostics.isEmpty)
    }
  }

  @Test(
    "Lists of numbers are packed when they are rectangles",
    arguments: [
      ("[1, 2, 3]", "#[3] [1.0, 2.0, 3.0]"),
      ("[[1, 2], [3, 4]]", "#[2, 2] [1.0, 2.0, 3.0, 4.0]"),
      ("[[[1], [2]]]", "#[1, 2, 1] [1.0, 2.0]"),
      ("[.inf, -1e999]", "#[2] [inf, -inf]"),
      ("\n- 1\n- 2\n", "#[2] [1.0, 2.0]"),
      ("\n- - 1\n  - -2\n- - 3 # three\n  - 4\n", "#[2, 2] [1.0, -2.0, 3.0, 4.0]"),
      ("\n- [1, 2]\n- - 3\n  - 4\n", "#[2, 2] [1.0, 2.0, 3.0, 4.0]"),
      ("[]", "[]"), ("[[], []]", "[[], []]"), ("[[1], []]", "[#[1] [1.0], []]"),
      ("[1, [2]]", "[1, #[1] [2.0]]"), ("[[1], 2]", "[#[1] [1.0], 2]"),
      ("[[1, 2], [3]]", "[#[2] [1.0, 2.0], #[1] [3.0]]"),
      ("[[[1, 2], [3, 4]], [[5, 6], [7]]]", "[#[2, 2] [1.0, 2.0, 3.0, 4.0], [#[2] [5.0, 6.0], #[1] [7.0]]]"),
      ("[1, two, 3]", "[1, 'two', 3]"), ("[N, 1, 8]", "['N', 1, 8]"), ("[1, '2']", "[1, '2']"),
      ("[1, {a: [2, 3]}, 4]", "[1, {a: #[2] [2.0, 3.0]}, 4]"), ("[1, !!int 2]", "[1, 2]"), ("[&a 1, *a]", "[1, 1]"),
      ("[[1, 2], &row [3, 4], *row]", "[#[2] [1.0, 2.0], #[2] [3.0, 4.0], #[2] [3.0, 4.0]]"),
      ("[1, ~]", "[1, null]"), ("[1, 2: 3]", "[1, {}]"), ("&w [1, 2]", "#[2] [1.0, 2.0]"),
      ("!!seq [1, 2]", "#[2] [1.0, 2.0]"),
    ])
  func packing(text: String, meaning: String) {
    #expect(written(parse("key: " + text).root) == "{key: \(meaning)}")
  }

  @Test("Only a text without errors has a valid root")
  func validRoot() throws {
    #expect(try parse("a: 1").validRoot().elementCount == 1)
    #expect(throws: Failure.self) { try parse("a: 1\na: 2").validRoot() }
    #expect(throws: Failure.self) { try parse("").validRoot() }
    #expect(parse("a: 1\na: 2").root?["a"]?.integer == 1)
    #expect(parse("a: 1\n---\nb: 2").root?["a"]?.integer == 1)
    #expect(parse("a: [1").root == nil)
  }

  @Test("Every node knows its bytes")
  func ranges() throws {
    let text = """
      # ünïcode
      name: &n "é" # said
      list: &l !!seq
        # inside
        - [1, 2]
        - - 3
          - 4
        - 5   # five

      map:
        a: plain text\u{20}
        b: |
          block

        c:
      flow: {k: [x, 'y'], z: *n}

      """
    let source = SourceText(name: "t", bytes: Array(text.utf8))
    let document = YAMLDocument.parse(source: source)
    #expect(document.diagnostics.isEmpty)
    let root = try #require(document.root)
    func string(_ node: Node?) -> String { node.map { source.string(in: $0.range) } ?? "none" }
    #expect(string(root["name"]) == "\"é\"")
    #expect(string(root["list"]) == "- [1, 2]\n  - - 3\n    - 4\n  - 5")
    #expect(root["list"]?.items(in: source)?.map(string) == ["[1, 2]", "- 3\n    - 4", "5"])
    #expect(string(root["map"]) == "a: plain text \n  b: |\n    block\n\n  c:")
    #expect(string(root["map"]?["a"]) == "plain text")
    #expect(string(root["map"]?["b"]) == "|\n    block")
    #expect(string(root["map"]?["c"]) == "")
    #expect(string(root["flow"]) == "{k: [x, 'y'], z: *n}")
    #expect(string(root["flow"]?["k"]) == "[x, 'y']")
    #expect(root["flow"]?["z"] === root["name"])
    #expect(source.string(in: try #require(root.entry("flow")).keyRange) == "flow")
  }
}
