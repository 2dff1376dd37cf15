import Diagnostics
import Testing
import YAML

/// A small generator, so that every run of a test sees the same numbers.
struct Generator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

extension NumberList {
  /// The numbers rounded from their text to `Float` at once.
  var floats: [Float] {
    values.indices.map { floatCorrections[$0] ?? Float(values[$0]) }
  }
}

@Suite("Numbers are what their text says, rounded once")
struct NumberTests {
  private func list(_ texts: [String]) throws -> NumberList {
    try #require(parse("[" + texts.joined(separator: ", ") + "]").root?.numbers)
  }

  @Test("Doubles of every bit pattern survive being written and read")
  func doubles() throws {
    var random = Generator(seed: 1)
    let values = (0..<20_000).map { _ in Double(bitPattern: random.next()) }.filter(\.isFinite)
    let read = try list(values.map(\.description))
    #expect(read.values.map(\.bitPattern) == values.map(\.bitPattern))
  }

  @Test("Doubles as weights have them survive being written and read", arguments: [1.0, 1e-2, 1e-4, 1e6])
  func commonDoubles(scale: Double) throws {
    var random = Generator(seed: 5)
    let values = (0..<20_000).map { _ in Double.random(in: -scale...scale, using: &random) }
    #expect(try list(values.map(\.description)).values == values)
  }

  @Test("Floats of every bit pattern survive being written and read")
  func floats() throws {
    var random = Generator(seed: 2)
    let values = (0..<20_000).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: random.next())) }
      .filter(\.isFinite)
    let read = try list(values.map(\.description))
    #expect(read.floats.map(\.bitPattern) == values.map(\.bitPattern))
  }

  /// The standard library's conversions, which go through the C library's, are the oracle.
  @Test("Decimal texts of any length round to the nearest Double and the nearest Float")
  func decimals() throws {
    var random = Generator(seed: 3)
    let texts = (0..<20_000).map { _ in
      var text = Bool.random(using: &random) ? "-" : ""
      for _ in 0..<Int.random(in: 1...30, using: &random) { text += String(Int.random(in: 0...9, using: &random)) }
      text += "."
      for _ in 0..<Int.random(in: 0...30, using: &random) { text += String(Int.random(in: 0...9, using: &random)) }
      if Int.random(in: 0...2, using: &random) > 0 { text += "e\(Int.random(in: -70...50, using: &random))" }
      return text
    }
    let read = try list(texts)
    #expect(read.values == texts.map { Double($0) })
    #expect(read.floats == texts.map { Float($0) })
  }

  @Test("Beside the middle of two Floats, rounding through Double would be wrong and is corrected")
  func halfway() throws {
    var random = Generator(seed: 4)
    // From 2^24 on, the odd integers are the middles.
    let middles = (0..<1_000).map { _ in Int.random(in: 1 << 23..<1 << 24, using: &random) * 2 + 1 }
    let above = try list(middles.map { "\($0).00000000000000000001" })
    let below = try list(middles.map { "\($0 - 1).99999999999999999999" })
    let middle = try list(middles.map { "\($0).000" })
    #expect(above.floats == middles.map { Float($0 + 1) })
    #expect(below.floats == middles.map { Float($0 - 1) })
    #expect(above.values == middles.map { Double($0) })
    #expect(middle.floatCorrections.isEmpty)
    // Correction is rare where it is not provoked.
    #expect(try list((0..<1_000).map { "0.\($0)" }).floatCorrections.isEmpty)
  }

  @Test(
    "Numbers that are known to be hard",
    arguments: [
      ("9007199254740993", 9_007_199_254_740_992), ("9007199254740993.00000000000000000001", 9_007_199_254_740_994),
      ("1e23", 1e23), ("8.5e22", 8.5e22), ("1.7976931348623158e308", .greatestFiniteMagnitude),
      ("1.7976931348623159e308", .infinity), ("2.2250738585072011e-308", Double.leastNormalMagnitude.nextDown),
      ("2.4703282292062327e-324", 0), ("2.4703282292062328e-324", .leastNonzeroMagnitude),
      ("0.1000000000000000055511151231257827021181583404541015625", 0.1), ("1e-400", 0), ("-1e400", -.infinity),
      ("0000000000000000000000000000012", 12), ("100000000000000000000000", 1e23), ("0e99999999999999999999", 0),
      ("0.00000000000000000000000000000000001e35", 1), ("123456789012345678901234567890e-29", 1.2345678901234567),
      ("0x1FFFFFFFFFFFFFFFFFF", 0x1p+73), ("0x20000000000001000000000000001", 0x1.0000000000001p+113),
      ("0o7777777777777777777777777", 0x1p75), ("18446744073709551615", 0x1p64), ("9223372036854775808", 0x1p63),
      ("1e1000000000000000000000", .infinity), ("1e-1000000000000000000000", 0),
    ])
  func hardCases(text: String, value: Double) throws {
    #expect(try list([text]).values == [value])
    #expect(parse(text).root?.number == value)
  }

  @Test("The place of every number can be found again")
  func places() throws {
    let text = "a: é\nw:\n  - [1.5, -2e3]  # one, [9, 9]\n  - - .inf # - 7\n    - 0x1F\nv: [1, [2, x, 3], [[4, 5]]]\n"
    let document = parse(text)
    func numbers(_ key: String) -> [String] {
      var found: [String] = []
      document.root?[key]?.forEachNumberRange(in: document.source) { found.append(document.source.string(in: $0)) }
      return found
    }
    #expect(numbers("w") == ["1.5", "-2e3", ".inf", "0x1F"])
    #expect(numbers("v") == ["1", "2", "3", "4", "5"])
    #expect(numbers("a") == [])
    let weights = try #require(document.root?["w"])
    let found = (0...4).map { weights.range(ofNumber: $0, in: document.source).map { document.source.string(in: $0) } }
    #expect(found == ["1.5", "-2e3", ".inf", "0x1F", nil])
  }

  @Test(
    "Places are found behind unusual line breaks too, which are errors", arguments: ["\u{85}", "\u{2028}", "\u{2029}"])
  func unusualLineBreaks(character: String) {
    let document = parse("[1\(character), # é\(character) 2,\(character)3]")
    var found: [String] = []
    document.root?.forEachNumberRange(in: document.source) { found.append(document.source.string(in: $0)) }
    #expect(found == ["1", "2", "3"])
    #expect(document.diagnostics.map(\.code) == [.lineBreak, .lineBreak, .lineBreak])
  }

  @Test("A packed list knows whether all of its numbers are integers")
  func integral() throws {
    #expect(try list(["1", "2.0", "3e2"]).isIntegral)
    #expect(try !list(["1", "2.5"]).isIntegral)
    #expect(try !list(["1", ".inf"]).isIntegral)
  }

  @Test("Items of packed lists, made when asked for, are the nodes that they would have been", arguments: [1, 2, 3])
  func virtualItems(seed: UInt64) throws {
    var random = Generator(seed: seed)
    func nested(_ shape: ArraySlice<Int>, indent: Int, isFlow: Bool) -> String {
      guard let count = shape.first else { return "\(Int.random(in: -99...99, using: &random))" }
      let isFlow = isFlow || Bool.random(using: &random)
      let space = String(repeating: " ", count: isFlow ? Int.random(in: 0...2, using: &random) : indent)
      let items = (0..<count).map { _ in nested(shape.dropFirst(), indent: indent + 2, isFlow: isFlow) }
      if isFlow { return "[" + items.joined(separator: ",\(space)") + "]" }
      return items.map { "- " + $0 }.joined(separator: "\n" + space)
    }
    for _ in 0..<100 {
      let shape = (0..<Int.random(in: 1...4, using: &random)).map { _ in Int.random(in: 1...3, using: &random) }
      let text = nested(shape[...], indent: 0, isFlow: false)
      // A list that ends in a word is not packed, and its rows are nodes of their own.
      let isBlock = text.hasPrefix("-")
      let unpacked = isBlock ? text + "\n- end\n" : String(text.dropLast()) + ", end]"
      let packed = parse(text)
      let mixed = parse(unpacked)
      let list = try #require(packed.root)
      #expect(list.numbers?.shape == shape, "\(text)")
      let items = try #require(list.items(in: packed.source))
      let expected = try #require(mixed.root?.items(in: mixed.source)?.dropLast())
      #expect(items.map(\.range) == expected.map(\.range), "\(text)")
      #expect(items.map(written) == expected.map(written), "\(text)")
      #expect(items.count == list.elementCount)
    }
  }
}
