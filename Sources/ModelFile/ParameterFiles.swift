package import Diagnostics
import Files
package import Tensors
package import YAML

/// The files that a model names, found and opened once each.
final class ParameterFiles {
  private let folder: ModelFolder
  private let toleratesMissing: Bool
  private var results: [FilePath: Result<ModelFiles.Opened, Failure>] = [:]
  /// The files that are not there, as the model names them, where that is tolerated.
  private(set) var missing: [String] = []

  /// The files that could be opened.
  var opened: [FilePath: ModelFiles.Opened] { results.compactMapValues { try? $0.get() } }

  /// The files of the model at a path; with `toleratesMissing`, one that is not there is no error, and its arrays have no
  /// source.
  init(modelPath: String, toleratesMissing: Bool = false) {
    folder = ModelFolder(modelPath: modelPath)
    self.toleratesMissing = toleratesMissing
  }

  /// The array that `{file: ..., key: ...}` names; nil where it is not there, which is reported.
  func array(
    in fileNode: Node, key keyNode: Node?, path: String, range: SourceRange, uses: [BlockUse],
    sink: inout DiagnosticSink
  ) -> GivenParameter? {
    guard let written = fileNode.string else { return nil }
    guard let (file, array) = open(fileNode, uses: uses, sink: &sink) else {
      guard missing.contains(written) else { return nil }
      let reference = ArrayReference(file: FilePath(written), writtenFile: written, key: keyNode?.string ?? path)
      return GivenParameter(origin: .file(reference), shape: nil, range: range)
    }
    guard case .archive(let archive) = array else {
      if case .array(let source) = array {
        let reference = ArrayReference(file: file, writtenFile: written, key: nil)
        return GivenParameter(origin: .file(reference), shape: source.shape, array: source, range: range)
      }
      return nil
    }
    let key: String
    if let name = keyNode?.string {
      guard archive.contains(name) else {
        report(missing: name, in: archive, written: written, at: keyNode?.range ?? range, uses: uses, sink: &sink)
        return nil
      }
      key = name
    } else if archive.contains(path) {
      key = path
    } else if archive.keys.count == 1 {
      key = archive.keys[0]
    } else {
      sink.add(
        .missingArray, "`\(written)` holds \(archive.keys.count) arrays, none of them called `\(path)`", at: range,
        notes: [DiagnosticNote("add `key:` with one of \(namesInWords(archive.keys))")], uses: uses)
      return nil
    }
    do throws(Failure) {
      let source = try archive.source(key)
      let reference = ArrayReference(file: file, writtenFile: written, key: key)
      return GivenParameter(origin: .file(reference), shape: source.shape, array: source, range: range)
    } catch {
      sink.add(.badFile, error.message, at: range, uses: uses)
      return nil
    }
  }

  /// The model's `weights` file; nil where it is not there or not sound, which is reported.
  func weightFile(_ node: Node, sink: inout DiagnosticSink) -> WeightFile? {
    guard let written = node.string else { return nil }
    guard let (file, array) = open(node, uses: [], sink: &sink) else {
      guard missing.contains(written) else { return nil }
      return WeightFile(archive: nil, file: FilePath(written), writtenFile: written, range: node.range)
    }
    guard case .archive(let archive) = array else {
      sink.add(
        .badFile, "`\(written)` holds one array without a name, but `weights` needs a .safetensors or .npz file",
        at: node.range)
      return nil
    }
    return WeightFile(archive: archive, file: file, writtenFile: written, range: node.range)
  }

  private func report(
    missing name: String, in archive: ArrayArchive, written: String, at range: SourceRange, uses: [BlockUse],
    sink: inout DiagnosticSink
  ) {
    let near = suggestion(for: name, among: archive.keys)
    sink.add(
      .missingArray, "`\(written)` has no array `\(name)`", at: range,
      notes: [DiagnosticNote(near.map { "did you mean `\($0)`?" } ?? "it has \(namesInWords(archive.keys))")],
      uses: uses)
  }

  private func open(
    _ node: Node, uses: [BlockUse], sink: inout DiagnosticSink
  ) -> (file: FilePath, array: ArrayFile)? {
    guard let written = node.string else { return nil }
    let file: FilePath
    switch folder.resolve(written) {
    case .found(let path): file = path
    case .missing(let reason):
      if tolerate(written) { return nil }
      sink.add(.missingFile, "`\(written)` cannot be read: \(reason)", at: node.range, uses: uses)
      return nil
    case .outside(let reason):
      sink.add(
        .filePath, "`\(written)` \(reason)", at: node.range,
        notes: [DiagnosticNote("files lie in the folder of the model or below it, and are named from there")],
        uses: uses)
      return nil
    }
    let result: Result<ModelFiles.Opened, Failure>
    if let known = results[file] {
      result = known
    } else {
      do throws(Failure) {
        let input = try InputFile(file)
        result = .success(.init(array: try ArrayFile(input, suffix: file.suffix), status: input.status))
      } catch {
        result = .failure(error)
      }
      results[file] = result
    }
    switch result {
    case .success(let opened): return (file, opened.array)
    case .failure(let failure):
      if failure.kind == .cannotRead, tolerate(written) { return nil }
      sink.add(failure.kind == .cannotRead ? .missingFile : .badFile, failure.message, at: node.range, uses: uses)
      return nil
    }
  }

  private func tolerate(_ written: String) -> Bool {
    if toleratesMissing, !missing.contains(written) { missing.append(written) }
    return toleratesMissing
  }
}

/// The file that a model's `weights` key names.
struct WeightFile {
  /// Its arrays; nil where it is not there and that is tolerated.
  let archive: ArrayArchive?
  let file: FilePath
  let writtenFile: String
  let range: SourceRange

  /// The array under a parameter's path; nil where there is none, or it is damaged, which is reported.
  func parameter(at path: String, sink: inout DiagnosticSink) -> GivenParameter? {
    let reference = ArrayReference(file: file, writtenFile: writtenFile, key: path)
    guard let archive else { return GivenParameter(origin: .weights(reference), shape: nil, range: range) }
    guard archive.contains(path) else { return nil }
    do throws(Failure) {
      let source = try archive.source(path)
      return GivenParameter(origin: .weights(reference), shape: source.shape, array: source, range: range)
    } catch {
      sink.add(.badFile, error.message, at: range)
      return nil
    }
  }

  /// Warns about arrays that no parameter takes.
  func reportUnused(takenBy parameters: [Parameter], sink: inout DiagnosticSink) {
    guard let archive else { return }
    var taken: Set<String> = []
    for parameter in parameters {
      switch parameter.origin {
      case .file(let reference), .weights(let reference):
        if reference.file == file, let key = reference.key { taken.insert(key) }
      default: break
      }
    }
    let paths = parameters.map(\.path)
    for name in archive.keys where !taken.contains(name) && !sink.isFull(.warning) {
      let near = suggestion(for: name, among: paths)
      sink.add(
        .unusedArray, "no parameter takes the array `\(name)` of `\(writtenFile)`", at: range,
        notes: near.map { [DiagnosticNote("there is a parameter `\($0)`")] } ?? [])
    }
  }
}

extension Model {
  /// The array that `{file: ..., key: ...}` names, by the rules for the model's files.
  package func array(_ node: Node) throws(Failure) -> ArraySource {
    var sink = DiagnosticSink(source: source)
    let files = ParameterFiles(modelPath: path)
    guard let file = node["file"],
      let given = files.array(in: file, key: node["key"], path: "", range: node.range, uses: [], sink: &sink),
      let array = given.array
    else { throw Failure(sink.diagnostics) }
    return array
  }
}
