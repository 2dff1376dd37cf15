import Diagnostics
import Tensors

/// The operators with parameters.
extension ONNXNodeReader {
  mutating func readConvolution(_ node: ONNXNode) throws {
    let attributes = ImportedAttributes(node)
    guard let weight = try constant(node, 1, of: "weight") else { throw UnsupportedNode(reason: "it has no weight") }
    let shape = weight.value.shape
    guard shape.count == 4 else { throw UnsupportedNode(reason: "only convolutions over two axes can be said") }
    let bias = try constant(node, 2, of: "bias")
    let groups = attributes.integer("group") ?? 1
    let operand = try activation(node)
    if operand.isPooled, shape[2] == 1, shape[3] == 1, groups == 1,
      (attributes.integers("pads") ?? []).allSatisfy({ $0 == 0 })
    {
      // A convolution of one cell is a dense layer.
      let parameters =
        [("weight", weight.value.reshaped([shape[0], shape[1]]), nil)]
        + (bias.map { [("bias", $0.value, $0.name)] } ?? [])
      var result = operand
      result.shape = [operand.shape[0], shape[0], 1, 1]
      return try add(
        node, type: "dense", dense(units: shape[0], hasBias: bias != nil), inputs: [operand.value],
        parameters: parameters, result: result)
    }
    let image = try image(node, allowsPadding: true)
    let window = try ImportedWindow(
      attributes, kernel: Array(shape[2...]), sizes: Array(image.shape[2...]), extra: image.padding)
    var keys = [(key: "filters", value: "\(shape[0])")] + window.attributes(defaultStride: [1, 1])
    if groups != 1 { keys.append(("groups", "\(groups)")) }
    if bias == nil { keys.append(("bias", "false")) }
    var parameters: [(name: String, value: AnyTensor, tensor: String?)] = [("weight", weight.value, weight.name)]
    if let bias { parameters.append(("bias", bias.value, bias.name)) }
    try add(
      node, type: "conv2d", keys, inputs: [image.value], parameters: parameters,
      result: ImportedActivation(value: image.value, shape: [image.shape[0], shape[0]] + window.outputSizes))
  }

  private func dense(units: Int, hasBias: Bool) -> [(key: String, value: String)] {
    [(key: "units", value: "\(units)")] + (hasBias ? [] : [("bias", "false")])
  }

  mutating func readNormalization(_ node: ONNXNode) throws {
    let attributes = ImportedAttributes(node)
    let operand = try activation(node)
    guard !operand.isChannelsLast, operand.shape.count == 4 || operand.shape.count == 2 else {
      throw UnsupportedNode(reason: "only values of rank 2 and images with their channels first can be taken")
    }
    guard operand.padding == nil else { throw paddingError }
    // In training mode it takes the batch's own statistics; the running ones are only its further results.
    // Before version 14 of the operators it is the number of its results that says so.
    let takesBatch =
      attributes.integer("training_mode") == 1
      || version < 14 && node.outputs.dropFirst().contains { !$0.isEmpty }
    let axes = attributes.integers(BatchStatisticsRecovery.axesAttribute) ?? [0, 2, 3]
    guard version >= 9 || attributes.integer("spatial") != 0, axes == [0, 2, 3] || operand.shape.count == 2 else {
      throw UnsupportedNode(reason: "statistics of each place by itself cannot be said")
    }
    var parameters: [(name: String, value: AnyTensor, tensor: String?)] = []
    for (index, name) in ["gamma", "beta", "mean", "variance"].prefix(takesBatch ? 2 : 4).enumerated() {
      guard let value = try constant(node, index + 1, of: name) else {
        throw UnsupportedNode(reason: "its \(name) is missing")
      }
      parameters.append((name, value.value, value.name))
    }
    var keys: [(key: String, value: String)] = []
    let epsilon = attributes.float("epsilon") ?? 1e-5
    if takesBatch { keys.append(("statistics", "batch")) }
    if epsilon != 1e-5 { keys.append(("epsilon", epsilon.description)) }
    // ONNX counts the share of the old statistics, the format that of the new batch.
    let momentum = 1 - (attributes.float("momentum") ?? 0.9)
    if !takesBatch, abs(momentum - 0.1) > 1e-6, (0...1).contains(momentum) {
      keys.append(("momentum", ((momentum * 1e6).rounded() / 1e6).description))
    }
    try add(node, type: "batchnorm", keys, inputs: [operand.value], parameters: parameters, result: operand)
  }

  mutating func readGemm(_ node: ONNXNode) throws {
    let attributes = ImportedAttributes(node)
    let operand = try rows(node)
    guard attributes.integer("transA") ?? 0 == 0 else { throw UnsupportedNode(reason: "it transposes its operand") }
    guard let stored = try constant(node, 1, of: "weight"), stored.value.shape.count == 2 else {
      throw UnsupportedNode(reason: "its weight is no matrix")
    }
    let alpha = attributes.float("alpha") ?? 1
    let beta = attributes.float("beta") ?? 1
    let isTransposed = attributes.integer("transB") == 1
    var weight = isTransposed ? stored.value : stored.value.transposed
    if alpha != 1 { weight = weight.scaled(by: alpha) }
    let units = weight.shape[0]
    var parameters: [(name: String, value: AnyTensor, tensor: String?)] = [
      ("weight", weight, isTransposed && alpha == 1 ? stored.name : nil)
    ]
    if let stored = try constant(node, 2, of: "bias") {
      guard let bias = stored.value.perUnit(units) else {
        throw UnsupportedNode(reason: "its bias is not one number for each unit")
      }
      let isPlain = beta == 1 && stored.value.shape == [units]
      parameters.append(("bias", beta == 1 ? bias : bias.scaled(by: beta), isPlain ? stored.name : nil))
    }
    try addDense(node, operand, units: units, parameters, weightName: stored.name)
  }

  mutating func readMatrixProduct(_ node: ONNXNode) throws {
    let operand = try rows(node)
    guard let stored = try constant(node, 1, of: "weight"), stored.value.shape.count == 2 else {
      throw UnsupportedNode(reason: "only products of rows with a constant matrix can be said")
    }
    let units = stored.value.shape[1]
    try addDense(node, operand, units: units, [("weight", stored.value.transposed, nil)], weightName: stored.name)
  }

  /// An operand of rank 2.
  private func rows(_ node: ONNXNode) throws(UnsupportedNode) -> ImportedActivation {
    let operand = try activation(node)
    guard operand.shape.count == 2 else {
      throw UnsupportedNode(
        reason: "only rows of features (rank 2) can be taken, but this is of rank \(operand.shape.count)")
    }
    return operand
  }

  private mutating func addDense(
    _ node: ONNXNode, _ operand: ImportedActivation, units: Int,
    _ parameters: [(name: String, value: AnyTensor, tensor: String?)], weightName: String
  ) throws {
    try add(
      node, type: "dense", dense(units: units, hasBias: parameters.count > 1), inputs: [operand.value],
      parameters: parameters,
      result: ImportedActivation(value: operand.value, shape: [operand.shape[0], units]))
    // The name of a matrix that was transposed says as much.
    if parameters.first?.tensor != nil { return }
    if case .activation(let result)? = node.outputs.first.flatMap({ operands[$0] }),
      case .layer(let number) = result.value
    {
      let path = path(of: node, parameter: weightName)
      graph.layers[number]?.path = path
    }
  }

  /// A sum of values, or of the value of a layer and its bias.
  mutating func readSum(_ node: ONNXNode) throws {
    if node.inputs.count == 1 { return try alias(node, try operand(node)) }
    let constants = node.inputs.indices.filter { index in
      if case .tensor? = operands[node.inputs[index]] { true } else { false }
    }
    if !constants.isEmpty {
      guard node.inputs.count == 2, constants.count == 1 else {
        throw UnsupportedNode(reason: "constants can be added only as the bias of a layer")
      }
      return try readBias(node, constant: constants[0])
    }
    var values: [ImportedActivation] = []
    for index in node.inputs.indices { values.append(try activation(node, index)) }
    guard values.allSatisfy({ $0.padding == nil }) else { throw paddingError }
    let first = values[0]
    guard values.allSatisfy({ $0.isChannelsLast == first.isChannelsLast && $0.isPooled == first.isPooled }) else {
      throw UnsupportedNode(reason: "it adds values whose axes are not the same")
    }
    func agree(_ left: Int?, _ right: Int?) -> Bool {
      if let left, let right { return left == right }
      // A length of 1 may be stretched to one that only a run knows.
      return left != 1 && right != 1
    }
    let isAgreed = values.allSatisfy { value in
      value.shape.count == first.shape.count && zip(value.shape, first.shape).allSatisfy(agree)
    }
    guard isAgreed else { throw UnsupportedNode(reason: "it adds values of different shapes") }
    try add(node, type: "add", inputs: values.map(\.value), result: first)
  }

  private mutating func readBias(_ node: ONNXNode, constant index: Int) throws {
    let source = node.inputs[1 - index]
    let operand = try activation(node, 1 - index)
    guard case .layer(let number) = operand.value, let layer = graph.layers[number],
      layer.type == "dense" || layer.type == "conv2d", layer.attribute("bias") == "false",
      layer.attribute("activation") == nil, isTakenOnce(source), operand.shape.count == (layer.type == "dense" ? 2 : 4),
      operand.padding == nil, let stored = try constant(node, index, of: "bias"),
      let units = layer.parameters.first?.value.shape[0]
    else { throw UnsupportedNode(reason: "constants can be added only as the bias of a layer") }
    var shape = stored.value.shape[...]
    // For an image with its channels first, the bias stands before two axes of length 1.
    if layer.type == "conv2d", !operand.isChannelsLast, stored.value.count != 1 {
      guard shape.count >= 3, shape.suffix(2) == [1, 1] else {
        throw UnsupportedNode(reason: "the constant is not one number for each channel")
      }
      shape = shape.dropLast(2)
    }
    guard stored.value.shape.count <= operand.shape.count,
      let bias = stored.value.reshaped(Array(shape)).perUnit(units)
    else {
      throw UnsupportedNode(reason: "the constant is not one number for each unit or channel")
    }
    graph.layers[number]?.attributes.removeAll { $0.key == "bias" }
    graph.layers[number]?.parameters.append(("bias", bias, stored.value.shape == [units] ? stored.name : nil))
    try alias(node, .activation(operand), of: source)
  }
}

extension AnyTensor {
  /// A matrix with its axes exchanged.
  fileprivate var transposed: AnyTensor {
    func transpose<Scalar: TensorScalar>(_ tensor: Tensor<Scalar>) -> Tensor<Scalar> {
      let (rows, columns) = (tensor.shape[0], tensor.shape[1])
      var elements: [Scalar] = []
      elements.reserveCapacity(tensor.elements.count)
      for column in 0..<columns {
        for row in 0..<rows { elements.append(tensor.elements[row * columns + column]) }
      }
      return Tensor(shape: [columns, rows], elements: elements)
    }
    switch self {
    case .float32(let tensor): return .float32(transpose(tensor))
    case .float64(let tensor): return .float64(transpose(tensor))
    }
  }

  fileprivate func scaled(by factor: Float) -> AnyTensor {
    switch self {
    case .float32(let tensor): .float32(Tensor(shape: tensor.shape, elements: tensor.elements.map { $0 * factor }))
    case .float64(let tensor):
      .float64(Tensor(shape: tensor.shape, elements: tensor.elements.map { $0 * Double(factor) }))
    }
  }

  /// A vector of `units` numbers from [units], [1, units], or one number for all.
  fileprivate func perUnit(_ units: Int) -> AnyTensor? {
    if count == units, shape.dropLast().allSatisfy({ $0 == 1 }), shape.last == units { return reshaped([units]) }
    guard count == 1 else { return nil }
    switch self {
    case .float32(let tensor): return .float32(Tensor(shape: [units], repeating: tensor.elements[0]))
    case .float64(let tensor): return .float64(Tensor(shape: [units], repeating: tensor.elements[0]))
    }
  }
}
