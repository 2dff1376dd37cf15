package import Files
package import Foundation

/// A folder that is gone when the test is over.
package final class TemporaryFolder {
  package let url: URL

  package init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "nnrun-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// The path of a file in it.
  package func path(_ name: String) -> String { url.appending(path: name).path }

  package func file(_ name: String) -> FilePath { FilePath(path(name)) }

  @discardableResult
  package func write(_ text: String, to name: String) throws -> FilePath { try write(Array(text.utf8), to: name) }

  @discardableResult
  package func write(_ bytes: [UInt8], to name: String) throws -> FilePath {
    try Data(bytes).write(to: url.appending(path: name))
    return file(name)
  }

  package func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }

  package func bytes(_ name: String) throws -> Data { try Data(contentsOf: url.appending(path: name)) }

  /// The names of the files in it, hidden ones too.
  package var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted() }
}
