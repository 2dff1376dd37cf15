import Foundation

/// The repository that the tests stand in.
enum Repository {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  static func path(_ path: String) -> String { root.appending(path: path).path }

  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  /// The paths, without `.yaml`, of the model files in the folders directly under `folder`.
  static func modelStems(under folder: String) throws -> [String] {
    let manager = FileManager.default
    let start = root.appending(path: folder)
    return try manager.subpathsOfDirectory(atPath: start.path).sorted()
      .filter { $0.hasSuffix(".yaml") }.map { "\(folder)/\($0.dropLast(".yaml".count))" }
  }

  /// `PATH.npy` or `PATH.npz`, whichever is there.
  static func arrayFile(_ path: String) -> String? {
    ["npy", "npz"].map { root.appending(path: "\(path).\($0)").path }.first {
      FileManager.default.fileExists(atPath: $0)
    }
  }
}
