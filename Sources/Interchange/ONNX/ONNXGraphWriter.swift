import Diagnostics
import Graph
import ModelFile
import Tensors

/// Turns the steps of a model's graph into ONNX's nodes.
struct ONNXGraphWriter {
  private let model: Model
  private let graph: Graph
  private(set) var onnx = ONNXGraph()
  private var names: [ValueID: String] = [:]
  private var takenNames: Set<String> = []
  private var useCounts: [ValueID: Int] = [:]

  init(model: Model, graph: Graph) {
    self.model = model
    self.graph = graph
    for value in graph.steps.flatMap(\.inputs) + graph.outputs { useCounts[value, default: 0] += 1 }
  }

  mutating func writeAll() throws(Failure) {
    onnx.name = model.name.isEmpty ? "model" : model.name
    nameValues()
    for (input, value) in zip(model.inputs, graph.inputs) {
      onnx.inputs.append(valueInfo(input.name, graph.shape(value)))
    }
    try writeParameters()
    var isFused = false
    for index in graph.steps.indices {
      if isFused {
        isFused = false
        continue
      }
      isFused = write(index)
    }
    writeOutputs()
  }

  // MARK: Names

  /// Inputs, parameters and outputs keep the names that the author gave them; the values between have those of their
  /// layers, as far as these are not taken.
  private mutating func nameValues() {
    for (input, value) in zip(model.inputs, graph.inputs) { assign(input.name, to: value) }
    for (output, value) in zip(model.outputs, graph.outputs) where names[value] == nil {
      assign(output.name, to: value)
    }
    for index in ONNXExport.usedParameters(of: graph) {
      assign(model.parameters[index].path, to: graph.parameters[index])
    }
    for layer in model.layers where layer.isUsed && names[layer.value] == nil { assign(layer.path, to: layer.value) }
  }

  private mutating func assign(_ wanted: String, to value: ValueID) { names[value] = unique(wanted) }

  private mutating func unique(_ wanted: String) -> String {
    var name = wanted
    var number = 1
    while !takenNames.insert(name).inserted {
      number += 1
      name = "\(wanted)_\(number)"
    }
    return name
  }

  /// The name of a value; one that no layer stands for is named by its step's layer and operator.
  private mutating func name(_ value: ValueID, label: String = "", operator type: String = "value") -> String {
    if let name = names[value] { return name }
    let name = unique(label.isEmpty ? type : "\(label)/\(type)")
    names[value] = name
    return name
  }

  // MARK: Inputs, outputs and parameters

  private var elementType: Int {
    model.elementType == .float32 ? ONNXElementType.float : ONNXElementType.double
  }

  private func valueInfo(_ name: String, _ shape: Shape) -> ONNXValueInfo {
    let dimensions = shape.map { dimension -> ONNXValueInfo.Dimension in
      switch dimension {
      case .fixed(let size): .size(size)
      case .quotient(let symbol, 0, 1): .symbol(symbol)
      default: .unknown
      }
    }
    return ONNXValueInfo(name: name, elementType: elementType, shape: dimensions)
  }

  private mutating func writeParameters() throws(Failure) {
    for index in ONNXExport.usedParameters(of: graph) {
      let value = try model.value(of: index)
      let name = name(graph.parameters[index])
      onnx.initializers.append(ONNXTensor(name: name, value))
    }
  }

  private mutating func writeOutputs() {
    var written: Set<String> = []
    for (output, value) in zip(model.outputs, graph.outputs) {
      var name = name(value)
      // Every output of a graph is one of its own, and no input of it.
      if written.contains(name) || graph.inputs.contains(value) {
        let source = name
        name = takenNames.contains(output.name) ? unique(output.name) : output.name
        takenNames.insert(name)
        add("Identity", [source], [name])
      }
      written.insert(name)
      onnx.outputs.append(valueInfo(name, graph.shape(value)))
    }
  }

  // MARK: Nodes

  private mutating func add(
    _ type: String, _ inputs: [String], _ outputs: [String], _ attributes: [(String, ONNXAttribute.Value)] = []
  ) {
    onnx.nodes.append(
      ONNXNode(
        name: outputs.first ?? type, operatorType: type, inputs: inputs, outputs: outputs,
        attributes: attributes.map { ONNXAttribute(name: $0.0, value: $0.1) }))
  }

  /// The step that adds a bias to nothing but the value of the step at `index`, where it comes next.
  private func bias(after index: Int) -> Graph.Step? {
    guard index + 1 < graph.steps.count, graph.steps[index + 1].operation is Bias,
      let value = graph.steps[index].outputs.first, graph.steps[index + 1].inputs.first == value,
      useCounts[value] == 1
    else { return nil }
    return graph.steps[index + 1]
  }

  /// Writes a step; true where the next one is in it already.
  private mutating func write(_ index: Int) -> Bool {
    let step = graph.steps[index]
    switch step.operation {
    case let convolution as Convolution:
      return writeWithBias(index, "Conv", convolutionAttributes(convolution, step))
    case is MatrixProduct:
      return writeWithBias(index, "Gemm", matrixAttributes(step))
    case let normalization as BatchNormalization:
      writeNormalization(normalization, step)
    case let normalization as BatchStatisticsNormalization:
      writeNormalization(normalization, step)
    case is SpatialMean: writeSpatialMean(step)
    case let padding as PadChannels: writePadding(padding, step)
    default:
      let (type, attributes) = simple(step)
      let inputs = step.inputs.map { name($0) }
      add(type, inputs, [output(step, type)], attributes)
    }
    return false
  }

  private mutating func output(_ step: Graph.Step, _ type: String) -> String {
    guard let value = step.outputs.first else { return "" }
    return name(value, label: step.label, operator: type)
  }

  private mutating func writeWithBias(
    _ index: Int, _ type: String, _ attributes: [(String, ONNXAttribute.Value)]
  ) -> Bool {
    let step = graph.steps[index]
    let bias = bias(after: index)
    var inputs = step.inputs.map { name($0) }
    if let bias { inputs.append(name(bias.inputs[1])) }
    add(type, inputs, [output(bias ?? step, type)], attributes)
    return bias != nil
  }

  /// The operator of a step that is one node, and its attributes.
  private func simple(_ step: Graph.Step) -> (String, [(String, ONNXAttribute.Value)]) {
    switch step.operation {
    case is Relu: ("Relu", [])
    case is Sigmoid: ("Sigmoid", [])
    case is Tanh: ("Tanh", [])
    case is Add: (step.inputs.count == 2 ? "Add" : "Sum", [])
    case is Flatten: ("Flatten", [("axis", .integer(1))])
    case is Concatenate: ("Concat", [("axis", .integer(1))])
    case let softmax as Softmax: ("Softmax", [("axis", .integer(softmax.axis))])
    case let transpose as Transpose: ("Transpose", [("perm", .integers(transpose.permutation))])
    case let pool as MaxPool: ("MaxPool", windowAttributes(pool.window, step))
    case let pool as AveragePool:
      (
        "AveragePool",
        windowAttributes(pool.window, step) + (pool.countsPadding ? [("count_include_pad", .integer(1))] : [])
      )
    default: ("Identity", [])
    }
  }

  private func convolutionAttributes(_ convolution: Convolution, _ step: Graph.Step)
    -> [(String, ONNXAttribute.Value)]
  {
    windowAttributes(convolution.window, step) + [
      ("dilations", .integers(convolution.window.dilation)), ("group", .integer(convolution.groups)),
    ]
  }

  private func matrixAttributes(_ step: Graph.Step) -> [(String, ONNXAttribute.Value)] {
    guard let product = step.operation as? MatrixProduct else { return [] }
    return [
      ("transA", .integer(product.transposesLeft ? 1 : 0)), ("transB", .integer(product.transposesRight ? 1 : 0)),
    ]
  }

  private func windowAttributes(_ window: Window, _ step: Graph.Step) -> [(String, ONNXAttribute.Value)] {
    let shape = step.inputs.first.map { graph.shape($0) } ?? []
    var attributes: [(String, ONNXAttribute.Value)] = [
      ("kernel_shape", .integers(window.kernel)), ("strides", .integers(window.stride)),
    ]
    // `same` padding depends on the input's size, which may be known only at run time.
    let sizes = Window.Axis.allCases.map { axis in
      shape.count == 4 ? knownSize(shape[2 + axis.rawValue], window, axis) : nil
    }
    if let height = sizes[0], let width = sizes[1] {
      attributes.append(
        (
          "pads",
          .integers([
            window.leadingPadding(.height, input: height), window.leadingPadding(.width, input: width),
            window.trailingPadding(.height, input: height), window.trailingPadding(.width, input: width),
          ])
        ))
    } else {
      attributes.append(("auto_pad", .string("SAME_UPPER")))
    }
    return attributes
  }

  /// A size from which the padding of an axis follows; any will do where the padding does not depend on it.
  private func knownSize(_ dimension: Dimension, _ window: Window, _ axis: Window.Axis) -> Int? {
    if let size = dimension.value { return size }
    if case .explicit = window.padding { return 1 }
    return window.stride[axis.rawValue] == 1 ? 1 : nil
  }

  /// The mean over the spatial axes; runtimes have global average pooling in single precision only.
  private mutating func writeSpatialMean(_ step: Graph.Step) {
    let input = name(step.inputs[0])
    guard model.elementType == .float32 else {
      add(
        "ReduceMean", [input], [output(step, "ReduceMean")], [("axes", .integers([2, 3])), ("keepdims", .integer(0))])
      return
    }
    let pooled = unique("\(step.label)/GlobalAveragePool")
    add("GlobalAveragePool", [input], [pooled])
    add("Flatten", [pooled], [output(step, "Flatten")], [("axis", .integer(1))])
  }

  private mutating func writePadding(_ padding: PadChannels, _ step: Graph.Step) {
    let shape = graph.shape(step.inputs[0])
    var pads = [Int](repeating: 0, count: 2 * shape.count)
    pads[shape.count + 1] = padding.channels - (shape[1].value ?? padding.channels)
    let name = unique("\(step.label).pads")
    onnx.initializers.append(ONNXTensor(name: name, integers: pads))
    let input = self.name(step.inputs[0])
    add("Pad", [input, name], [output(step, "Pad")])
  }

  private mutating func writeNormalization(_ normalization: BatchNormalization, _ step: Graph.Step) {
    let inputs = step.inputs.map { name($0) }
    add(
      "BatchNormalization", inputs, [output(step, "BatchNormalization")],
      [("epsilon", .float(Float(normalization.epsilon)))])
  }

  private mutating func writeNormalization(_ normalization: BatchStatisticsNormalization, _ step: Graph.Step) {
    // In inference the operator itself takes only given statistics, so it is written out:
    // gamma * (x - mean) / sqrt(mean of (x - mean)^2 + epsilon) + beta.
    let rank = graph.shape(step.inputs[0]).count
    let axes = rank == 4 ? [0, 2, 3] : [0]
    let reduction: [(String, ONNXAttribute.Value)] = [("axes", .integers(axes)), ("keepdims", .integer(1))]
    let x = name(step.inputs[0])
    let gamma = perChannel(step.inputs[1], rank: rank, step)
    let beta = perChannel(step.inputs[2], rank: rank, step)
    let epsilon = unique("\(step.label).epsilon")
    onnx.initializers.append(
      ONNXTensor(
        name: epsilon,
        model.elementType == .float32
          ? .float32(Tensor(shape: [], elements: [Float(normalization.epsilon)]))
          : .float64(Tensor(shape: [], elements: [normalization.epsilon]))))
    func inner(
      _ writer: inout ONNXGraphWriter, _ type: String, _ inputs: [String],
      _ attributes: [(String, ONNXAttribute.Value)] = []
    ) -> String {
      let name = writer.unique("\(step.label)/\(type)")
      writer.add(type, inputs, [name], attributes)
      return name
    }
    let mean = inner(&self, "ReduceMean", [x], reduction)
    let difference = inner(&self, "Sub", [x, mean])
    let square = inner(&self, "Mul", [difference, difference])
    let variance = inner(&self, "ReduceMean", [square], reduction)
    let sum = inner(&self, "Add", [variance, epsilon])
    let deviation = inner(&self, "Sqrt", [sum])
    let normalized = inner(&self, "Div", [difference, deviation])
    let scaled = inner(&self, "Mul", [normalized, gamma])
    add("Add", [scaled, beta], [output(step, "BatchNormalization")])
  }

  /// A vector of one number for each channel in the form that stands beside values of a rank: [C] or [C, 1, 1].
  private mutating func perChannel(_ vector: ValueID, rank: Int, _ step: Graph.Step) -> String {
    let source = name(vector)
    guard rank == 4 else { return source }
    let axes = unique("\(source).axes")
    onnx.initializers.append(ONNXTensor(name: axes, integers: [1, 2]))
    let name = unique("\(source)/Unsqueeze")
    add("Unsqueeze", [source, axes], [name])
    return name
  }
}

extension ONNXTensor {
  /// An array of numbers under a name.
  init(name: String, _ tensor: AnyTensor) {
    self.name = name
    dimensions = tensor.shape
    var bytes: [UInt8] = []
    switch tensor {
    case .float32(let tensor):
      elementType = ONNXElementType.float
      bytes.reserveCapacity(tensor.elements.count * 4)
      for element in tensor.elements { append(element.bitPattern.littleEndian, to: &bytes) }
    case .float64(let tensor):
      elementType = ONNXElementType.double
      bytes.reserveCapacity(tensor.elements.count * 8)
      for element in tensor.elements { append(element.bitPattern.littleEndian, to: &bytes) }
    }
    raw = bytes[...]
  }

  /// A list of integers under a name.
  init(name: String, integers: [Int]) {
    self.name = name
    dimensions = [integers.count]
    elementType = ONNXElementType.int64
    var bytes: [UInt8] = []
    for integer in integers { append(Int64(integer).littleEndian, to: &bytes) }
    raw = bytes[...]
  }
}

/// Adds the bytes of an integer as they lie in memory.
private func append<Integer: FixedWidthInteger>(_ integer: Integer, to bytes: inout [UInt8]) {
  unsafe withUnsafeBytes(of: integer) { unsafe bytes.append(contentsOf: $0) }
}
