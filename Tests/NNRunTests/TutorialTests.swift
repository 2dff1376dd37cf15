import Foundation
import Testing

/// The tutorial's code is the example's, which is compiled and run.
@Suite("The tutorial")
struct TutorialTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  private static func lines(_ path: String) throws -> [String] {
    try String(contentsOf: root.appending(path: path), encoding: .utf8).components(separatedBy: "\n")
      .map { $0.trimmingCharacters(in: .whitespaces) }
  }

  @Test("every block of code below the first, which is of a manifest, stands in the example as it is")
  func blocks() throws {
    let tutorial = try Self.lines("Sources/NNRun/NNRun.docc/GettingStarted.md")
    let example = try Self.lines("Examples/digits/Sources/digits/main.swift")
    let blocks = tutorial.split(omittingEmptySubsequences: false) { $0.hasPrefix("```") }.enumerated()
      .filter { $0.offset % 2 == 1 }.map { Array($0.element) }.dropFirst()
    #expect(blocks.count >= 7)
    for block in blocks {
      let stands = example.indices.contains { example[$0...].starts(with: block) }
      #expect(stands, "\(block.joined(separator: "\n"))")
    }
  }
}
