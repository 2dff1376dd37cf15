import Diagnostics
import YAML

/// Writes out the lists of layers: residual bodies become lists, blocks their layers with the parameters put in.
struct BlockExpansion {
  /// More layers than any network of today; aliases of blocks would otherwise write out billions.
  static let largestLayerCount = 100_000
  static let deepestNesting = 64

  private let blocks: [String: Node]
  private var brokenRanges: [SourceRange]
  private let validate: (Node) -> [Diagnostic]
  private var useCounts: [String: Int] = [:]
  private var layerCount = 0
  private var isExhausted = false

  /// An expansion with the blocks of a model. `brokenRanges` are the places of the schema's errors; `validate` checks a
  /// list of layers against the schema once parameters are put in.
  init(root: Node, brokenRanges: [SourceRange], validate: @escaping (Node) -> [Diagnostic]) {
    self.brokenRanges = brokenRanges
    self.validate = validate
    var blocks: [String: Node] = [:]
    for entry in root["blocks"]?.entries ?? [] where !entry.key.hasPrefix("x-") { blocks[entry.key] = entry.value }
    self.blocks = blocks
    for list in [root["layers"]] + blocks.values.map({ $0["layers"] }) { countUses(in: list) }
  }

  /// Finds names in a block that nothing uses which are none of its parameters.
  private func checkUnused(_ block: Node, sink: inout DiagnosticSink) {
    var bindings: [String: Node] = [:]
    for entry in block["parameters"]?.entries ?? [] { bindings[entry.key] = entry.value }
    var substitution = ParameterSubstitution(bindings: bindings, uses: [])
    if let layers = block["layers"] { _ = substitution.substitute(layers, sink: &sink) }
  }

  /// Counts how often each block is named; one that is repeated counts as often.
  private mutating func countUses(in list: Node?) {
    guard case .sequence(let items)? = list?.content else { return }
    for item in items {
      if let block = item["block"]?.string {
        useCounts[block, default: 0] += min(max(item["repeat"]?.integer ?? (item["repeat"] == nil ? 1 : 2), 1), 2)
      }
      for key in ["body", "shortcut"] { countUses(in: item[key]) }
    }
  }

  /// The entries of a top-level list.
  mutating func expand(_ list: Node, into sink: inout DiagnosticSink) -> [LayerItem] {
    rejectReferences(in: list, sink: &sink)
    for (name, block) in blocks where useCounts[name] == nil { checkUnused(block, sink: &sink) }
    return items(of: list, prefix: "", uses: [], repetition: nil, sink: &sink)
  }

  private mutating func items(
    of list: Node, prefix: String, uses: [BlockUse], repetition: String?, sink: inout DiagnosticSink
  ) -> [LayerItem] {
    guard case .sequence(let nodes) = list.content else { return [] }
    var items: [LayerItem] = []
    for node in nodes {
      guard let name = node["name"], let text = name.string, !isExhausted else { continue }
      layerCount += 1
      if layerCount > Self.largestLayerCount {
        reportTooManyLayers(at: name.range, uses: uses, sink: &sink)
        break
      }
      let path = prefix + text
      let kind: LayerItem.Kind
      if let block = node["block"] {
        let repetitions = self.repetitions(
          block: block, of: node, path: path, uses: uses, repetition: repetition, sink: &sink)
        guard let repetitions else { continue }
        kind = .block(repetitions: repetitions)
      } else if node["type"]?.string == "residual" {
        let lists = ["body", "shortcut"].map { key in
          node[key].map {
            self.items(of: $0, prefix: path + ".", uses: uses, repetition: repetition, sink: &sink)
          }
        }
        kind = .residual(body: lists[0] ?? [], shortcut: lists[1])
      } else if let type = node["type"]?.string {
        kind = .layer(type: type)
      } else {
        continue
      }
      items.append(
        LayerItem(
          name: text, nameRange: name.range, path: path, node: node, kind: kind, inputs: inputs(of: node), uses: uses,
          isBroken: isBroken(node, kind), repetition: repetition))
    }
    return items
  }

  private mutating func reportTooManyLayers(at range: SourceRange, uses: [BlockUse], sink: inout DiagnosticSink) {
    isExhausted = true
    sink.add(
      .tooManyLayers, "the blocks write out to more than \(Self.largestLayerCount) layers", at: range, uses: uses)
  }

  /// Whether an error of the schema lies in a layer; the lists of a residual speak for themselves.
  private func isBroken(_ node: Node, _ kind: LayerItem.Kind) -> Bool {
    guard !brokenRanges.isEmpty else { return false }
    var lists: [SourceRange] = []
    if case .residual = kind { lists = ["body", "shortcut"].compactMap { node[$0]?.range } }
    let own = [node.range] + (node.entries ?? []).filter(\.isMerged).map(\.value.range)
    func contains(_ ranges: [SourceRange], _ place: SourceRange) -> Bool {
      ranges.contains { $0.start <= place.start && place.start < max($0.end, $0.start + 1) }
    }
    return brokenRanges.contains { contains(own, $0) && !contains(lists, $0) }
  }

  private func inputs(of node: Node) -> [LayerItem.InputName]? {
    guard let input = node["input"] else { return nil }
    if let name = input.string { return [.init(name: name, range: input.range)] }
    guard case .sequence(let names) = input.content else { return nil }
    return names.compactMap { node in node.string.map { .init(name: $0, range: node.range) } }
  }

  /// The layers of each repetition of a block, or nil where there is no such block.
  private mutating func repetitions(
    block node: Node, of item: Node, path: String, uses: [BlockUse], repetition: String?, sink: inout DiagnosticSink
  ) -> [[LayerItem]]? {
    guard let name = node.string else { return nil }
    guard let block = blocks[name] else {
      let near = suggestion(for: name, among: blocks.keys.sorted())
      let hint =
        near.map { "did you mean `\($0)`?" }
        ?? (blocks.isEmpty ? "the model has no `blocks`" : "the blocks are \(namesInWords(blocks.keys.sorted()))")
      sink.add(
        .unknownBlock, "there is no block `\(name)`", at: node.range, notes: [DiagnosticNote(hint)], uses: uses)
      return nil
    }
    if let start = uses.firstIndex(where: { $0.block == name }) {
      let cycle = (uses[start...].map(\.block) + [name]).joined(separator: " -> ")
      sink.add(.blockCycle, "a block cannot use itself: \(cycle)", at: node.range, uses: uses)
      return nil
    }
    guard uses.count < Self.deepestNesting else {
      sink.add(.blockCycle, "blocks are nested more than \(Self.deepestNesting) deep", at: node.range, uses: uses)
      return nil
    }
    let uses = uses + [BlockUse(block: name, place: sink.place(node.range))]
    let isRepeated = repetition != nil || (useCounts[name] ?? 0) > 1
    let count = item["repeat"]?.integer
    // Each repetition has a layer at least.
    if let count, count > Self.largestLayerCount - layerCount {
      reportTooManyLayers(at: item["repeat"]?.range ?? node.range, uses: uses.dropLast(), sink: &sink)
      return nil
    }
    var repetitions: [[LayerItem]] = []
    for index in 0..<max(count ?? 1, 1) {
      guard !isExhausted else { break }
      let given = [item["with"], index == 0 ? item["first"] : nil].compactMap { $0?.entries }.joined()
      guard let bindings = bindings(of: block, given: Array(given), block: name, uses: uses, sink: &sink),
        let layers = block["layers"]
      else { return nil }
      var substitution = ParameterSubstitution(bindings: bindings, uses: uses)
      let substituted = substitution.substitute(layers, sink: &sink)
      brokenRanges += substitution.unknownRanges
      if substitution.didSubstitute {
        let found = validate(substituted)
        for diagnostic in found {
          sink.add(
            diagnostic.code, diagnostic.message, at: diagnostic.place.range, notes: diagnostic.notes, uses: uses)
        }
        if found.contains(where: { $0.severity == .error }) { return nil }
      }
      let prefix = count == nil ? path + "." : "\(path).\(index)."
      repetitions.append(
        items(of: substituted, prefix: prefix, uses: uses, repetition: isRepeated ? prefix : nil, sink: &sink))
    }
    return repetitions
  }

  /// The values of a block's parameters at a use: its defaults, then what is given.
  private func bindings(
    of block: Node, given: [Node.Entry], block name: String, uses: [BlockUse], sink: inout DiagnosticSink
  ) -> [String: Node]? {
    var bindings: [String: Node] = [:]
    for entry in block["parameters"]?.entries ?? [] { bindings[entry.key] = entry.value }
    var isSound = true
    for entry in given {
      if bindings[entry.key] == nil {
        let near = suggestion(for: entry.key, among: bindings.keys.sorted())
        let hint =
          near.map { "did you mean `\($0)`?" }
          ?? (bindings.isEmpty ? "it has no parameters" : "its parameters are \(namesInWords(bindings.keys.sorted()))")
        sink.add(
          .blockParameter, "block `\(name)` has no parameter `\(entry.key)`", at: entry.keyRange,
          notes: [DiagnosticNote(hint)], uses: uses.dropLast())
        isSound = false
      }
      bindings[entry.key] = entry.value
    }
    return isSound ? bindings : nil
  }

  /// Finds `$name` outside blocks, where it stands for nothing.
  private mutating func rejectReferences(in node: Node, sink: inout DiagnosticSink) {
    switch node.content {
    case .scalar:
      if let name = ParameterSubstitution.reference(in: node) {
        sink.add(
          .blockParameter, "`$\(name)` stands for a block's parameter, but this is not in a block", at: node.range,
          notes: [DiagnosticNote("write the value itself here")])
        brokenRanges.append(node.range)
      }
    case .sequence(let items): for item in items { rejectReferences(in: item, sink: &sink) }
    case .mapping(let entries):
      for entry in entries where ParameterSubstitution.isRead(entry.key) {
        rejectReferences(in: entry.value, sink: &sink)
      }
    case .numbers: break
    }
  }
}

/// Names in words: `a`, `b` and `c`.
func namesInWords(_ names: some Collection<String>) -> String {
  let quoted = names.prefix(12).map { "`\($0)`" }
  if names.count > 12 { return quoted.joined(separator: ", ") + " and \(names.count - 12) more" }
  guard let last = quoted.last, quoted.count > 1 else { return quoted.first ?? "none" }
  return quoted.dropLast().joined(separator: ", ") + " and " + last
}
