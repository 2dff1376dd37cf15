package import Diagnostics
package import Files
package import Tensors
import YAML

extension Model {
  /// Writes new values of parameters, by their index in `parameters`, to where the old ones came from (FORMAT, "What is
  /// written back"), and nothing else: all files together or none of them.
  ///
  /// Parameters that are not in `values` stay; drawn ones that an output needs are written as they are drawn. What
  /// changes nothing writes nothing. Returns the files that were written.
  ///
  /// Throws `busy` where a file changed since the model was read (the new versions are kept beside), `cannotCreate` or
  /// `inputOutput` where one cannot be written, `invalidData` where the text has no place for a value.
  @discardableResult
  package func writeBack(_ values: [Int: AnyTensor], lock: ModelLock? = nil) throws(Failure) -> [FilePath] {
    var planner = WriteBackPlanner(self, values: values, output: FilePath(path))
    try planner.planAll()
    return try commit(planner.plan, values: values, lock: lock)
  }

  /// The model's text with new values of parameters, as `writeBack` writes it.
  package func rewrittenText(with values: [Int: AnyTensor]) throws(Failure) -> [UInt8] {
    var planner = WriteBackPlanner(self, values: values, output: FilePath(path))
    try planner.planAll()
    return try editedText(planner.plan)
  }

  /// Makes sure, before work is put into new values, that they can be written back: that the text has a place for them, and
  /// is a model with others in it, and that the folders of the files can be written to.
  package func requireWritable() throws(Failure) {
    try requireEditable()
    for folder in Set([resolved(FilePath(path)).folder] + parameters.compactMap { $0.origin.file?.folder }) {
      try requireWritableFolder(folder)
    }
  }

  /// Edits the text as a training may have to, with values that all differ, and throws what is wrong with the result.
  private func requireEditable() throws(Failure) {
    var values: [Int: AnyTensor] = [:]
    // Of many numbers, the first stand for the others.
    var room = 1 << 16
    for (index, parameter) in parameters.enumerated() where parameter.count <= room {
      switch parameter.origin {
      case .values, .number, .binary:
        room -= parameter.count
        let numbers = (0..<parameter.count).map { Double(index + $0) + 0.5 }
        values[index] = AnyTensor.float64(Tensor(shape: parameter.shape, elements: numbers)).converted(to: elementType)
      case .file, .weights, .drawn: break
      }
    }
    var planner = WriteBackPlanner(self, values: values, output: FilePath(path))
    try planner.planAll()
    if !planner.plan.edits.isEmpty { try verify(try editedText(planner.plan), values: values, of: planner.plan) }
    if let weights = planner.plan.newWeights {
      let place = resolved(FilePath(path)).sibling(FilePath(weights.writtenFile))
      if (try? OperatingSystem().status(of: place, followingLinks: false)) != nil {
        throw Failure(
          .cannotCreate,
          "the model's \(weights.arrays.count) drawn parameters would go into \(place), which exists already; "
            + "move it away, or name it in the model as `weights:`")
      }
    }
  }

  /// The name of a weight file that is made for the model file at `model`, as it stands in the text.
  func newWeightsName(besideModel model: FilePath) throws(Failure) -> String {
    guard let stem = String(validating: resolved(model).stem, as: UTF8.self) else {
      throw Failure(.cannotCreate, "\(model): a model that gains a weight file needs a name in UTF-8")
    }
    return stem + ".safetensors"
  }

  /// Makes a plan's changes of the model's own files.
  func commit(
    _ plan: WriteBackPlan, values: [Int: AnyTensor], lock: ModelLock? = nil, replacing: Bool = false
  ) throws(Failure) -> [FilePath] {
    var changes: [FileChange] = []
    let model = FilePath(path)
    for (path, archive) in plan.archives.sorted(by: { $0.key.description < $1.key.description }) {
      guard let opened = files.arrays[path] else {
        throw Failure(.busy, "\(archive.writtenFile) was not read with the model")
      }
      let changed = try archive.withoutWhatStays(in: opened.array)
      guard !changed.isEmpty else { continue }
      changes.append(
        FileChange(path, original: opened.status) { sink throws(Failure) in
          try opened.array.rewrite(replacing: changed.replacements, adding: changed.additions, to: sink)
        })
    }
    if let weights = plan.newWeights {
      let path = resolved(model).sibling(FilePath(weights.writtenFile))
      changes.append(
        FileChange(path, original: nil, replacesAnything: replacing) { sink throws(Failure) in
          if path.suffix == "npz" {
            try writeNPZ(weights.arrays, to: sink)
          } else {
            try writeSafetensors(weights.arrays, to: sink)
          }
        })
    }
    if !plan.edits.isEmpty {
      let bytes = try editedText(plan)
      if bytes != source.bytes {
        try verify(bytes, values: values, of: plan)
        changes.append(FileChange(model, original: files.model, bytes: bytes))
      }
    }
    guard !changes.isEmpty else { return [] }
    try FileTransaction(model: model).commit(changes, lock: lock)
    return changes.map(\.path)
  }

  /// The model's text with a plan's edits.
  func editedText(_ plan: WriteBackPlan) throws(Failure) -> [UInt8] {
    guard let bytes = plan.edits.applied(to: source) else {
      throw Failure(.invalidData, "the numbers of \(path) share their text in a way that cannot be edited")
    }
    return bytes
  }

  private func verify(_ bytes: [UInt8], values: [Int: AnyTensor], of plan: WriteBackPlan) throws(Failure) {
    try verify(bytes, values: values, isWhole: plan.newWeights == nil && plan.archives.isEmpty)
  }

  /// Reads a new text before it replaces the old one: a fault of the editing must never reach the author's file.
  func verify(_ bytes: [UInt8], values: [Int: AnyTensor], isWhole: Bool) throws(Failure) {
    func fault(_ what: String) -> Failure {
      Failure(
        .invalidData,
        "\(path) was left as it is: \(what) after the edit of its text, which is written in a way that is not supported; "
          + "keep its parameters in a file, or write them without aliases and tags")
    }
    let text = SourceText(name: path, bytes: bytes)
    guard isWhole else {
      if YAMLDocument.parse(source: text).hasErrors { throw fault("it would not be readable") }
      return
    }
    guard let new = ModelLoader.load(source: text, path: path).model, new.parameters.count == parameters.count else {
      throw fault("it would not be a valid model")
    }
    for (index, value) in values {
      switch new.parameters[index].origin {
      case .values, .number, .binary:
        guard try new.value(of: index).isIdentical(to: value) else {
          throw fault("`\(parameters[index].path)` would have other values")
        }
      case .file, .weights, .drawn: break
      }
    }
  }
}

extension Parameter.Origin {
  /// The file that the values are in.
  var file: FilePath? {
    switch self {
    case .file(let reference), .weights(let reference): reference.file
    case .values, .number, .binary, .drawn: nil
    }
  }
}

extension WriteBackPlan.ArchiveChange {
  var isEmpty: Bool { replacements.isEmpty && additions.isEmpty }

  /// The change without the values that are there already, whatever type they are stored as.
  func withoutWhatStays(in file: ArrayFile) throws(Failure) -> WriteBackPlan.ArchiveChange {
    var changed = self
    for (key, value) in replacements {
      let stored: AnyTensor
      switch file {
      case .array(let source): stored = try source.read(as: value.elementType)
      case .archive(let archive): stored = try archive.read(key, as: value.elementType)
      }
      if stored.isIdentical(to: value) { changed.replacements[key] = nil }
    }
    return changed
  }
}

/// The absolute path without links of something that is there; else the path itself.
func resolved(_ path: FilePath) -> FilePath { (try? OperatingSystem().resolve(path)) ?? path }

/// Throws `cannotCreate` where no file can be made in a folder.
func requireWritableFolder(_ folder: FilePath) throws(Failure) {
  let system = OperatingSystem()
  // A file without a name leaves nothing, whatever happens; not every file system has them.
  if (try? FileDescriptor(folder, .unnamed(permissions: 0o600), system)) != nil { return }
  let probe = temporaryPath(for: folder.appending("probe"), system)
  do throws(SystemError) {
    let file = try FileDescriptor(probe, .creating(permissions: 0o600), system)
    try system.remove(probe)
    try file.close()
  } catch {
    throw Failure(.cannotCreate, "the model could not be saved: cannot write to the folder \(folder): \(error.reason)")
  }
}
