package import Diagnostics
import Layers
import Tensors
import YAML

extension Model {
  /// The model as a file without blocks: each layer of a block stands by itself, its path's dots turned into dashes where
  /// a block's name or number was (`stage1.0.conv1` is `stage1-0-conv1`).
  ///
  /// The text belongs beside the model file. It has the same parameters, but for those that are drawn under a path that
  /// changed: what is drawn depends on the path.
  package func expandedText() throws(Failure) -> String {
    var text = ExpandedText(self)
    return try text.write()
  }
}

/// Writes a model out.
struct ExpandedText {
  private let model: Model
  /// The layers of each list, the one whose value is the list's last.
  private var lists: [ListKey: [Int]] = [:]
  /// The layers' names and paths in the new text, by index.
  private var names: [Int: String] = [:]
  private var paths: [Int: String] = [:]
  /// The parameters that several places share by a node of the text, and the anchors of those that were written.
  private var shared: Set<Int> = []
  private var anchors: [Int: String] = [:]

  /// A list of layers: the top one, or a residual's body or shortcut.
  private struct ListKey: Hashable {
    var owner: Int?
    var isShortcut = false
  }

  init(_ model: Model) {
    self.model = model
    for (index, layer) in model.layers.enumerated() {
      lists[ListKey(owner: layer.owner, isShortcut: layer.owner != nil && layer.isOnShortcut), default: []]
        .append(index)
    }
    for (index, layer) in model.layers.enumerated() where layer.type == "residual" {
      for (isShortcut, source) in zip([false, true], layer.sources) {
        guard case .layer(let value) = source else { continue }
        moveToEnd(value, of: ListKey(owner: index, isShortcut: isShortcut))
      }
    }
    giveNames(ListKey(), prefix: "", old: "", taken: Set(model.inputs.map(\.name)))
    var places: [Int: Int] = [:]
    for layer in model.layers {
      for index in layer.parameters { places[index, default: 0] += 1 }
    }
    shared = Set(places.filter { $0.value > 1 }.keys)
  }

  private mutating func moveToEnd(_ value: Int, of key: ListKey) {
    guard var list = lists[key], let place = list.firstIndex(of: value) else { return }
    list.append(list.remove(at: place))
    lists[key] = list
  }

  /// Names the layers of a list: `old` is what their paths begin with, `prefix` what their new ones do.
  private mutating func giveNames(_ key: ListKey, prefix: String, old: String, taken: Set<String>) {
    var taken = taken.union(["outer"])
    for index in lists[key] ?? [] {
      let own = String(model.layers[index].path.dropFirst(old.count))
      let joined = String(own.map { $0 == "." ? "-" : $0 })
      var name = joined
      var number = 2
      while !taken.insert(name).inserted {
        name = "\(joined)-\(number)"
        number += 1
      }
      names[index] = name
      paths[index] = prefix + name
    }
    for index in lists[key] ?? [] where model.layers[index].type == "residual" {
      guard let path = paths[index] else { continue }
      let old = model.layers[index].path + "."
      giveNames(ListKey(owner: index), prefix: path + ".", old: old, taken: [])
      let body = (lists[ListKey(owner: index)] ?? []).compactMap { names[$0] }
      giveNames(ListKey(owner: index, isShortcut: true), prefix: path + ".", old: old, taken: Set(body))
    }
  }

  // MARK: The file

  mutating func write() throws(Failure) -> String {
    var text = heading
    for entry in model.root.entries ?? [] {
      switch entry.key {
      case "blocks", "outputs": break
      case "layers":
        text += "layers:\n"
        try write(ListKey(), outer: nil, indentation: "  ", into: &text)
        text += outputs
      case "inputs", "metadata": text += section(entry)
      case "training": text += section(entry, replacing: ["freeze": freeze])
      case "tests": text += tests(entry.value)
      default: text += "\(scalarText(entry.key)): \(entry.value.flowText(in: model.source))\n"
      }
    }
    return text
  }

  private var heading: String {
    var text = ""
    let first = model.source.line(1)
    let line = String(decoding: first, as: UTF8.self)
    if line.hasPrefix("# yaml-language-server:") { text += line + "\n" }
    guard model.root["blocks"] != nil else { return text }
    text += "# The blocks are written out here; where a path led through one, its dots are dashes.\n"
    let redrawn = model.layers.indices.contains { index in
      let layer = model.layers[index]
      return paths[index] != layer.path
        && layer.parameters.contains { if case .drawn = model.parameters[$0].origin { true } else { false } }
    }
    if redrawn {
      text += "# Parameters without values are drawn by their paths, so some of these are drawn otherwise.\n"
    }
    return text
  }

  /// A mapping with a line for each key.
  private func section(_ entry: Node.Entry, replacing: [String: String] = [:]) -> String {
    guard let entries = entry.value.entries, !entries.isEmpty else {
      return "\(entry.key): \(entry.value.flowText(in: model.source))\n"
    }
    let lines = entries.map { entry in
      "  \(scalarText(entry.key)): \(replacing[entry.key] ?? entry.value.flowText(in: model.source))\n"
    }
    return "\(entry.key):\n" + lines.joined()
  }

  private var outputs: String {
    let last = (lists[ListKey()] ?? []).last
    var seen: Set<Int> = []
    let layers = model.outputs.map(\.layer).filter { seen.insert($0).inserted }
    if layers.count == 1, layers.first == last { return "" }
    return "outputs: [" + layers.compactMap { paths[$0] }.joined(separator: ", ") + "]\n"
  }

  // MARK: Layers

  private mutating func write(_ key: ListKey, outer: Model.Source?, indentation: String, into text: inout String)
    throws(Failure)
  {
    let list = lists[key] ?? []
    for (position, index) in list.enumerated() {
      let layer = model.layers[index]
      let usual: [Model.Source] =
        position > 0
        ? [.layer(list[position - 1])] : outer.map { [$0] } ?? (model.inputs.count == 1 ? [.input(0)] : [])
      let taken = layer.taken.map { [$0] } ?? layer.sources
      var keys = ["name: \(names[index] ?? "")", "type: \(layer.type)"]
      if taken != usual {
        let sources = taken.map { $0 == outer ? "outer" : name($0) }
        keys.append("input: " + (sources.count == 1 ? sources[0] : "[" + sources.joined(separator: ", ") + "]"))
      }
      keys += try attributes(of: index, continuation: indentation + "    ")
      guard layer.type == "residual" else {
        text += "\(indentation)- {\(keys.joined(separator: ", "))}\n"
        continue
      }
      text += "\(indentation)- " + keys.joined(separator: "\n\(indentation)  ") + "\n"
      for (isShortcut, part) in [(false, "body"), (true, "shortcut")] {
        let inner = ListKey(owner: index, isShortcut: isShortcut)
        guard lists[inner] != nil else { continue }
        text += "\(indentation)  \(part):\n"
        try write(inner, outer: layer.taken, indentation: indentation + "    ", into: &text)
      }
    }
  }

  private func name(_ source: Model.Source) -> String {
    switch source {
    case .input(let index): model.inputs[index].name
    case .layer(let index): names[index] ?? ""
    }
  }

  /// The keys of a layer beyond its name, type and input, parameters included.
  private mutating func attributes(of index: Int, continuation: String) throws(Failure) -> [String] {
    let layer = model.layers[index]
    let parameters = Dictionary(uniqueKeysWithValues: zip(parameterNames(layer, model), layer.parameters))
    var keys: [String] = []
    for entry in layer.node.entries ?? [] {
      if ["name", "type", "input", "body", "shortcut"].contains(entry.key) { continue }
      if let parameter = parameters[entry.key] {
        if let value = try value(of: parameter, entry, for: index, continuation: continuation) {
          keys.append("\(entry.key): \(value)")
        }
      } else {
        keys.append("\(scalarText(entry.key)): \(entry.value.flowText(in: model.source))")
      }
    }
    for (key, parameter) in zip(parameterNames(layer, model), layer.parameters) where layer.node[key] == nil {
      if case .weights(let reference) = model.parameters[parameter].origin,
        reference.key != "\(paths[index] ?? "").\(key)"
      {
        keys.append("\(key): \(text(reference))")
      }
    }
    return keys
  }

  /// What a layer gives for a parameter under a key that it has.
  private mutating func value(
    of parameter: Int, _ entry: Node.Entry, for layer: Int, continuation: String
  ) throws(Failure) -> String? {
    if let anchor = anchors[parameter] { return "*" + anchor }
    let text: String
    switch model.parameters[parameter].origin {
    case .values:
      text = NumberTexts(tensor: try model.value(of: parameter)).nestedList(lineBreak: "\n", continuation: continuation)
    case .number, .binary, .drawn: text = entry.value.flowText(in: model.source)
    case .file(let reference): return self.text(reference)
    case .weights(let reference):
      let path = "\(paths[layer] ?? "").\(entry.key)"
      return reference.key == path ? entry.value.flowText(in: model.source) : self.text(reference)
    }
    guard shared.contains(parameter) else { return text }
    let anchor = "shared-\(anchors.count + 1)"
    anchors[parameter] = anchor
    return "&\(anchor) \(text)"
  }

  private func text(_ reference: ArrayReference) -> String {
    let key = reference.key.map { ", key: \(scalarText($0))" } ?? ""
    return "{file: \(scalarText(reference.writtenFile))\(key)}"
  }

  // MARK: Paths elsewhere

  /// The patterns of `freeze`; one that would freeze something else now is replaced by the paths that it froze.
  private var freeze: String {
    guard case .sequence(let nodes)? = model.root["training"]?["freeze"]?.content else { return "[]" }
    var result: [String] = []
    for text in nodes.compactMap(\.string) {
      let pattern = FreezePattern(text)
      let old = model.layers.indices.filter { pattern.freezes(model.layers[$0].path) }
      let new = model.layers.indices.filter { pattern.freezes(paths[$0] ?? "") }
      let frozen = pattern.frozenParameters(in: model)
      let covered = Set(old.flatMap { model.layers[$0].parameters })
      if old == new, frozen == covered {
        result.append(text)
      } else {
        // What lies in a residual that is frozen whole is frozen with it.
        let whole = old.filter { index in !(model.layers[index].owner.map(old.contains) ?? false) }
        result += whole.compactMap { paths[$0] }
        result += frozen.subtracting(covered).sorted().map { path(ofParameter: $0) }
      }
    }
    return "[" + result.map { scalarText($0) }.joined(separator: ", ") + "]"
  }

  private func path(ofParameter index: Int) -> String {
    guard let layer = model.layers.firstIndex(where: { $0.parameters.contains(index) }) else { return "" }
    let names = zip(parameterNames(model.layers[layer], model), model.layers[layer].parameters)
    let name = names.first { $0.1 == index }?.0 ?? ""
    return "\(paths[layer] ?? "").\(name)"
  }

  private func tests(_ node: Node) -> String {
    guard case .sequence(let tests) = node.content else { return "" }
    var text = "tests:\n"
    for test in tests {
      for (position, entry) in (test.entries ?? []).enumerated() {
        let value =
          switch entry.key {
          case "outputs": renamed(entry.value, path(ofLayer:))
          case "parameters": renamed(entry.value, path(ofParameter:))
          case "train":
            "{"
              + (entry.value.entries ?? []).map { inner in
                let value =
                  inner.key == "targets"
                  ? renamed(inner.value, path(ofLayer:)) : inner.value.flowText(in: model.source)
                return "\(scalarText(inner.key)): \(value)"
              }.joined(separator: ", ") + "}"
          default: entry.value.flowText(in: model.source)
          }
        text += "\(position == 0 ? "  - " : "    ")\(scalarText(entry.key)): \(value)\n"
      }
    }
    return text
  }

  /// A mapping in flow style with its keys put through `rename`.
  private func renamed(_ node: Node, _ rename: (String) -> String) -> String {
    let entries = (node.entries ?? []).map { entry in
      "\(scalarText(entry.key.hasPrefix("x-") ? entry.key : rename(entry.key))): \(entry.value.flowText(in: model.source))"
    }
    return "{" + entries.joined(separator: ", ") + "}"
  }

  private func path(ofLayer name: String) -> String {
    let layer = model.outputs.first { $0.name == name }?.layer ?? model.layers.firstIndex { $0.path == name }
    return layer.flatMap { paths[$0] } ?? name
  }

  private func path(ofParameter name: String) -> String {
    model.parameters.firstIndex { $0.path == name }.map { path(ofParameter: $0) } ?? name
  }
}
