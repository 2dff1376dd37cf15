import Files

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The folder of a model file, after links: the files that the model names lie in it or below.
struct ModelFolder {
  /// Where a file that a model names is.
  enum Resolution {
    case found(FilePath)
    case missing(String)
    case outside(String)
  }

  /// The folder's path, without links and without a slash at its end.
  private let folder: String?

  init(modelPath: String) {
    guard let real = realPath(modelPath) else {
      folder = nil
      return
    }
    let end = real.lastIndex(of: "/") ?? real.startIndex
    folder = String(real[..<end])
  }

  /// Finds the file that is written as `written` in the model.
  func resolve(_ written: String) -> Resolution {
    if written.utf8.first == UInt8(ascii: "/") { return .outside("is an absolute path") }
    if written.utf8.contains(0) { return .missing("a name cannot hold a NUL character") }
    var depth = 0
    for part in written.split(separator: "/") where part != "." {
      depth += part == ".." ? -1 : 1
      if depth < 0 { return .outside("leaves the folder of the model") }
    }
    guard let folder else { return .missing("the model file itself is not in a folder") }
    guard let real = realPath(folder + "/" + written) else { return .missing(systemMessage()) }
    guard real.hasPrefix(folder + "/") else { return .outside("is a link that leads out of the folder of the model") }
    return .found(FilePath(real))
  }
}

/// A path without links, `.` and `..`; nil where nothing is there.
func realPath(_ path: String) -> String? {
  guard let resolved = unsafe realpath(path, nil) else { return nil }
  defer { unsafe free(resolved) }
  return unsafe String(cString: resolved)
}

/// What the system says of the last error.
private func systemMessage() -> String {
  guard let text = unsafe strerror(errno) else { return "error \(errno)" }
  return unsafe String(cString: text)
}
