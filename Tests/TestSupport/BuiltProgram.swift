package import Foundation

/// The program that the build made.
package enum BuiltProgram {
  /// The folder that `nnrun` is in.
  package static var folder: URL? {
    var folder = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    while folder.path != "/" {
      folder = folder.deletingLastPathComponent()
      if FileManager.default.isExecutableFile(atPath: folder.appending(path: "nnrun").path) { return folder }
    }
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let built = root.appending(path: ".build/debug")
    return FileManager.default.isExecutableFile(atPath: built.appending(path: "nnrun").path) ? built : nil
  }
}
