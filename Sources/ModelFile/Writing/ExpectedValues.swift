package import Diagnostics
package import Files
package import Tensors
package import YAML

/// A new value for an entry of a model's `tests`.
package struct ExpectedValue: Sendable {
  /// What is to be written.
  package enum Value: Sendable {
    /// An array: numbers in the text, or the array of a file.
    case array(AnyTensor)
    /// An integer in the text.
    case count(Int)
  }

  let mapping: Node
  let entry: Node.Entry
  let value: Value

  /// The value for an entry of a mapping.
  package init(mapping: Node, entry: Node.Entry, value: Value) {
    self.mapping = mapping
    self.entry = entry
    self.value = value
  }
}

extension Model {
  /// Replaces what tests expect, in the text and in the files that tests name, all together or nothing.
  ///
  /// Throws `invalidData` where the text shares a value in a way that cannot be edited, and what `FileTransaction` does.
  package func replaceExpectations(_ values: [ExpectedValue]) throws(Failure) -> [FilePath] {
    var edits = SourceEdits()
    var archives: [FilePath: (opened: ModelFiles.Opened, arrays: [String: AnyTensor])] = [:]
    for value in values {
      if case .array(let tensor) = value.value, value.entry.value["file"] != nil {
        let file = try arrayFile(value.entry.value)
        archives[file.path, default: (file.opened, [:])].arrays[file.key] = tensor
      } else {
        try edit(value, &edits)
      }
    }
    var changes: [FileChange] = []
    for (path, archive) in archives.sorted(by: { $0.key.description < $1.key.description }) {
      changes.append(
        FileChange(path, original: archive.opened.status) { sink throws(Failure) in
          try archive.opened.array.rewrite(replacing: archive.arrays, to: sink)
        })
    }
    if !edits.isEmpty {
      guard let bytes = edits.applied(to: source) else { throw shared(values.first?.entry) }
      try verify(bytes, replacing: values)
      changes.append(FileChange(FilePath(path), original: files.model, bytes: bytes))
    }
    guard !changes.isEmpty else { return [] }
    try FileTransaction(model: FilePath(path)).commit(changes, lock: nil)
    return changes.map(\.path)
  }

  private func edit(_ value: ExpectedValue, _ edits: inout SourceEdits) throws(Failure) {
    let (editor, entry) = (MappingEditor(value.mapping, in: source), value.entry)
    guard !entry.isMerged else { throw shared(entry) }
    let text: String
    switch value.value {
    case .count(let count): text = "\(count)"
    case .array(let tensor):
      if let old = AnyTensor(entry.value, elementType: tensor.elementType), old.shape == tensor.shape,
        editor.alias(entry) == nil, let places = entry.value.numberPlaces(in: source),
        places.allSatisfy({ if case .number = $0 { true } else { false } }),
        let numbers = ListEdits.edits([.init(node: entry.value, site: nil, old: old, new: tensor)], in: source)
      {
        return edits.add(numbers)
      }
      text = NumberTexts(tensor: tensor).nestedList(
        lineBreak: SourceLayout(source).lineBreak, continuation: editor.continuation(at: entry.keyRange.start))
    }
    guard editor.replaceValue(of: entry, with: text, into: &edits) else { throw shared(entry) }
  }

  private func shared(_ entry: Node.Entry?) -> Failure {
    let position = source.position(at: entry?.keyRange.start ?? 0)
    return Failure(
      .invalidData,
      "\(path):\(position.line):\(position.column): the expected value is shared with another place by an anchor or a merge key; "
        + "give it a value of its own, then update again")
  }

  /// Makes sure that a new text says the same as the old one but for the values that were to be replaced.
  private func verify(_ bytes: [UInt8], replacing values: [ExpectedValue]) throws(Failure) {
    let document = YAMLDocument.parse(source: SourceText(name: path, bytes: bytes))
    guard !document.hasErrors, let new = document.root,
      isSame(root, new, except: Set(values.map(\.entry.keyRange.start)))
    else { throw shared(values.first?.entry) }
  }

  private func isSame(_ old: Node, _ new: Node, except keys: Set<Int>) -> Bool {
    switch (old.content, new.content) {
    case (.scalar(let old), .scalar(let new)): old.value == new.value
    case (.numbers(let old), .numbers(let new)): old.shape == new.shape && old.values == new.values
    case (.sequence(let old), .sequence(let new)):
      old.count == new.count && zip(old, new).allSatisfy { isSame($0, $1, except: keys) }
    case (.mapping(let old), .mapping(let new)):
      old.count == new.count
        && zip(old, new).allSatisfy { old, new in
          old.key == new.key
            && (keys.contains(old.keyRange.start) || isSame(old.value, new.value, except: keys))
        }
    default: false
    }
  }

  /// The file that `{file: ..., key: ...}` names, opened, and the name of the array in it ("" in a `.npy`).
  private func arrayFile(
    _ node: Node
  ) throws(Failure) -> (path: FilePath, opened: ModelFiles.Opened, key: String) {
    let files = ParameterFiles(modelPath: path)
    var sink = DiagnosticSink(source: source)
    guard let file = node["file"],
      let given = files.array(in: file, key: node["key"], path: "", range: node.range, uses: [], sink: &sink),
      case .file(let reference) = given.origin, let opened = files.opened[reference.file]
    else { throw Failure(sink.diagnostics) }
    return (reference.file, opened, reference.key ?? "")
  }
}
