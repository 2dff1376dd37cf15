import Schema
import YAML

/// Compares what two model files say, apart from the values of their parameters and where these are kept.
///
/// Comments, the order of keys, and keys that say what holds without them make no difference.
struct StructureComparison {
  private(set) var changes: [ModelChange] = []
  /// The paths of layers under which their parameters were found before and are found now.
  private(set) var renamedPaths: [(old: String, new: String)] = []

  /// The definitions of the schema that two mappings follow, by which absent keys get their meaning.
  typealias Definitions = (old: String?, new: String?)

  private static let ownSections: Set<String> = [
    "inputs", "blocks", "layers", "outputs", "weights", "training", "tests",
  ]

  /// The changes from one model's root to another's.
  init(_ old: FileValue, _ new: FileValue) {
    compareMembers(old, new, section: .model, excluding: Self.ownSections, hasDefaults: true)
    compareNames(old["inputs"], new["inputs"], section: .inputs)
    compareBlocks(old["blocks"], new["blocks"])
    let inputs = (old["inputs"]?.keys ?? [], new["inputs"]?.keys ?? [])
    let layers = LayerListComparison(
      LayerList(old["layers"], firstInput: inputs.0), LayerList(new["layers"], firstInput: inputs.1))
    compareLayers(layers, section: .layers, prefix: ("", ""))
    compareOutputs(old, new, layers)
    let empty = old.with(.mapping([]))
    compareMembers(
      old["training"] ?? empty, new["training"] ?? empty, section: .training, definitions: ("training", "training"),
      hasDefaults: true)
    compareTests(old["tests"]?.items ?? [], new["tests"]?.items ?? [])
  }

  private mutating func note(
    _ kind: ModelChange.Kind, _ section: ModelChange.Section, _ path: String, _ old: FileValue?, _ new: FileValue?
  ) {
    changes.append(ModelChange(section: section, path: path, kind: kind, old: old, new: new))
  }

  // MARK: Mappings

  /// Compares the entries of two mappings; with `hasDefaults`, absent keys mean what their definition says.
  private mutating func compareMembers(
    _ old: FileValue, _ new: FileValue, section: ModelChange.Section, prefix: String = "",
    definitions: Definitions = (nil, nil), excluding: Set<String> = [], hasDefaults: Bool = false
  ) {
    let added = new.keys.filter { old[$0] == nil }
    for key in old.keys + added where !excluding.contains(key) {
      let values = (old[key], new[key])
      let meaning: (FileValue?, FileValue?)
      if hasDefaults, !key.hasPrefix("x-") {
        meaning = (
          values.0 ?? defaultValue(of: key, in: definitions.old), values.1 ?? defaultValue(of: key, in: definitions.new)
        )
      } else {
        meaning = values
      }
      compareValue(values, meaning: meaning, section: section, path: prefix + key)
    }
  }

  private func defaultValue(of key: String, in definition: String?) -> FileValue? {
    SchemaOutline.model.defaultValue(of: key, in: definition).map {
      // A default holds no packed numbers, so its text is not needed.
      FileValue(node: $0, source: FileValue.string("").source)
    }
  }

  private mutating func compareValue(
    _ values: (old: FileValue?, new: FileValue?), meaning: (old: FileValue?, new: FileValue?),
    section: ModelChange.Section, path: String
  ) {
    if let old = meaning.old, let new = meaning.new {
      let (old, new) = (Self.spelledOut(old, path, section), Self.spelledOut(new, path, section))
      if old.means(theSameAs: new) { return }
      if values.old != nil, values.new != nil, old.node.entries != nil, new.node.entries != nil {
        let definitions = (Self.definition(of: old, section), Self.definition(of: new, section))
        return compareMembers(
          old, new, section: section, prefix: path + ".", definitions: definitions,
          hasDefaults: definitions.0 != nil && definitions.1 != nil)
      }
    }
    switch values {
    case (nil, nil): break
    case (nil, let new?): note(.added, section, path, nil, new)
    case (let old?, nil): note(.removed, section, path, old, nil)
    case (let old?, let new?): note(.changed, section, path, old, new)
    }
  }

  /// `optimizer: sgd` is short for a mapping.
  private static func spelledOut(_ value: FileValue, _ path: String, _ section: ModelChange.Section) -> FileValue {
    guard section == .training, path == "optimizer", value.node.string != nil else { return value }
    return value.with(.mapping([.init(key: "type", keyRange: value.node.range, value: value.node, isMerged: false)]))
  }

  /// The definition of an optimiser or a schedule, whose names stand for one another's keys.
  private static func definition(of value: FileValue, _ section: ModelChange.Section) -> String? {
    if value.node["init"] != nil { return "initializer" }
    guard section == .training, let type = value.node["type"]?.string else { return nil }
    return ["adamw": "adam", "linear": "cosine"][type] ?? type
  }

  private mutating func compareNames(_ old: FileValue?, _ new: FileValue?, section: ModelChange.Section) {
    guard let old, let new else { return }
    compareMembers(old, new, section: section)
    let common = (old.keys.filter { new[$0] != nil }, new.keys.filter { old[$0] != nil })
    if common.0 != common.1 {
      note(
        .changed, section, "order", .string(common.0.joined(separator: ", ")), .string(common.1.joined(separator: ", "))
      )
    }
  }

  // MARK: Blocks, outputs, tests

  private mutating func compareBlocks(_ old: FileValue?, _ new: FileValue?) {
    for name in old?.keys ?? [] where new?[name] == nil { note(.removed, .blocks, name, old?[name], nil) }
    for name in new?.keys ?? [] {
      guard let own = new?[name] else { continue }
      guard let before = old?[name] else {
        note(.added, .blocks, name, nil, own)
        continue
      }
      compareMembers(before, own, section: .blocks, prefix: name + ".", excluding: ["layers", "parameters"])
      let empty = own.with(.mapping([]))
      compareMembers(
        before["parameters"] ?? empty, own["parameters"] ?? empty, section: .blocks, prefix: "\(name).parameters.")
      let lists = LayerListComparison(
        LayerList(before["layers"], firstInput: []), LayerList(own["layers"], firstInput: []))
      compareLayers(lists, section: .blocks, prefix: (name + ".", name + "."))
    }
  }

  private mutating func compareOutputs(_ old: FileValue, _ new: FileValue, _ layers: LayerListComparison) {
    func names(_ root: FileValue) -> [String] {
      root["outputs"]?.items?.compactMap(\.node.string)
        ?? [root["layers"]?.items?.last?["name"]?.node.string].compactMap { $0 }
    }
    let (before, now) = (names(old), names(new))
    if before.map({ layers.renames[$0] ?? $0 }) != now {
      note(
        .changed, .outputs, "outputs", .string("[\(before.joined(separator: ", "))]"),
        .string("[\(now.joined(separator: ", "))]"))
    }
  }

  private mutating func compareTests(_ old: [FileValue], _ new: [FileValue]) {
    func keyed(_ tests: [FileValue]) -> [(String, FileValue)] {
      tests.enumerated().map { ($1["name"]?.node.string ?? "test \($0 + 1)", $1) }
    }
    var remaining = keyed(old)
    let current = keyed(new)
    for (key, test) in current {
      guard let index = remaining.firstIndex(where: { $0.0 == key }) else {
        note(.added, .tests, key, nil, test)
        continue
      }
      compareMembers(remaining.remove(at: index).1, test, section: .tests, prefix: key + ": ")
    }
    for (key, test) in remaining { note(.removed, .tests, key, test, nil) }
  }

  // MARK: Layers

  private mutating func compareLayers(
    _ lists: LayerListComparison, section: ModelChange.Section, prefix: (old: String, new: String)
  ) {
    for step in lists.steps {
      switch step {
      case .removed(let layer): note(.removed, section, prefix.old + layer.name, layer.value.withoutName, nil)
      case .added(let layer): note(.added, section, prefix.new + layer.name, nil, layer.value.withoutName)
      case .kept(let old, let new): compare(old, new, lists, section, prefix)
      case .moved(let old, let new):
        note(.moved, section, prefix.new + new.name, .string(old.place), .string(new.place))
        compare(old, new, lists, section, prefix)
      case .renamed(let old, let new):
        note(.renamed, section, prefix.new + new.name, .string(prefix.old + old.name), nil)
        if section == .layers { renamedPaths.append((prefix.old + old.name, prefix.new + new.name)) }
        compare(old, new, lists, section, prefix)
      }
    }
  }

  private mutating func compare(
    _ old: LayerList.Layer, _ new: LayerList.Layer, _ lists: LayerListComparison, _ section: ModelChange.Section,
    _ prefix: (old: String, new: String)
  ) {
    let path = prefix.new + new.name + "."
    var excluded: Set<String> = ["name", "input", "body", "shortcut"]
    for name in parameterNames where Self.isOnlyStorage(old.value[name], new.value[name]) { excluded.insert(name) }
    // Sizes that the values of the weight tell need not be said; where these differ, so do the shapes.
    for size in ["units", "filters", "kernel"] {
      for (layer, other) in [(old, new), (new, old)]
      where layer.value[size] == nil && other.value[size] != nil && Self.tellsShape(layer.value["weight"]) {
        excluded.insert(size)
      }
    }
    compareMembers(
      old.value, new.value, section: section, prefix: path, definitions: (old.definition, new.definition),
      excluding: excluded, hasDefaults: true)
    if old.isInputGiven || new.isInputGiven, old.inputs.map({ lists.renames[$0] ?? $0 }) != new.inputs {
      func value(_ layer: LayerList.Layer) -> FileValue {
        layer.isInputGiven ? layer.value["input"] ?? .string("") : .string(layer.inputs.joined(separator: ", "))
      }
      note(.changed, section, path + "input", value(old), value(new))
    }
    for key in ["body", "shortcut"] where old.value[key] != nil || new.value[key] != nil {
      let inner = LayerListComparison(
        LayerList(old.value[key], firstInput: ["outer"]), LayerList(new.value[key], firstInput: ["outer"]))
      compareLayers(inner, section: section, prefix: (prefix.old + old.name + ".", path))
    }
  }

  /// Whether what a layer gives for a parameter has a shape of its own.
  private static func tellsShape(_ value: FileValue?) -> Bool {
    value.map { $0.node.isList || $0.node["file"] != nil } ?? false
  }

  /// Whether what a layer gives for a parameter, before and now, only tells where the values are.
  private static func isOnlyStorage(_ old: FileValue?, _ new: FileValue?) -> Bool {
    func holdsValues(_ value: FileValue?) -> Bool {
      guard let node = value?.node else { return false }
      if case .binary? = node.scalar?.value { return true }
      return node.isList || node.number != nil || node["file"] != nil
    }
    func isDrawn(_ value: FileValue?) -> Bool { value == nil || value?.node["init"] != nil }
    return (holdsValues(old) || isDrawn(old)) && (holdsValues(new) || isDrawn(new)) && !(isDrawn(old) && isDrawn(new))
  }
}

/// The keys under which layers give their parameters.
let parameterNames = ["weight", "bias", "gamma", "beta", "mean", "variance"]

extension FileValue {
  /// A layer's mapping without its name.
  fileprivate var withoutName: FileValue {
    with(.mapping((node.entries ?? []).filter { $0.key != "name" }))
  }
}
