import Diagnostics
import Files

/// Whether a path names a folder.
func isFolder(_ path: String) -> Bool {
  (try? OperatingSystem().status(of: FilePath(path), followingLinks: true))?.kind == .folder
}

/// Whether anything is at a path.
func fileExists(_ path: String) -> Bool {
  (try? OperatingSystem().status(of: FilePath(path), followingLinks: true)) != nil
}

/// The `*.yaml` files in a folder and below it, in the order of their paths. Hidden folders and links to folders are
/// left out, so the search ends.
func yamlFiles(below folder: String) throws(Failure) -> [String] {
  let system = OperatingSystem()
  var files: [String] = []
  var pending = [FilePath(folder)]
  while let current = pending.popLast() {
    let names: [FilePath]
    do {
      names = try system.names(in: current)
    } catch {
      throw error.whileReading(current.description)
    }
    for name in names where name.bytes.first != UInt8(ascii: ".") {
      let path = FilePath(
        bytes: current.bytes + (current.bytes.last == UInt8(ascii: "/") ? [] : [UInt8(ascii: "/")]) + name.bytes)
      if (try? system.status(of: path, followingLinks: false))?.kind == .folder {
        pending.append(path)
      } else if name.bytes.suffix(5) == Array(".yaml".utf8)[...] {
        files.append(path.text)
      }
    }
  }
  return files.sorted()
}
