import Diagnostics
import Testing

@testable import YAML

@Suite("The most values of a file")
struct NodeLimitTests {
  private func codes(_ text: String, most: Int) -> [DiagnosticCode] {
    YAMLDocument.parse(source: SourceText(name: "a.yaml", bytes: Array(text.utf8)), mostNodes: most).diagnostics
      .map(\.code)
  }

  @Test("values are counted; numbers in packed lists are not, but those that become values are")
  func counted() {
    #expect(codes("[a, b, c]", most: 4) == [])
    #expect(codes("[a, b, c]", most: 3) == [.tooManyValues])
    #expect(codes("{a: 1, b: [1, 2, 3, 4, 5, 6]}", most: 5) == [])
    #expect(codes("[1, 2, 3, 4, 5, 6, x]", most: 8) == [])
    #expect(codes("[1, 2, 3, 4, 5, 6, x]", most: 5) == [.tooManyValues])
  }

  @Test("the limit is ten million") func limit() { #expect(NodeBuilder.mostNodes == 10_000_000) }
}
