import Diagnostics
import Tensors
import YAML

/// The files that a model names, found and opened once each.
final class ParameterFiles {
  private let folder: ModelFolder
  private var archives: [String: Result<ArrayArchive, Failure>] = [:]

  init(modelPath: String) { folder = ModelFolder(modelPath: modelPath) }

  /// The array that `{file: ..., key: ...}` names; nil where it is not there, which is reported.
  func array(
    in fileNode: Node, key keyNode: Node?, path: String, range: SourceRange, uses: [BlockUse],
    sink: inout DiagnosticSink
  ) -> GivenParameter? {
    guard let (file, archive) = open(fileNode, uses: uses, sink: &sink), let written = fileNode.string else {
      return nil
    }
    let key: String
    if let name = keyNode?.string {
      guard archive.names.contains(name) else {
        report(missing: name, in: archive, written: written, at: keyNode?.range ?? range, uses: uses, sink: &sink)
        return nil
      }
      key = name
    } else if archive.names.contains(path) {
      key = path
    } else if archive.names.count == 1 {
      key = archive.names[0]
    } else {
      sink.add(
        .missingArray, "`\(written)` holds \(archive.names.count) arrays, none of them called `\(path)`", at: range,
        notes: [DiagnosticNote("add `key:` with one of \(namesInWords(archive.names))")], uses: uses)
      return nil
    }
    let reference = ArrayReference(file: file, writtenFile: written, key: archive.isSingle ? nil : key)
    return GivenParameter(origin: .file(reference), shape: archive.shape(of: key), range: range)
  }

  /// The model's `weights` file; nil where it is not there or not sound, which is reported.
  func weightFile(_ node: Node, sink: inout DiagnosticSink) -> WeightFile? {
    guard let (file, archive) = open(node, uses: [], sink: &sink), let written = node.string else { return nil }
    return WeightFile(archive: archive, file: file, writtenFile: written, range: node.range)
  }

  private func report(
    missing name: String, in archive: ArrayArchive, written: String, at range: SourceRange, uses: [BlockUse],
    sink: inout DiagnosticSink
  ) {
    let near = suggestion(for: name, among: archive.names)
    sink.add(
      .missingArray, "`\(written)` has no array `\(name)`", at: range,
      notes: [DiagnosticNote(near.map { "did you mean `\($0)`?" } ?? "it has \(namesInWords(archive.names))")], uses: uses)
  }

  private func open(
    _ node: Node, uses: [BlockUse], sink: inout DiagnosticSink
  ) -> (file: String, archive: ArrayArchive)? {
    guard let written = node.string else { return nil }
    let file: String
    switch folder.resolve(written) {
    case .found(let path): file = path
    case .missing(let reason):
      sink.add(.missingFile, "`\(written)` cannot be read: \(reason)", at: node.range, uses: uses)
      return nil
    case .outside(let reason):
      sink.add(
        .filePath, "`\(written)` \(reason)", at: node.range,
        notes: [DiagnosticNote("files lie in the folder of the model or below it, and are named from there")],
        uses: uses)
      return nil
    }
    let result: Result<ArrayArchive, Failure>
    if let known = archives[file] {
      result = known
    } else {
      do throws(Failure) {
        result = .success(try ArrayArchive(path: file))
      } catch {
        result = .failure(error)
      }
      archives[file] = result
    }
    switch result {
    case .success(let archive): return (file, archive)
    case .failure(let failure):
      sink.add(failure.kind == .cannotRead ? .missingFile : .badFile, failure.message, at: node.range, uses: uses)
      return nil
    }
  }
}

/// The file that a model's `weights` key names.
struct WeightFile {
  let archive: ArrayArchive
  let file: String
  let writtenFile: String
  let range: SourceRange

  /// The array under a parameter's path.
  func parameter(at path: String) -> GivenParameter? {
    guard archive.names.contains(path) else { return nil }
    let reference = ArrayReference(file: file, writtenFile: writtenFile, key: path)
    return GivenParameter(origin: .weights(reference), shape: archive.shape(of: path), range: range)
  }

  /// Warns about arrays that no parameter takes.
  func reportUnused(takenBy parameters: [Parameter], sink: inout DiagnosticSink) {
    var taken: Set<String> = []
    for parameter in parameters {
      switch parameter.origin {
      case .file(let reference), .weights(let reference):
        if reference.file == file, let key = reference.key { taken.insert(key) }
      default: break
      }
    }
    let paths = parameters.map(\.path)
    for name in archive.names where !taken.contains(name) {
      let near = suggestion(for: name, among: paths)
      sink.add(
        .unusedArray, "no parameter takes the array `\(name)` of `\(writtenFile)`", at: range,
        notes: near.map { [DiagnosticNote("there is a parameter `\($0)`")] } ?? [])
    }
  }
}
