import Diagnostics
import Tensors

/// Reads the nodes of an ONNX graph into layers, and lists those that the format cannot say.
struct ONNXNodeReader {
  let onnx: ONNXGraph
  let tensors: ONNXTensorReader
  let elementType: ElementType
  /// The version of ONNX's operators.
  let version: Int
  /// Whether the model's inputs have their channels last.
  let isChannelsLast: Bool
  var graph = ImportedGraph()
  var operands: [String: ImportedOperand] = [:]
  private(set) var problems: [String] = []
  private var namingTensors: Set<String> = []
  /// The names that values had before nodes gave them the names that are the keys.
  private var aliases: [String: String] = [:]
  private let useCounts: [String: Int]
  private let outputNames: Set<String>

  /// A reader with the graph's inputs and tensors in place.
  init(
    _ onnx: ONNXGraph, tensors: ONNXTensorReader, elementType: ElementType, version: Int,
    inputs: [(name: String, shape: [Int?])]
  ) {
    self.onnx = onnx
    self.tensors = tensors
    self.elementType = elementType
    self.version = version
    var useCounts: [String: Int] = [:]
    var consumers: [String: [ONNXNode]] = [:]
    for node in onnx.nodes {
      for input in node.inputs {
        useCounts[input, default: 0] += 1
        consumers[input, default: []].append(node)
      }
    }
    self.useCounts = useCounts
    outputNames = Set(onnx.outputs.map(\.name))
    let images = inputs.filter { $0.shape.count == 4 }
    isChannelsLast =
      !images.isEmpty
      && images.allSatisfy { input in
        let takers = consumers[input.name] ?? []
        return !takers.isEmpty
          && takers.allSatisfy {
            $0.operatorType == "Transpose" && ImportedAttributes($0).integers("perm") == [0, 3, 1, 2]
          }
      }
    for tensor in onnx.initializers { operands[tensor.name] = .tensor(tensor) }
    for (index, input) in inputs.enumerated() {
      operands[input.name] = .activation(
        ImportedActivation(
          value: .input(index), shape: input.shape, isChannelsLast: isChannelsLast && input.shape.count == 4))
    }
  }

  /// Reads all nodes. Throws only where the file is damaged.
  mutating func readAll() throws(Failure) {
    for node in onnx.nodes {
      do {
        guard node.domain.isEmpty || node.domain == "ai.onnx" else {
          throw UnsupportedNode(reason: "operators of the domain `\(printable(node.domain))` are not known")
        }
        guard Self.operators.contains(node.operatorType) else {
          throw UnsupportedNode(reason: "the format has no such layer")
        }
        guard !node.inputs.isEmpty || node.operatorType == "Constant" else {
          throw UnsupportedNode(reason: "it has no operands")
        }
        // What follows from a node that could not be read says nothing new.
        let isKnown = node.inputs.allSatisfy { name in
          if case .unknown? = operands[name] { false } else { true }
        }
        guard isKnown else {
          giveUp(node)
          continue
        }
        try read(node)
      } catch let failure as Failure {
        throw failure
      } catch {
        let reason = (error as? UnsupportedNode)?.reason ?? "it cannot be read"
        problems.append("\(Self.describe(node)): \(reason)")
        giveUp(node)
      }
    }
  }

  private mutating func giveUp(_ node: ONNXNode) {
    for output in node.outputs where !output.isEmpty { operands[output] = .unknown }
  }

  static func describe(_ node: ONNXNode) -> String {
    let name = node.name.isEmpty ? node.outputs.first ?? "" : node.name
    return "`\(printable(name))` (\(printable(node.operatorType)))"
  }

  static let operators: Set = [
    "Add", "AveragePool", "BatchNormalization", "Cast", "Concat", "Constant", "Conv", "Dropout", "Flatten", "Gather",
    "Gemm", "GlobalAveragePool", "GlobalMaxPool", "Identity", "MatMul", "MaxPool", "Pad", "ReduceMean", "Relu",
    "Reshape", "Shape", "Sigmoid", "Softmax", "Squeeze", "Sum", "Tanh", "Transpose", "Unsqueeze",
  ]

  private mutating func read(_ node: ONNXNode) throws {
    switch node.operatorType {
    case "Conv": try readConvolution(node)
    case "BatchNormalization": try readNormalization(node)
    case "Gemm": try readGemm(node)
    case "MatMul": try readMatrixProduct(node)
    case "Add", "Sum": try readSum(node)
    case "Relu", "Sigmoid", "Tanh": try readElementwise(node, type: node.operatorType.lowercased())
    case "Softmax": try readSoftmax(node)
    case "MaxPool", "AveragePool": try readPooling(node)
    case "GlobalAveragePool", "GlobalMaxPool": try readGlobalPooling(node)
    case "ReduceMean": try readMean(node)
    case "Concat": try readConcatenation(node)
    case "Dropout": try readDropout(node)
    default: try readShaping(node)
    }
  }

  // MARK: Operands

  /// What the first operand stands for.
  func operand(_ node: ONNXNode) throws(UnsupportedNode) -> ImportedOperand {
    guard let operand = node.inputs.first.flatMap({ operands[$0] }) else {
      throw UnsupportedNode(reason: "its operand 1 is not in the file")
    }
    return operand
  }

  func activation(_ node: ONNXNode, _ index: Int = 0) throws(UnsupportedNode) -> ImportedActivation {
    guard index < node.inputs.count, case .activation(let activation)? = operands[node.inputs[index]] else {
      throw UnsupportedNode(reason: "its operand \(index + 1) is not computed from the model's inputs")
    }
    return activation
  }

  /// An operand that is an image with its channels first.
  func image(_ node: ONNXNode, allowsPadding: Bool = false) throws(UnsupportedNode) -> ImportedActivation {
    let activation = try activation(node)
    guard !activation.isPooled else {
      throw UnsupportedNode(reason: "only images can be taken, but a global pooling left this one cell")
    }
    guard activation.shape.count == 4 else {
      throw UnsupportedNode(reason: "only images of rank 4 can be taken, but this is of rank \(activation.shape.count)")
    }
    guard !activation.isChannelsLast else { throw UnsupportedNode(reason: "its operand has its channels last") }
    guard allowsPadding || activation.padding == nil else { throw paddingError }
    return activation
  }

  var paddingError: UnsupportedNode { UnsupportedNode(reason: "padding can be said only before a convolution") }

  /// The constant that an operand is, and its name; nil where it is left out.
  func constant(_ node: ONNXNode, _ index: Int, of what: String) throws -> (value: AnyTensor, name: String)? {
    guard index < node.inputs.count, !node.inputs[index].isEmpty else { return nil }
    guard case .tensor(let tensor)? = operands[node.inputs[index]] else {
      throw UnsupportedNode(reason: "its \(what) is not a constant")
    }
    guard let value = try tensors.numbers(tensor, as: elementType) else {
      throw UnsupportedNode(reason: "its \(what) is of type \(ONNXElementType.name(tensor.elementType))")
    }
    return (value, node.inputs[index])
  }

  /// The sizes that an operand is; nil where it is left out.
  func sizes(_ node: ONNXNode, _ index: Int, of what: String) throws -> [ImportedSize]? {
    guard index < node.inputs.count, !node.inputs[index].isEmpty else { return nil }
    switch operands[node.inputs[index]] {
    case .sizes(let sizes)?: return sizes
    case .tensor(let tensor)?:
      if let integers = try tensors.integers(tensor) { return integers.map { .known($0) } }
      throw UnsupportedNode(reason: "its \(what) is not a short list of integers")
    default: throw UnsupportedNode(reason: "its \(what) is not a constant")
    }
  }

  /// Integers that are an attribute in older operator sets and an operand in newer ones.
  func integers(_ node: ONNXNode, attribute: String, operand index: Int) throws -> [Int]? {
    if let attribute = ImportedAttributes(node).integers(attribute) { return attribute }
    guard let sizes = try sizes(node, index, of: "`\(attribute)`") else { return nil }
    let known = sizes.compactMap(\.number)
    guard known.count == sizes.count else { throw UnsupportedNode(reason: "its `\(attribute)` is not a constant") }
    return known
  }

  /// Whether nothing but one node takes a value, under whichever of its names.
  func isTakenOnce(_ name: String) -> Bool {
    // It ends in damaged files too: of names that stand for each other, one is taken twice.
    var next: String? = name
    while let name = next {
      guard useCounts[name] == 1, !outputNames.contains(name) else { return false }
      next = aliases[name]
    }
    return true
  }

  func isOutput(_ name: String) -> Bool { outputNames.contains(name) }

  // MARK: Results

  /// Adds a layer whose value is the node's first result.
  mutating func add(
    _ node: ONNXNode, type: String, _ attributes: [(key: String, value: String)] = [], inputs: [ImportedValue],
    parameters: [(name: String, value: AnyTensor, tensor: String?)] = [], result: ImportedActivation
  ) throws(UnsupportedNode) {
    guard let output = node.outputs.first, !output.isEmpty else { throw UnsupportedNode(reason: "it has no result") }
    if node.outputs.dropFirst().contains(where: { useCounts[$0] != nil || outputNames.contains($0) }) {
      throw UnsupportedNode(reason: "only its first result can be said")
    }
    let layer = ImportedLayer(
      type: type, attributes: attributes, inputs: inputs, parameters: parameters,
      path: path(of: node, parameter: parameters.first?.tensor), origin: Self.describe(node))
    var result = result
    result.value = .layer(graph.add(layer))
    operands[output] = .activation(result)
  }

  /// The path of a node's layer; a tensor lends its name to the first layer that takes it.
  mutating func path(of node: ONNXNode, parameter: String?) -> [Substring] {
    guard let parameter, namingTensors.insert(parameter).inserted else {
      return ImportedNames.path(parameter: nil, node: node)
    }
    return ImportedNames.path(parameter: parameter, node: node)
  }

  /// Lets the node's first result be another name of something, which it took as `source` (its first operand).
  mutating func alias(
    _ node: ONNXNode, _ operand: ImportedOperand, of source: String? = nil
  ) throws(UnsupportedNode) {
    guard let output = node.outputs.first, !output.isEmpty else { throw UnsupportedNode(reason: "it has no result") }
    operands[output] = operand
    aliases[output] = source ?? node.inputs.first
  }
}
