package import Diagnostics
package import Files
package import Tensors
import YAML

extension Model {
  /// Writes the model with new values of parameters to `output`, and the files that it names beside `output` under the
  /// stem of its name; the model's own files are not touched.
  ///
  /// Where `output` is in another folder, the data of the model's `tests` comes along too. Throws `cannotCreate` where a
  /// file is there already, unless `replacing` is set. Returns the files that were written.
  @discardableResult
  package func writeCopy(
    _ values: [Int: AnyTensor], to output: FilePath, replacing: Bool = false
  ) throws(Failure) -> [FilePath] {
    if replacing, resolved(output) == resolved(FilePath(path)) { return try writeBack(values) }
    let changes = try copyChanges(values, to: output, replacing: replacing)
    try FileTransaction(model: output).commit(changes)
    return changes.map(\.path)
  }

  /// Throws what `writeCopy` would throw before it writes: what is found now is not found at the end of a long training.
  package func requireCopyable(to output: FilePath, replacing: Bool) throws(Failure) {
    if replacing, resolved(output) == resolved(FilePath(path)) { return try requireWritable() }
    try requireWritableFolder(resolved(output.folder))
    var values: [Int: AnyTensor] = [:]
    for index in parameters.indices { values[index] = try value(of: index) }
    let changes = try copyChanges(values, to: output, replacing: replacing)
    for change in changes where !replacing && (try? OperatingSystem().resolve(change.path)) != nil {
      throw Failure(.cannotCreate, "`\(change.path)` exists already; --force replaces it")
    }
  }

  /// The files of a copy.
  private func copyChanges(
    _ values: [Int: AnyTensor], to output: FilePath, replacing: Bool
  ) throws(Failure) -> [FileChange] {
    var planner = WriteBackPlanner(self, values: values, output: output)
    try planner.planAll()
    var plan = planner.plan
    // A model that names no file may have a name that no text can hold.
    let newWeights = Result { () throws(Failure) in try newWeightsName(besideModel: output) }
    var names = CopyNames(stem: ((try? newWeights.get()) ?? "").dropLast(".safetensors".count))
    if let weights = plan.newWeights { names.take(weights.writtenFile) }
    var changes: [FileChange] = []

    func copy(_ path: FilePath, isWeights: Bool) throws(Failure) -> String {
      if let known = names.given[path] { return known }
      _ = try newWeights.get()
      let name = names.name(
        for: path, isMain: isWeights || (plan.newWeights == nil && root["weights"] == nil && files.arrays.count == 1))
      let opened: ArrayFile
      if let known = files.arrays[path]?.array { opened = known } else { opened = try ArrayFile(path) }
      let changed = try (plan.archives[path] ?? .init(writtenFile: name)).withoutWhatStays(in: opened)
      changes.append(
        FileChange(output.sibling(FilePath(name)), original: nil, replacesAnything: replacing) { sink throws(Failure) in
          try opened.rewrite(replacing: changed.replacements, adding: changed.additions, to: sink)
        })
      return name
    }

    let folder = ModelFolder(modelPath: path)
    var references = FileReferences(in: root)
    if resolved(output.folder) == resolved(FilePath(path)).folder { references.tests = [] }
    for (node, isWeights) in references.all {
      guard let written = node.string else { continue }
      guard case .found(let place) = folder.resolve(written) else {
        // A reference that nothing reads, or a block's parameter.
        if written.hasPrefix("$") {
          throw Failure(
            .invalidData,
            "\(path): the file `\(written)` that a block's parameter names cannot be copied; name it in the layer")
        }
        continue
      }
      let name = try copy(place, isWeights: isWeights)
      let isJSON = source.bytes[node.range.start..<node.range.end].first == UInt8(ascii: "\"")
      plan.edits.replace(node.range, with: scalarText(name, isJSON: isJSON))
    }
    if let weights = plan.newWeights {
      changes.append(
        FileChange(output.sibling(FilePath(weights.writtenFile)), original: nil, replacesAnything: replacing) {
          sink throws(Failure) in
          try writeSafetensors(weights.arrays, to: sink)
        })
    }
    let bytes = try editedText(plan)
    try verify(bytes, values: values, isWhole: false)
    changes.append(FileChange(output, original: nil, replacesAnything: replacing, bytes: bytes))
    return changes
  }
}

/// The names that copies of a model's files get: all begin with the stem of the model's own.
private struct CopyNames {
  private let stem: Substring
  private var taken: Set<String> = []
  private(set) var given: [FilePath: String] = [:]

  init(stem: Substring) { self.stem = stem }

  mutating func take(_ name: String) { taken.insert(name) }

  /// `STEM.suffix` for the main file, `STEM-name.suffix` for the others.
  mutating func name(for path: FilePath, isMain: Bool) -> String {
    let own = String(decoding: path.stem, as: UTF8.self)
    let base = isMain ? String(stem) : "\(stem)-\(own)"
    var name = "\(base).\(path.suffix)"
    var number = 1
    while !taken.insert(name).inserted {
      number += 1
      name = "\(base)-\(number).\(path.suffix)"
    }
    given[path] = name
    return name
  }
}

/// The scalars of a model that name files.
private struct FileReferences {
  private var weights: [Node] = []
  private var parameters: [Node] = []
  /// Those of the model's tests.
  var tests: [Node] = []
  private var seen: Set<ObjectIdentifier> = []

  init(in root: Node) {
    if let node = root["weights"] { weights = [node] }
    for key in ["layers", "blocks"] {
      if let node = root[key] { parameters += collect(node) }
    }
    if let node = root["tests"] { tests = collect(node) }
  }

  /// The references, each text once.
  var all: [(node: Node, isWeights: Bool)] {
    weights.map { ($0, true) } + (parameters + tests).map { ($0, false) }
  }

  private mutating func collect(_ node: Node) -> [Node] {
    guard seen.insert(ObjectIdentifier(node)).inserted else { return [] }
    switch node.content {
    case .scalar, .numbers: return []
    case .sequence(let items): return items.flatMap { collect($0) }
    case .mapping(let entries):
      return entries.flatMap { entry -> [Node] in
        if entry.key.hasPrefix("x-") { return [] }
        if entry.key == "file", entry.value.string != nil {
          return seen.insert(ObjectIdentifier(entry.value)).inserted ? [entry.value] : []
        }
        return collect(entry.value)
      }
    }
  }
}
