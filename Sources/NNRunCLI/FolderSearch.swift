import Diagnostics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Whether a path names a folder.
func isFolder(_ path: String) -> Bool {
  var status = stat()
  return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

/// Whether anything is at a path.
func fileExists(_ path: String) -> Bool {
  var status = stat()
  return unsafe stat(path, &status) == 0
}

/// The `*.yaml` files in a folder and below it, in the order of their paths. Hidden folders and links to folders are
/// left out, so the search ends.
func yamlFiles(below folder: String) throws(Failure) -> [String] {
  var files: [String] = []
  var pending = [folder]
  while let current = pending.popLast() {
    guard let directory = unsafe opendir(current) else {
      throw Failure(.cannotRead, "`\(printable(current))` cannot be read: \(unsafe String(cString: strerror(errno)))")
    }
    defer { unsafe closedir(directory) }
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name.hasPrefix(".") { continue }
      let path = current.hasSuffix("/") ? current + name : current + "/" + name
      var status = stat()
      guard unsafe lstat(path, &status) == 0 else { continue }
      if status.st_mode & S_IFMT == S_IFDIR {
        pending.append(path)
      } else if name.hasSuffix(".yaml") {
        files.append(path)
      }
    }
  }
  return files.sorted()
}
