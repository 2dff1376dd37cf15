import Graph
public import ModelFile

/// The boxes and arrows of a model's drawing: inputs, layers, outputs.
public struct GraphDiagram: Sendable {
  /// What a box stands for.
  enum Kind: String, Sendable {
    case input, convolution, dense, normalisation, activation, pooling, join, other, output
  }

  /// A box.
  struct Box: Sendable {
    let title: String
    /// What stands under the title.
    let detail: String
    let kind: Kind
  }

  /// An arrow from one box to another, with the shape that flows along it.
  struct Arrow: Sendable {
    let from: Int
    let to: Int
    let label: String
  }

  let name: String
  private(set) var boxes: [Box] = []
  private(set) var arrows: [Arrow] = []

  /// The drawing of the layers that a model's outputs need.
  public init(_ model: Model) {
    name = model.name
    for input in model.inputs { boxes.append(Box(title: input.name, detail: "input", kind: .input)) }
    var boxOfLayer: [Int: Int] = [:]
    func source(_ source: Model.Source) -> (box: Int, label: String)? {
      switch source {
      case .input(let index): (index, model.inputs[index].shape.text)
      case .layer(let index): boxOfLayer[index].map { ($0, model.layers[index].shape.text) }
      }
    }
    for (index, layer) in model.layers.enumerated() where layer.isUsed {
      boxOfLayer[index] = boxes.count
      boxes.append(Box(title: layer.path, detail: Self.detail(of: layer, in: model), kind: Self.kind(of: layer.type)))
      for taken in layer.sources {
        if let (box, label) = source(taken) {
          arrows.append(Arrow(from: box, to: boxes.count - 1, label: label))
        }
      }
    }
    for output in model.outputs {
      guard let box = boxOfLayer[output.layer] else { continue }
      boxes.append(Box(title: output.name, detail: "output", kind: .output))
      arrows.append(Arrow(from: box, to: boxes.count - 1, label: output.shape.text))
    }
  }

  private static func kind(of type: String) -> Kind {
    switch type {
    case "conv2d": .convolution
    case "dense", "dense-sigmoid": .dense
    case "batchnorm": .normalisation
    case "relu", "sigmoid", "tanh", "softmax": .activation
    case "gap", "maxpool", "avgpool": .pooling
    case "residual", "add", "concat": .join
    default: .other
    }
  }

  private static func detail(of layer: Model.Layer, in model: Model) -> String {
    switch layer.type {
    case "residual": return "residual: body + shortcut"
    case "conv2d":
      guard let index = layer.parameters.first else { return layer.type }
      let shape = model.parameters[index].shape
      return "conv2d \(shape[2])x\(shape[3]), \(shape[0]) filters"
    case "dense", "dense-sigmoid":
      guard let index = layer.parameters.first else { return layer.type }
      return "\(layer.type), \(model.parameters[index].shape[0]) units"
    default: return layer.type
    }
  }
}

extension GraphDiagram {
  /// The drawing in Graphviz's language.
  public var dot: String {
    var text = "digraph \(Self.quoted(name)) {\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n"
    for (index, box) in boxes.enumerated() {
      text += "  n\(index) [label=\(Self.quoted(box.title + "\n" + box.detail))];\n"
    }
    for arrow in arrows { text += "  n\(arrow.from) -> n\(arrow.to) [label=\(Self.quoted(arrow.label))];\n" }
    return text + "}\n"
  }

  /// The drawing in Mermaid's language.
  public var mermaid: String {
    var text = "flowchart TD\n"
    for (index, box) in boxes.enumerated() {
      let label = Self.entities(box.title) + "<br/>" + Self.entities(box.detail)
      text +=
        box.kind == .input || box.kind == .output ? "  n\(index)([\"\(label)\"])\n" : "  n\(index)[\"\(label)\"]\n"
    }
    for arrow in arrows { text += "  n\(arrow.from) -->|\"\(Self.entities(arrow.label))\"| n\(arrow.to)\n" }
    return text
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for character in text {
      switch character {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      default: result.append(character)
      }
    }
    return result + "\""
  }

  /// The text with what XML and Mermaid would read as their own written as entities.
  static func entities(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
    return result
  }
}
