package import Diagnostics

/// The path of a file that a model names: relative to the model file (after links), and in its folder or below.
///
/// Throws `invalidData` for an absolute path, a `..` that leaves the folder, or a link that leads out of it; whether the
/// file is there is not asked.
package func containedPath(
  _ name: FilePath, besideModel model: FilePath, system: any SystemCalls = OperatingSystem()
) throws(Failure) -> FilePath {
  func wrong(_ what: String) -> Failure { Failure(.invalidData, "\(name): \(what)") }
  if name.bytes.contains(0) || name.components.isEmpty { throw wrong("not the name of a file") }
  if name.isAbsolute { throw wrong("an absolute path; name the file relative to the model file") }
  var depth = 0
  for component in name.components {
    depth += component == Array("..".utf8) ? -1 : 1
    if depth < 0 { throw wrong("leads out of the model's folder") }
  }
  let folder: FilePath
  do {
    folder = try system.resolve(model).folder
  } catch {
    throw error.whileReading(model.description)
  }
  let path = folder.appending(name)
  // What is there already may be a link; what is not there is judged by its folder.
  guard let resolved = try? system.resolve(path) else {
    if let parent = try? system.resolve(path.folder), parent != folder, parent.relative(to: folder) == nil {
      throw wrong("leads out of the model's folder by a link")
    }
    return path
  }
  guard resolved.relative(to: folder) != nil else { throw wrong("leads out of the model's folder by a link") }
  return resolved
}
