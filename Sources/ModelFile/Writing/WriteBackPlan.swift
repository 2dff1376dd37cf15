import Diagnostics
import Files
import Tensors
import YAML

/// What a write-back does to which file.
struct WriteBackPlan {
  /// New arrays for a file that the model names.
  struct ArchiveChange {
    /// The file as the model names it.
    let writtenFile: String
    /// New values of arrays that are there; the key of a `.npy` file's array is "".
    var replacements: [String: AnyTensor] = [:]
    /// Arrays that were not there.
    var additions: [(key: String, value: AnyTensor)] = []
  }

  /// The changes of the model's text.
  var edits = SourceEdits()
  /// The files that the model takes values from, by their paths without links.
  var archives: [FilePath: ArchiveChange] = [:]
  /// The weight file that the model gains, named as in its text.
  var newWeights: (writtenFile: String, arrays: [(key: String, value: AnyTensor)])?
}

/// Decides where new values of parameters go: to where the old ones came from, and nowhere else.
struct WriteBackPlanner {
  /// The most numbers that are put into a text which had none.
  static let mostInlineNumbers = 4096

  let model: Model
  let values: [Int: AnyTensor]
  let sites: ParameterSites
  let layout: SourceLayout
  /// Where the model is written, which a new weight file is named after.
  let output: FilePath
  var plan = WriteBackPlan()
  /// Parameters without values whose text needs no further edit.
  private var withoutText: Set<Int> = []

  /// A planner of new values for parameters by their index; drawn ones that are not among them are kept as drawn.
  init(_ model: Model, values: [Int: AnyTensor], output: FilePath) {
    self.model = model
    self.values = values
    self.output = output
    sites = ParameterSites(model)
    layout = SourceLayout(model.source)
  }

  /// Plans to put every value where its parameter came from. Throws where a parameter cannot be read, or where the text
  /// is written in a way that has no place for it.
  mutating func planAll() throws(Failure) {
    var lists: [Int] = []
    var numbers: [Int: [Int]] = [:]
    var drawn: [Int] = []
    let used = Set(model.layers.filter(\.isUsed).flatMap(\.parameters))
    for (index, parameter) in model.parameters.enumerated() {
      switch parameter.origin {
      case .values: lists.append(index)
      case .number(let node): numbers[node.range.start, default: []].append(index)
      case .binary(let node):
        if let new = values[index] {
          BinaryEdits.add(node, old: try model.value(of: index), new: new, in: model.source, to: &plan.edits)
        }
      case .file(let reference), .weights(let reference):
        if let new = values[index] { replace(reference, with: new) }
      case .drawn: if used.contains(index) { drawn.append(index) }
      }
    }
    try planLists(lists)
    var absent: [Int] = []
    for (_, group) in numbers.sorted(by: { $0.key < $1.key }) { try planNumber(group, absent: &absent) }
    try place(drawn: drawn, absent: absent)
  }

  // MARK: Values that are there

  func value(_ index: Int) throws(Failure) -> AnyTensor {
    if let value = values[index] { return value }
    return try model.value(of: index)
  }

  mutating func replace(_ reference: ArrayReference, with value: AnyTensor) {
    plan.archives[reference.file, default: .init(writtenFile: reference.writtenFile)]
      .replacements[reference.key ?? ""] = value
  }

  mutating func planLists(_ indices: [Int]) throws(Failure) {
    var lists: [ListEdits.List] = []
    for index in indices {
      guard case .values(let node) = model.parameters[index].origin else { continue }
      let old = try model.value(of: index)
      lists.append(.init(node: node, site: sites[index].first, old: old, new: values[index] ?? old))
    }
    guard let edits = ListEdits.edits(lists, in: model.source) else {
      throw Failure(
        .invalidData,
        "the numbers of \(model.path) cannot be replaced: aliases share them in a way that is not supported")
    }
    plan.edits.add(edits)
  }

  /// One number that stands for all values of some parameters: of one, or of one in each repetition of a block.
  mutating func planNumber(_ group: [Int], absent: inout [Int]) throws(Failure) {
    guard group.contains(where: { values[$0] != nil }), let first = group.first,
      case .number(let node) = model.parameters[first].origin
    else { return }
    var tensors: [AnyTensor] = []
    var isChanged = false
    for index in group {
      let new = try value(index)
      let old = try model.value(of: index)
      isChanged = isChanged || !new.isIdentical(to: old)
      tensors.append(new)
    }
    guard isChanged else { return }
    if isPartialUse(group) { return try planPartialUse(group, absent: &absent) }
    let texts = tensors.map { NumberTexts(tensor: $0) }.filter { $0.tensor.count > 0 }
    guard let leader = texts.first else { return }
    let isUniform = texts.allSatisfy { $0.isUniform && $0.bits(0) == leader.bits(0) }
    let isList =
      group.count == 1 && leader.tensor.count <= Self.mostInlineNumbers
      && sites.canHoldLists(first, rank: leader.tensor.shape.count)
    if isBorrowed(first, node) {
      guard sites[first].count == 1, let site = sites[first].first, let entry = site.entry, !entry.isMerged,
        isUniform || isList,
        MappingEditor(site.mapping, in: model.source).replaceValue(
          of: entry, with: isUniform ? leader.text(0) : list(leader.tensor, at: entry.keyRange.start), into: &plan.edits
        )
      else { throw noPlace(model.parameters[first]) }
    } else if isUniform {
      let old = NumberTexts(tensor: try model.value(of: first))
      if old.bits(0) != leader.bits(0) { plan.edits.replace(digits(of: node), with: leader.text(0)) }
    } else if isList {
      plan.edits.replaceValue(at: node.range, with: list(leader.tensor, at: node.range.start), in: layout)
    } else {
      absent += group
    }
  }

  /// Whether a number stands among those of another parameter, from where its layers take it by an alias.
  private func isBorrowed(_ index: Int, _ node: Node) -> Bool {
    let isAlias = sites[index].allSatisfy { site in
      site.entry.flatMap { MappingEditor(site.mapping, in: model.source).alias($0) } != nil
    }
    return isAlias
      && model.parameters.contains { other in
        guard case .values(let list) = other.origin else { return false }
        return list.range.start <= node.range.start && node.range.end <= list.range.end
      }
  }

  /// Whether the text of some numbers is that of layers in which it is no number.
  func isPartialUse(_ group: [Int]) -> Bool {
    guard let first = group.first, case .number(let node) = model.parameters[first].origin, node.definition != nil,
      let site = sites[first].first
    else { return false }
    return sites.useCount(site) != group.count
  }

  /// A block's parameter that is a number in some uses of the block, and something else in others (`bias: $bias`, which
  /// is false there): where it is a number, the number gives way to a law, which the weight file overrules.
  mutating func planPartialUse(_ group: [Int], absent: inout [Int]) throws(Failure) {
    var replaced: Set<Int> = []
    for index in group {
      guard case .number(let node) = model.parameters[index].origin, let definition = node.definition,
        !model.source.string(in: definition.range).contains("$")
      else { throw noPlace(model.parameters[index]) }
      let isForeign = model.parameters.indices.contains { other in
        guard !group.contains(other), case .number(let number) = model.parameters[other].origin else { return false }
        return number.definition === definition
      }
      if isForeign { throw noPlace(model.parameters[index]) }
      if replaced.insert(definition.range.start).inserted {
        let isJSON = MappingEditor(model.root, in: model.source).isJSON
        plan.edits.replaceValue(
          at: definition.range, with: isJSON ? "{\"init\": \"zeros\"}" : "{init: zeros}", in: layout)
      }
      withoutText.insert(index)
    }
    absent += group
  }

  /// The text of a number without the quotes that a tag makes possible; a block's parameter goes with its quotes.
  private func digits(of node: Node) -> SourceRange {
    switch layout.byte(node.range.start) {
    case UInt8(ascii: "\""), UInt8(ascii: "'"):
      node.definition != nil ? node.range : SourceRange(start: node.range.start + 1, end: node.range.end - 1)
    default: node.range
    }
  }

  func list(_ tensor: AnyTensor, at offset: Int) -> String {
    NumberTexts(tensor: tensor).nestedList(
      lineBreak: layout.lineBreak, continuation: layout.lineIndentation(offset) + "    ")
  }

  // MARK: Values that were nowhere

  private mutating func place(drawn: [Int], absent: [Int]) throws(Failure) {
    guard !drawn.isEmpty || !absent.isEmpty else { return }
    var arrays: [(key: String, value: AnyTensor)] = []
    for index in drawn + absent { arrays.append((model.parameters[index].path, try value(index))) }
    if let weights = model.root.entry("weights"), let written = weights.value.string {
      try add(arrays, toWeightsFile: written)
      try removeNumbers(absent, weightsFile: written)
      return
    }
    let count = drawn.reduce(0) { $0 + model.parameters[$1].count }
    if absent.isEmpty, count <= Self.mostInlineNumbers, drawn.allSatisfy({ isInlinePossible($0) }) {
      for index in drawn { try writeInline(index, try value(index)) }
      return
    }
    let newWeightsName = try model.newWeightsName(besideModel: output)
    plan.newWeights = (newWeightsName, arrays)
    try removeNumbers(absent, weightsFile: newWeightsName)
    try insertWeightsEntry(newWeightsName)
  }

  mutating func add(_ arrays: [(key: String, value: AnyTensor)], toWeightsFile written: String) throws(Failure) {
    guard case .found(let path) = ModelFolder(modelPath: model.path).resolve(written) else {
      throw Failure(.busy, "\(written) vanished since \(model.path) was read")
    }
    let archive: ArrayArchive?
    if case .archive(let found) = try ArrayFile(path) { archive = found } else { archive = nil }
    var change = plan.archives[path] ?? .init(writtenFile: written)
    for (key, value) in arrays {
      if archive?.contains(key) ?? false {
        change.replacements[key] = value
      } else {
        change.additions.append((key, value))
      }
    }
    plan.archives[path] = change
  }

  /// Whether values can stand in the text for a parameter that has none there.
  func isInlinePossible(_ index: Int) -> Bool {
    guard sites.canHoldLists(index, rank: model.parameters[index].shape.count) else { return false }
    if case .drawn(_, .some) = model.parameters[index].origin {
      // What stands under one anchor serves all layers that name it.
      return sites[index].allSatisfy { site in sites.isSingleUse(site) }
    }
    return sites.isSingleUse(index)
  }

  /// Puts values into the text in the place of `init` or of nothing.
  mutating func writeInline(_ index: Int, _ value: AnyTensor) throws(Failure) {
    let parameter = model.parameters[index]
    if case .drawn(_, let node?) = parameter.origin {
      plan.edits.replaceValue(at: node.range, with: list(value, at: node.range.start), in: layout)
      return
    }
    guard let site = sites[index].first else { throw noPlace(parameter) }
    let editor = MappingEditor(site.mapping, in: model.source)
    let layout = layout
    if let entry = site.entry, !entry.isMerged {
      // `bias: true` says only that there is one.
      guard editor.replaceValue(of: entry, with: list(value, at: entry.keyRange.start), into: &plan.edits) else {
        throw noPlace(parameter)
      }
      return
    }
    let isPlaced = editor.insert(site.key, into: &plan.edits) { continuation in
      NumberTexts(tensor: value).nestedList(lineBreak: layout.lineBreak, continuation: continuation)
    }
    guard isPlaced else { throw noPlace(parameter) }
  }

  func noPlace(_ parameter: Parameter) -> Failure {
    Failure(
      .invalidData,
      "there is no place in \(model.path) for the values of `\(parameter.path)`: write its layer as a plain mapping")
  }

  /// Takes numbers out of the text whose parameters have their values in the weight file from now on.
  private mutating func removeNumbers(_ indices: [Int], weightsFile: String) throws(Failure) {
    var removed: Set<Int> = []
    for index in indices where !withoutText.contains(index) {
      guard case .number(let node) = model.parameters[index].origin, removed.insert(node.range.start).inserted else {
        continue
      }
      try removeValue(of: index, at: node, weightsFile: weightsFile)
    }
  }

  /// Takes the value of a parameter out of the text; one that several layers share becomes a reference to its array.
  mutating func removeValue(of index: Int, at node: Node, weightsFile: String) throws(Failure) {
    let parameter = model.parameters[index]
    guard let site = sites[index].first else { throw noPlace(parameter) }
    if sites[index].count > 1 {
      let isJSON = MappingEditor(site.mapping, in: model.source).isJSON
      let reference = Self.reference(to: parameter, in: weightsFile, isJSON: isJSON)
      plan.edits.replaceValue(at: node.range, with: reference, in: layout)
      return
    }
    guard let entry = site.entry, !entry.isMerged,
      MappingEditor(site.mapping, in: model.source).remove(entry, from: &plan.edits)
    else { throw noPlace(parameter) }
  }

  /// A parameter's array in a file, as a layer names it.
  static func reference(to parameter: Parameter, in file: String, isJSON: Bool) -> String {
    let (name, key) = (scalarText(file, isJSON: isJSON), scalarText(parameter.path, isJSON: isJSON))
    return isJSON ? "{\"file\": \(name), \"key\": \(key)}" : "{file: \(name), key: \(key)}"
  }

  /// Adds `weights: file` to the top of the model.
  mutating func insertWeightsEntry(_ file: String) throws(Failure) {
    let editor = MappingEditor(model.root, in: model.source)
    let first: Set = ["nnrun", "name", "version", "description", "dtype", "layout"]
    let text = scalarText(file, isJSON: editor.isJSON)
    guard editor.insert("weights", after: { first.contains($0.key) }, into: &plan.edits, value: { _ in text }) else {
      throw Failure(.invalidData, "there is no place for `weights: \(text)` in \(model.path): add it by hand")
    }
  }
}
