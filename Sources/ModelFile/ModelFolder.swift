package import Files

/// The folder of a model file, after links: the files that the model names lie in it or below.
package struct ModelFolder {
  /// Where a file that a model names is.
  package enum Resolution {
    case found(FilePath)
    case missing(String)
    case outside(String)
  }

  /// The folder's path, without links.
  private let folder: FilePath?
  private let system = OperatingSystem()

  package init(modelPath: String) { self.init(modelPath: FilePath(modelPath)) }

  package init(modelPath: FilePath) { folder = (try? system.resolve(modelPath))?.folder }

  /// Finds the file that is written as `written` in the model.
  package func resolve(_ written: String) -> Resolution {
    if written.utf8.first == UInt8(ascii: "/") { return .outside("is an absolute path") }
    if written.utf8.contains(0) { return .missing("a name cannot hold a NUL character") }
    var depth = 0
    for part in written.split(separator: "/") where part != "." {
      depth += part == ".." ? -1 : 1
      if depth < 0 { return .outside("leaves the folder of the model") }
    }
    guard let folder else { return .missing("the model file itself is not in a folder") }
    do {
      let real = try system.resolve(folder.appending(FilePath(written)))
      guard real.relative(to: folder) != nil else {
        return .outside("is a link that leads out of the folder of the model")
      }
      return .found(real)
    } catch {
      return .missing(error.reason)
    }
  }
}
