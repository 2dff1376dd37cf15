import Foundation
import TestSupport
import Testing

/// What the documentation shows is what happens: `console` blocks are run, and print what stands under each command.
struct ReadmeTests {
  @Test("a page's console blocks run and print what the page shows", arguments: ["README.md"])
  func tour(page: String) throws {
    let blocks = consoleBlocks(try Repository.text(page))
    try #require(!blocks.isEmpty)
    let folder = try workingCopy()
    defer { try? FileManager.default.removeItem(at: folder) }
    for step in blocks {
      let result = try shell(step.command, in: folder)
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
    return output.first == first && matches(output.dropFirst(), expected.dropFirst())
  }

  /// A copy of what the commands read, so that training in it changes nothing here.
  private func workingCopy() throws -> URL {
    let manager = FileManager.default
    let folder = manager.temporaryDirectory.appending(path: "nnrun-readme-\(UUID().uuidString)")
    try manager.createDirectory(at: folder, withIntermediateDirectories: true)
    for name in ["models", "schemas"] {
      try manager.copyItem(at: Repository.root.appending(path: name), to: folder.appending(path: name))
    }
    return folder
  }

  /// What a command prints to both streams, with `nnrun` on the path.
  private func shell(_ command: String, in folder: URL) throws -> (output: String, status: Int32) {
    let products = try #require(BuiltProgram.folder, "nnrun is not built")
    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    process.arguments = ["-c", command]
    process.currentDirectoryURL = folder
    var environment = ProcessInfo.processInfo.environment
    environment["PATH"] = products.path + ":" + (environment["PATH"] ?? "/usr/bin:/bin")
    environment["NO_COLOR"] = "1"
    process.environment = environment
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (String(decoding: data, as: UTF8.self), process.terminationStatus)
  }
}
