import Tensors

/// What a layer takes: an input of the graph or the value of another layer, by their numbers.
enum ImportedValue: Hashable {
  case input(Int)
  case layer(Int)
}

/// A layer as it will be written, before the layers have their final names.
struct ImportedLayer {
  /// The layer's type in the format.
  var type: String
  /// The other keys, in order, with their values as text.
  var attributes: [(key: String, value: String)] = []
  var inputs: [ImportedValue]
  /// Values of parameters, and the name of the ONNX tensor that they are, where they are just that.
  var parameters: [(name: String, value: AnyTensor, tensor: String?)] = []
  /// The name that it had, its dots those of a path.
  var path: [Substring]
  /// The node and operator that it came from, for messages.
  var origin: String
  /// The layers of a residual, by number.
  var body: [Int] = []
  var shortcut: [Int] = []

  /// The text of an attribute.
  func attribute(_ key: String) -> String? { attributes.first { $0.key == key }?.value }
}

/// A graph of layers.
struct ImportedGraph {
  /// All layers by number.
  var layers: [Int: ImportedLayer] = [:]
  /// Those of the top list, in an order in which they can run.
  var order: [Int] = []
  /// The layers asked for.
  var outputs: [Int] = []
  private var next = 0

  /// Adds a layer to the end of the top list and returns its number.
  mutating func add(_ layer: ImportedLayer) -> Int {
    defer { next += 1 }
    layers[next] = layer
    order.append(next)
    return next
  }

  /// The layers of the top list that take the value of each.
  var consumers: [Int: [Int]] {
    var consumers: [Int: [Int]] = [:]
    for number in order {
      for case .layer(let source) in layers[number]?.inputs ?? [] { consumers[source, default: []].append(number) }
    }
    return consumers
  }
}
