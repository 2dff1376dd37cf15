import Foundation
import Testing

/// The shared library as other languages use it: through Python's ctypes, with nothing but the header's functions.
@Suite("The library for C")
struct CLibraryTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  private static let python = ["/usr/bin/python3", "/usr/local/bin/python3"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  @Test(
    "loads, runs and frees models from Python, and answers every mistake with a status and a message",
    .enabled(if: python != nil, "python3 is not installed"))
  func usesTheLibrary() throws {
    let library = try #require(Self.library, "libnnrun-c.so is not built")
    let process = Process()
    process.executableURL = URL(filePath: try #require(Self.python))
    process.arguments = ["Tests/CLibraryTests/use_library.py", library.path]
    process.currentDirectoryURL = Self.root
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 0, "\(text)")
    #expect(text.contains("OK"), "\(text)")
  }

  /// The library that the build put beside the tests.
  private static var library: URL? {
    var folder = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    while folder.path != "/" {
      folder = folder.deletingLastPathComponent()
      let library = folder.appending(path: "libnnrun-c.so")
      if FileManager.default.fileExists(atPath: library.path) { return library }
    }
    let built = root.appending(path: ".build/debug/libnnrun-c.so")
    return FileManager.default.fileExists(atPath: built.path) ? built : nil
  }
}
