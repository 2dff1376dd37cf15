import Diagnostics
import Testing
import YAML

@Suite("Anchors, aliases and merge keys")
struct SharingTests {
  @Test("An alias is the very node of its anchor, under merge keys too")
  func identity() throws {
    let root = try #require(
      parse("a: &a {w: [1, 2]}\nb: *a\nc: {<<: *a, k: 1}\nd: &n 5\ne: [*n, &m [3], *m]\n").root)
    #expect(root["a"] === root["b"])
    #expect(root["a"]?["w"] === root["c"]?["w"])
    #expect(root["c"]?.entry("w")?.isMerged == true)
    #expect(root["c"]?.entry("k")?.isMerged == false)
    guard case .sequence(let items)? = root["e"]?.content else {
      Issue.record("no list")
      return
    }
    #expect(items[0] === root["d"])
    #expect(items[1] === items[2])
  }

  @Test(
    "Own keys win over merged ones, earlier mappings over later ones, wherever the merge key stands",
    arguments: [
      ("{<<: *a, x: 9}", "{y: 2, x: 9}"), ("{x: 9, <<: *a}", "{x: 9, y: 2}"),
      ("{p: 0, <<: *a, q: 3}", "{p: 0, x: 1, y: 2, q: 3}"),
      ("{<<: [*a, *b]}", "{x: 1, y: 2, z: 4}"), ("{<<: [*b, *a]}", "{y: 3, z: 4, x: 1}"), ("{<<: []}", "{}"),
      ("{<<: {k: 1}, l: 2}", "{k: 1, l: 2}"), ("{<<: *c}", "{x: 1, y: 5}"), ("{<<: *s}", "{x: 1, y: 2, z: 4}"),
    ])
  func merging(text: String, meaning: String) {
    let document = parse(
      "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc: &c {<<: *a, y: 5}\ns: &s [*a, *b]\nresult: " + text + "\n")
    #expect(document.diagnostics.isEmpty)
    #expect(written(document.root?["result"]) == meaning)
  }

  @Test("A mapping of many keys finds the second of two at once, and merging many stays quick")
  func manyKeys() {
    let keys = (0..<20_000).map { "k\($0): 1" }.joined(separator: "\n")
    #expect(parse(keys + "\nk19999: 2\n").diagnostics.map(\.code) == [.duplicateKey])
    #expect(parse(keys + "\nk3: 2\n").diagnostics.map(\.code) == [.duplicateKey])
    #expect(parse(keys).root?.elementCount == 20_000)
  }
}
