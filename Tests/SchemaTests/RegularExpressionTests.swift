import Testing

@testable import Schema

@Suite("Regular expressions")
struct RegularExpressionTests {
  private func matches(_ pattern: String, _ text: String) throws -> Bool {
    var steps = 1_000_000
    return try RegularExpression(pattern).matches(text, steps: &steps)
  }

  @Test(
    "find what ECMA-262 says they find",
    arguments: [
      ("a+", "xxaayy"), ("^a*$", ""), ("^(ab|cd)*$", "abcdab"), ("^a{2,3}$", "aaa"), ("^a{2}$", "aa"),
      ("^a{2,}$", "aaaa"),
      ("^x-", "x-"), ("^[a-c_-]+$", "a-b_c"), ("^[^a-c]$", "é"), ("^.$", "😀"), (#"^\d\D\w\W\s\S$"#, "1a_-\u{A0}x"),
      (#"^\p{L}+$"#, "Grüße"), (#"^\p{Lu}\P{Lu}$"#, "Ab"), (#"^\p{Letter}\p{Nd}$"#, "a1"),
      (#"^\u00e9\x41\u{1F600}$"#, "éA😀"),
      (#"^\ud83d\ude00$"#, "😀"), (#"\bfoo\b"#, "a foo b"), (#"o\B"#, "foo"), ("^(?:a|b)+?$", "abab"),
      ("^(?<n>a)$", "a"),
      ("^(a*)*$", "aaa"), ("^{$", "{"), ("a{,2}", "a{,2}"), (#"^\cJ$"#, "\n"), ("^[]$|b", "b"), ("", "anything"),
      ("a|", "b"),
      (#"^[\d\-x]+$"#, "1-x"), (#"^\$$"#, "$"), ("^a?b?$", "ab"),
    ])
  func found(pattern: String, text: String) throws {
    #expect(try matches(pattern, text))
  }

  @Test(
    "do not find what is not there",
    arguments: [
      ("^a*$", "b"), ("^a{2,3}$", "aaaa"), ("^.$", "\n"), ("^.$", "\u{2028}"), ("^[^a-c]$", "b"), (#"\d"#, "٣"),
      (#"^\w$"#, "é"), ("^a$", "xa"), ("a$", "a\n"), (#"\bfoo"#, "xfoo"), ("[]", "a"), ("^(a|b)c$", "ac\n"),
      (#"^\p{Lu}$"#, "a"),
    ])
  func notFound(pattern: String, text: String) throws {
    #expect(try !matches(pattern, text))
  }

  @Test(
    "say what cannot be used",
    arguments: [
      ("(?=a)", "look-ahead"), ("(?!a)", "look-ahead"), ("(?<=a)b", "look-behind"), (#"(a)\1"#, "back-references"),
      (#"\k<a>"#, "back-references"), ("(a", "without its `)`"), ("a)", "without its `(`"), ("[a", "without its `]`"),
      ("*a", "nothing for `*`"), ("a**", "after another"), ("a{3,2}", "reversed"), ("[z-a]", "reversed"),
      ("a{1001}", "more than 1000"), (#"\p{Klingon}"#, "property"), (#"a\"#, "ends with"), (#"\y"#, "not known"),
      ("(a{1000}){1000}", "too large"), (#"\ud83d"#, "surrogate"), (String(repeating: "(", count: 100), "64 deep"),
    ])
  func refused(pattern: String, words: String) {
    let error = #expect(throws: PatternError.self) { try RegularExpression(pattern) }
    #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
  }

  @Test("take time in proportion, where backtracking would never end")
  func linear() throws {
    let text = String(repeating: "a", count: 20_000) + "b"
    var steps = 1_000_000
    #expect(try !RegularExpression("^(a+)+$").matches(text, steps: &steps))
    #expect(steps > 0)
  }

  @Test("end where the budget does")
  func budget() throws {
    var steps = 1_000
    _ = try RegularExpression("(a?){500}b").matches(String(repeating: "a", count: 100_000), steps: &steps)
    #expect(steps <= 0 && steps > -10_000)
  }

  @Test(
    "know the characters that a match must begin with",
    arguments: [
      (#"^\$[a-z]"#, "$"), ("^ab*", "a"), ("^a|b", ""), ("^x-", "x-"), ("a", ""), ("^(a|b)", ""),
    ])
  func prefix(pattern: String, prefix: String) throws {
    #expect(try RegularExpression(pattern).literalPrefix == prefix)
  }
}
