import Tensors

/// The operators without parameters.
extension ONNXNodeReader {
  /// An operand that has no padding to come.
  private func plain(_ node: ONNXNode, _ index: Int = 0) throws(UnsupportedNode) -> ImportedActivation {
    let operand = try activation(node, index)
    guard operand.padding == nil else { throw paddingError }
    return operand
  }

  mutating func readElementwise(_ node: ONNXNode, type: String) throws {
    let operand = try plain(node)
    if fuse(node, operand, activation: type) { return }
    try add(node, type: type, inputs: [operand.value], result: operand)
  }

  /// Makes a function the activation of the dense layer before it, where nothing else takes that layer's value.
  private mutating func fuse(_ node: ONNXNode, _ operand: ImportedActivation, activation: String) -> Bool {
    guard case .layer(let number) = operand.value, let layer = graph.layers[number], layer.type == "dense",
      layer.attribute("activation") == nil, isTakenOnce(node.inputs[0]), !operand.isPooled,
      let output = node.outputs.first
    else { return false }
    if activation == "sigmoid" {
      graph.layers[number]?.type = "dense-sigmoid"
    } else {
      graph.layers[number]?.attributes.append(("activation", activation))
    }
    operands[output] = .activation(operand)
    return true
  }

  mutating func readSoftmax(_ node: ONNXNode) throws {
    let operand = try plain(node)
    let rank = operand.shape.count
    let attribute = ImportedAttributes(node).integer("axis") ?? (version < 13 ? 1 : -1)
    let axis = attribute < 0 ? attribute + rank : attribute
    // Where the last axis of the model's layout is in ONNX; older operators take all axes from theirs on as one.
    let last = rank == 4 && isChannelsLast && !operand.isChannelsLast ? 1 : rank - 1
    guard rank >= 1, axis == last, version >= 13 || axis == rank - 1, !operand.isPooled else {
      throw UnsupportedNode(reason: "softmax can be said over the last axis only")
    }
    if rank == 2, fuse(node, operand, activation: "softmax") { return }
    try add(node, type: "softmax", inputs: [operand.value], result: operand)
  }

  mutating func readPooling(_ node: ONNXNode) throws {
    let attributes = ImportedAttributes(node)
    let operand = try image(node)
    let window = try ImportedWindow(attributes, kernel: nil, sizes: Array(operand.shape[2...]))
    guard window.dilation == [1, 1] else { throw UnsupportedNode(reason: "a pooling with dilations cannot be said") }
    if let padding = window.padding,
      max(padding[0], padding[2]) >= window.kernel[0] || max(padding[1], padding[3]) >= window.kernel[1]
    {
      throw UnsupportedNode(reason: "its padding is as large as its kernel")
    }
    var keys = window.attributes(defaultStride: window.kernel)
    if node.operatorType == "AveragePool", attributes.integer("count_include_pad") == 1, window.padding != [0, 0, 0, 0]
    {
      keys.append(("count-padding", "true"))
    }
    try add(
      node, type: node.operatorType == "MaxPool" ? "maxpool" : "avgpool", keys, inputs: [operand.value],
      result: ImportedActivation(value: operand.value, shape: Array(operand.shape[..<2]) + window.outputSizes))
  }

  mutating func readGlobalPooling(_ node: ONNXNode) throws {
    let operand = try image(node)
    let isMean = node.operatorType != "GlobalMaxPool"
    var result = operand
    result.shape = Array(operand.shape[..<2]) + [1, 1]
    if isMean, !isOutput(node.outputs.first ?? "") {
      result.isPooled = true
      return try add(node, type: "gap", inputs: [operand.value], result: result)
    }
    guard let height = operand.shape[2], let width = operand.shape[3], height > 0, width > 0 else {
      throw UnsupportedNode(reason: "it pools over an image whose size is not known, into one of a single cell")
    }
    try add(
      node, type: isMean ? "avgpool" : "maxpool", [("kernel", height == width ? "\(height)" : "[\(height), \(width)]")],
      inputs: [operand.value], result: result)
  }

  mutating func readMean(_ node: ONNXNode) throws {
    let operand = try image(node)
    let axes = try integers(node, attribute: "axes", operand: 1)
    guard let axes, Set(axes.map { $0 < 0 ? $0 + 4 : $0 }) == [2, 3] else {
      throw UnsupportedNode(reason: "only the mean over the two axes of an image can be said")
    }
    if ImportedAttributes(node).integer("keepdims") ?? 1 == 1 { return try readGlobalPooling(node) }
    try add(
      node, type: "gap", inputs: [operand.value],
      result: ImportedActivation(value: operand.value, shape: Array(operand.shape[..<2])))
  }

  mutating func readConcatenation(_ node: ONNXNode) throws {
    let isSizes = node.inputs.allSatisfy { name in
      switch operands[name] {
      case .sizes?: true
      case .tensor(let tensor)?: [ONNXElementType.int32, ONNXElementType.int64].contains(tensor.elementType)
      default: false
      }
    }
    if isSizes {
      var joined: [ImportedSize] = []
      for index in node.inputs.indices { joined += try sizes(node, index, of: "operand") ?? [] }
      guard joined.count <= 64 else { throw UnsupportedNode(reason: "it joins too many numbers") }
      return try alias(node, .sizes(joined))
    }
    var values: [ImportedActivation] = []
    for index in node.inputs.indices { values.append(try plain(node, index)) }
    let first = values[0]
    let rank = first.shape.count
    let axis = ImportedAttributes(node).integer("axis") ?? 1
    let channels = first.isChannelsLast ? rank - 1 : 1
    guard rank == 2 || rank == 4, (axis < 0 ? axis + rank : axis) == channels,
      values.allSatisfy({
        $0.shape.count == rank && $0.isChannelsLast == first.isChannelsLast && $0.isPooled == first.isPooled
      })
    else { throw UnsupportedNode(reason: "only the channels of values can be joined") }
    if values.count == 1 { return try alias(node, .activation(first)) }
    var result = first
    let sizes = values.compactMap { $0.shape[channels] }
    result.shape[channels] = sizes.count == values.count ? sizes.reduce(0, &+) : nil
    try add(node, type: "concat", inputs: values.map(\.value), result: result)
  }

  mutating func readDropout(_ node: ONNXNode) throws {
    let operand = try plain(node)
    var rate = ImportedAttributes(node).float("ratio") ?? 0.5
    if let ratio = try constant(node, 1, of: "ratio") {
      guard ratio.value.count == 1 else { throw UnsupportedNode(reason: "its ratio is not one number") }
      rate = ratio.value.converted(to: Float.self).elements[0]
    }
    guard rate >= 0, rate < 1 else { throw UnsupportedNode(reason: "its ratio is not from 0 up to 1") }
    try add(node, type: "dropout", [("rate", rate.description)], inputs: [operand.value], result: operand)
  }
}
