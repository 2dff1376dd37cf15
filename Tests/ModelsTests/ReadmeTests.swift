import Foundation
import TestSupport
import Testing

/// What the documentation shows is what happens: `console` blocks are run, and print what stands under each command.
struct ReadmeTests {
  @Test("a page's console blocks run and print what the page shows", arguments: ["README.md"])
  func tour(page: String) throws {
    let blocks = consoleBlocks(try Repository.text(page))
    try #require(!blocks.isEmpty)
    let copy = try WorkingCopy()
    defer { copy.remove() }
    for step in blocks {
      let result = try copy.shell(step.command)
      let output = result.output.split(separator: "\n", omittingEmptySubsequences: false).map(trimmed)
      #expect(result.status == step.status, "\(step.command): \(result.output)")
      // A line of `...` stands for any lines.
      #expect(matches(output[...], step.output[...]), "\(step.command) prints:\n\(result.output)")
    }
  }

  private struct Step {
    var command: String
    var output: [String] = []
    var status: Int32 = 0
  }

  private func trimmed(_ line: Substring) -> String {
    String(line.reversed().drop { $0 == " " }.reversed())
  }

  private func consoleBlocks(_ text: String) -> [Step] {
    var steps: [Step] = []
    var isInside = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") {
        isInside = line == "```console"
      } else if isInside, line.hasPrefix("$ ") {
        steps.append(Step(command: String(line.dropFirst(2))))
        if let range = line.range(of: "# exit "), let status = Int32(line[range.upperBound...]) {
          steps[steps.count - 1].status = status
        }
      } else if isInside, !steps.isEmpty {
        steps[steps.count - 1].output.append(trimmed(line))
      }
    }
    return steps
  }

  private func matches(_ output: ArraySlice<String>, _ expected: ArraySlice<String>) -> Bool {
    guard let first = expected.first else { return output.allSatisfy(\.isEmpty) }
    if first == "..." {
      return output.indices.contains { matches(output[$0...], expected.dropFirst()) } || expected.count == 1
    }
    guard let line = output.first else { return false }
    // So does one that ends with it, from there on: times differ.
    let isSame = first.hasSuffix("...") ? line.hasPrefix(first.dropLast(3)) : line == first
    return isSame && matches(output.dropFirst(), expected.dropFirst())
  }
}
