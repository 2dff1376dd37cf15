import Foundation
import TestSupport
import Testing

/// A copy of the repository's models, in which commands run as in a shell, so that training changes nothing here.
struct WorkingCopy {
  /// Where it is.
  let folder: URL

  init() throws {
    let manager = FileManager.default
    folder = manager.temporaryDirectory.appending(path: "nnrun-copy-\(UUID().uuidString)")
    try manager.createDirectory(at: folder, withIntermediateDirectories: true)
    for name in ["models", "schemas"] {
      try manager.copyItem(at: Repository.root.appending(path: name), to: folder.appending(path: name))
    }
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  /// What a command prints to both streams, with `nnrun` on the path.
  func shell(_ command: String) throws -> (output: String, status: Int32) {
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
