import Diagnostics
import Files
import ModelFile
import YAML

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

/// The model files in a folder and below it; says which other files it passes over, unless it takes them all.
func modelFiles(
  below folder: String, takingAll: Bool = false, _ options: SharedOptions
) throws(Failure) -> [String] {
  let files = try yamlFiles(below: folder)
  if files.isEmpty { options.remark("\(printable(folder)): no *.yaml files") }
  if takingAll { return files }
  var models: [String] = []
  for file in files {
    // A file that cannot be read is left to whoever asked for it, to say so.
    if (try? meansToBeModel(file)) ?? true {
      models.append(file)
    } else {
      options.remark("\(printable(file)): passed over, as it has no `nnrun` key")
    }
  }
  return models
}

/// Whether a file means to be a model. One that cannot be read as YAML is judged by its lines.
private func meansToBeModel(_ file: String) throws(Failure) -> Bool {
  let source = SourceText(name: file, bytes: try readTextFile(file))
  if let root = YAMLDocument.parse(source: source).root, root.entries != nil { return root["nnrun"] != nil }
  return (1...source.lineCount).contains { source.line($0).starts(with: "nnrun:".utf8) }
}
