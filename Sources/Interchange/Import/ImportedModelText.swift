import Files
import Tensors
import YAML

/// Writes an imported graph as the text of a model, and names its arrays.
struct ImportedModelText {
  /// What stands above the layers.
  struct Heading {
    var name = ""
    var description = ""
    var elementType = ElementType.float32
    var isChannelsLast = false
    /// The inputs' names and shapes as text.
    var inputs: [(name: String, shape: String)] = []
    /// The name of the weight file.
    var weights = ""
  }

  private var graph: ImportedGraph
  private let heading: Heading
  private(set) var arrays: [(key: String, value: AnyTensor)] = []
  /// The paths of arrays by the ONNX tensors that they are.
  private var known: [String: String] = [:]
  private var names: [Int: String] = [:]
  private var body = ""

  init(_ graph: ImportedGraph, heading: Heading) {
    self.graph = graph
    self.heading = heading
    var taken = Set(heading.inputs.map(\.name))
    taken.insert("outer")
    giveNames(graph.order, owner: [], taken: &taken)
    write(graph.order, source: nil, prefix: "", indentation: "  ")
  }

  /// The whole text.
  var text: String {
    var text = "nnrun: 1\n"
    if !heading.name.isEmpty { text += "name: \(scalarText(heading.name))\n" }
    if !heading.description.isEmpty { text += "description: \(scalarText(heading.description))\n" }
    if heading.elementType == .float64 { text += "dtype: float64\n" }
    if heading.isChannelsLast { text += "layout: nhwc\n" }
    text += "inputs:\n"
    for input in heading.inputs { text += "  \(input.name): {shape: \(input.shape)}\n" }
    if !arrays.isEmpty, !heading.weights.isEmpty { text += "weights: \(scalarText(heading.weights))\n" }
    text += "layers:\n" + body
    let outputs = graph.outputs.compactMap { names[$0] }
    if graph.outputs != graph.order.suffix(1) { text += "outputs: [\(outputs.joined(separator: ", "))]\n" }
    return text
  }

  private mutating func giveNames(_ list: [Int], owner: [Substring], taken: inout Set<String>) {
    for number in list {
      guard let layer = graph.layers[number] else { continue }
      names[number] = ImportedNames.unique(
        ImportedNames.name(layer.path, in: owner, type: layer.type), among: &taken)
      guard layer.type == "residual" else { continue }
      var inner: Set = ["outer"]
      giveNames(layer.body + layer.shortcut, owner: layer.path, taken: &inner)
    }
  }

  /// Writes the layers of a list; `source` is what `outer` stands for in it, nil for the top list.
  private mutating func write(_ list: [Int], source: ImportedValue?, prefix: String, indentation: String) {
    for (index, number) in list.enumerated() {
      guard let layer = graph.layers[number], let name = names[number] else { continue }
      let path = prefix + name
      var keys = [(key: "name", value: name), ("type", layer.type)] + layer.attributes
      let usual: [ImportedValue] =
        index > 0 ? [.layer(list[index - 1])] : source.map { [$0] } ?? (heading.inputs.count == 1 ? [.input(0)] : [])
      if layer.inputs != usual {
        let inputs = layer.inputs.map { self.name($0, source: source) }
        keys.insert(("input", inputs.count == 1 ? inputs[0] : "[" + inputs.joined(separator: ", ") + "]"), at: 2)
      }
      for parameter in layer.parameters {
        if let tensor = parameter.tensor, let first = known["\(tensor) \(parameter.value.shape)"] {
          if heading.weights.isEmpty { continue }
          keys.append((parameter.name, "{file: \(scalarText(heading.weights)), key: \(first)}"))
          continue
        }
        let key = path + "." + parameter.name
        if let tensor = parameter.tensor { known["\(tensor) \(parameter.value.shape)"] = key }
        arrays.append((key, parameter.value))
      }
      guard layer.type == "residual" else {
        body += indentation + "- {" + keys.map { "\($0.key): \($0.value)" }.joined(separator: ", ") + "}\n"
        continue
      }
      for (position, key) in keys.enumerated() {
        body += indentation + (position == 0 ? "- " : "  ") + "\(key.key): \(key.value)\n"
      }
      for (key, inner) in [("body", layer.body), ("shortcut", layer.shortcut)] where !inner.isEmpty {
        body += indentation + "  \(key):\n"
        write(inner, source: layer.inputs.first, prefix: path + ".", indentation: indentation + "    ")
      }
    }
  }

  private func name(_ value: ImportedValue, source: ImportedValue?) -> String {
    if value == source { return "outer" }
    return switch value {
    case .input(let index): heading.inputs[index].name
    case .layer(let number): names[number] ?? ""
    }
  }
}
