package import Diagnostics
package import Files
import Layers
package import Tensors
import YAML

/// The forms in which a model's parameters can be kept.
package enum ParameterStorage: Sendable, Equatable {
  /// Numbers in the text.
  case inline
  /// Base64 in the text.
  case binary
  /// The model's `weights` file, named as in its text: `.safetensors` or `.npz`.
  case file(String)
}

extension Model {
  /// Moves all parameters to another form of storage, those in `values` with new values; the text's comments and all
  /// bytes that have nothing to do with it stay. Returns the files that were written.
  ///
  /// Throws `invalidData` for parameters that cannot be kept in that form, `cannotCreate` where the file is there
  /// already (unless `replacing` is set), and what `writeBack` throws.
  @discardableResult
  package func move(
    to storage: ParameterStorage, _ values: [Int: AnyTensor] = [:], replacing: Bool = false
  ) throws(Failure) -> [FilePath] {
    try commit(try planMove(to: storage, values), values: values, replacing: replacing)
  }

  /// The model's text with its parameters in another form of storage, as `move` writes it.
  package func movedText(to storage: ParameterStorage, _ values: [Int: AnyTensor] = [:]) throws(Failure) -> [UInt8] {
    try editedText(try planMove(to: storage, values))
  }

  private func planMove(to storage: ParameterStorage, _ values: [Int: AnyTensor]) throws(Failure) -> WriteBackPlan {
    var planner = WriteBackPlanner(self, values: values, output: FilePath(path))
    switch storage {
    case .inline, .binary: try planner.planMoveIntoText(isBinary: storage == .binary)
    case .file(let name): try planner.planMove(toFile: name)
    }
    return planner.plan
  }
}

extension WriteBackPlanner {
  private var usedParameters: [Int] {
    let used = Set(model.layers.filter(\.isUsed).flatMap(\.parameters))
    return model.parameters.indices.filter { index in
      if case .drawn = model.parameters[index].origin { used.contains(index) } else { true }
    }
  }

  // MARK: Into a file

  mutating func planMove(toFile name: String) throws(Failure) {
    let weights = model.root.entry("weights")
    let isCurrent = weights?.value.string == name
    var arrays: [(key: String, value: AnyTensor)] = []
    var removed: Set<Int> = []
    var numbers: [Int: [Int]] = [:]
    for index in usedParameters {
      let parameter = model.parameters[index]
      switch parameter.origin {
      case .weights(let reference) where isCurrent:
        if let new = values[index] { replace(reference, with: new) }
        continue
      case .weights, .drawn: break
      case .values, .binary, .file:
        try keepSizes(of: index)
        try removeValues(of: index, file: name, &removed)
      case .number(let node): numbers[node.range.start, default: []].append(index)
      }
      arrays.append((parameter.path, try value(index)))
    }
    for (_, group) in numbers.sorted(by: { $0.key < $1.key }) {
      if isPartialUse(group) {
        var absent: [Int] = []
        try planPartialUse(group, absent: &absent)
      } else {
        for index in group { try removeValues(of: index, file: name, &removed) }
      }
    }
    if isCurrent {
      if !arrays.isEmpty { try add(arrays, toWeightsFile: name) }
      return
    }
    plan.newWeights = (name, arrays)
    guard let weights else { return try insertWeightsEntry(name) }
    let editor = MappingEditor(model.root, in: model.source)
    guard editor.replaceValue(of: weights, with: scalarText(name, isJSON: editor.isJSON), into: &plan.edits) else {
      throw Failure(.invalidData, "\(model.path): the `weights` entry cannot be edited; change it by hand")
    }
  }

  /// Takes what a layer gives for a parameter out of the text; where several layers share it, each names its array.
  private mutating func removeValues(of index: Int, file: String, _ removed: inout Set<Int>) throws(Failure) {
    let parameter = model.parameters[index]
    for site in sites[index] {
      guard let entry = site.entry, !entry.isMerged else {
        if sites[index].count > 1 { continue }
        throw noPlace(parameter)
      }
      guard removed.insert(entry.keyRange.start).inserted else { continue }
      let editor = MappingEditor(site.mapping, in: model.source)
      if sites[index].count > 1 {
        let reference = Self.reference(to: parameter, in: file, isJSON: editor.isJSON)
        guard editor.replaceValue(of: entry, with: reference, into: &plan.edits) else { throw noPlace(parameter) }
      } else {
        guard editor.remove(entry, from: &plan.edits) else { throw noPlace(parameter) }
      }
    }
  }

  /// Sizes that a layer left to the shape of its values have to be said once these are elsewhere.
  private mutating func keepSizes(of index: Int) throws(Failure) {
    let parameter = model.parameters[index]
    guard parameter.declaration.name == "weight" else { return }
    let shape = parameter.shape
    for site in sites[index] {
      var sizes: [(key: String, value: String)] = []
      if shape.count == 4 {
        sizes = [
          ("filters", "\(shape[0])"), ("kernel", shape[2] == shape[3] ? "\(shape[2])" : "[\(shape[2]), \(shape[3])]"),
        ]
      } else if shape.count == 2 {
        sizes = [("units", "\(shape[0])")]
      }
      let editor = MappingEditor(site.mapping, in: model.source)
      for size in sizes where site.mapping.entry(size.key) == nil {
        let isPlaced = editor.insert(
          size.key, after: { $0.key == "type" || $0.key == "filters" }, into: &plan.edits, value: { _ in size.value })
        guard isPlaced else { throw noPlace(parameter) }
      }
    }
  }

  // MARK: Into the text

  mutating func planMoveIntoText(isBinary: Bool) throws(Failure) {
    var lists: [Int] = []
    var numbers: [Int: [Int]] = [:]
    var impossible: [String] = []
    for index in usedParameters {
      let parameter = model.parameters[index]
      switch parameter.origin {
      case .values where !isBinary: lists.append(index)
      case .binary(let node) where isBinary:
        if let new = values[index] {
          BinaryEdits.add(node, old: try model.value(of: index), new: new, in: model.source, to: &plan.edits)
        }
      case .number(let node) where !isBinary || !sites.isSingleUse(index):
        numbers[node.range.start, default: []].append(index)
      default:
        guard sites.isSingleUse(index) || isSharedByAnchor(index) else {
          impossible.append("`\(parameter.path)`")
          continue
        }
        guard isBinary || sites.canHoldLists(index, rank: parameter.shape.count) else {
          throw Failure(
            .invalidData,
            "`\(parameter.path)` cannot be kept in the text: its list would stand in more than \(YAMLDocument.deepest) "
              + "lists and mappings; keep the parameters as base64 or in a file")
        }
        if isBinary { try keepSizes(of: index) }
        try putIntoText(index, isBinary: isBinary)
      }
    }
    try planLists(lists)
    var absent: [Int] = []
    for (_, group) in numbers.sorted(by: { $0.key < $1.key }) { try planNumber(group, absent: &absent) }
    impossible += absent.map { "`\(model.parameters[$0].path)`" }
    guard impossible.isEmpty else {
      throw Failure(
        .invalidData,
        "\(impossible.joined(separator: ", ")) cannot be kept in the text: layers in a block that is used more than once, "
          + "and layers that share an array of a file, have no text of their own; move the parameters to a file")
    }
    guard let weights = model.root.entry("weights") else { return }
    guard MappingEditor(model.root, in: model.source).remove(weights, from: &plan.edits) else {
      throw Failure(.invalidData, "\(model.path): the `weights` entry cannot be removed; remove it by hand")
    }
  }

  /// Whether the layers that share a parameter do so by an anchor in the text, which can stay.
  private func isSharedByAnchor(_ index: Int) -> Bool {
    switch model.parameters[index].origin {
    case .values, .number, .binary: sites[index].allSatisfy { sites.isSingleUse($0) }
    case .file, .weights, .drawn: false
    }
  }

  private mutating func putIntoText(_ index: Int, isBinary: Bool) throws(Failure) {
    let value = try value(index)
    let layout = layout
    func text(_ continuation: String) -> String {
      isBinary
        ? binaryText(value, lineBreak: layout.lineBreak, continuation: continuation)
        : NumberTexts(tensor: value).nestedList(lineBreak: layout.lineBreak, continuation: continuation)
    }
    for site in sites[index] {
      let editor = MappingEditor(site.mapping, in: model.source)
      if let entry = site.entry, !entry.isMerged {
        // An alias goes on naming the anchor whose value changes.
        if sites[index].count > 1, editor.alias(entry) != nil { continue }
        let value = text(editor.continuation(at: entry.keyRange.start))
        guard editor.replaceValue(of: entry, with: value, into: &plan.edits) else {
          throw noPlace(model.parameters[index])
        }
      } else if sites[index].count == 1 {
        guard editor.insert(site.key, into: &plan.edits, value: text) else { throw noPlace(model.parameters[index]) }
      }
    }
  }
}

/// Base64 with its tag, in several lines where it is long.
private func binaryText(_ value: AnyTensor, lineBreak: String, continuation: String) -> String {
  let text = base64(value.littleEndianBytes)
  let lines = stride(from: 0, to: text.count, by: 100).map { start in
    String(decoding: text[start..<min(start + 100, text.count)], as: UTF8.self)
  }
  return "!!binary " + lines.joined(separator: lineBreak + continuation)
}

/// How a file that the command line names is named in the text of the model file at `model`.
///
/// Throws `usage` where it does not lie in the model's folder or below.
package func nameBesideModel(_ path: FilePath, model: FilePath) throws(Failure) -> String {
  let folder = resolved(path.folder)
  let own = resolved(model).folder
  let place = folder.appending(FilePath(bytes: path.lastComponent))
  guard let name = place.relative(to: own), let text = String(validating: name.bytes, as: UTF8.self) else {
    throw Failure(.usage, "\(path) is not in the folder of \(model) or below, so the model cannot name it")
  }
  return text
}
