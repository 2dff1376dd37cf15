import Tensors

/// The operators that only give values another shape or name, and those that compute such shapes.
extension ONNXNodeReader {
  mutating func readShaping(_ node: ONNXNode) throws {
    switch node.operatorType {
    case "Identity": try alias(node, node.inputs.first.flatMap { operands[$0] } ?? .unknown)
    case "Cast": try readCast(node)
    case "Constant": try readConstant(node)
    case "Flatten": try readFlatten(node)
    case "Reshape": try readReshape(node)
    case "Squeeze": try readSqueeze(node)
    case "Unsqueeze": try readUnsqueeze(node)
    case "Shape": try readShape(node)
    case "Gather": try readGather(node)
    case "Transpose": try readTranspose(node)
    case "Pad": try readPad(node)
    default: throw UnsupportedNode(reason: "the format has no such layer")
    }
  }

  private mutating func readConstant(_ node: ONNXNode) throws {
    let attributes = ImportedAttributes(node)
    guard let output = node.outputs.first else { return }
    if case .tensor(let tensor)? = attributes["value"] {
      operands[output] = .tensor(tensor)
    } else if let value = attributes.integer("value_int") {
      operands[output] = .sizes([value])
    } else if let values = attributes.integers("value_ints") {
      operands[output] = .sizes(values)
    } else if let value = attributes.float("value_float") {
      operands[output] = .tensor(ONNXTensor(name: output, .float32(Tensor(shape: [], elements: [value]))))
    } else if case .floats(let values)? = attributes["value_floats"] {
      operands[output] = .tensor(ONNXTensor(name: output, .float32(Tensor(shape: [values.count], elements: values))))
    } else {
      throw UnsupportedNode(reason: "a constant of this kind cannot be said")
    }
  }

  private mutating func readCast(_ node: ONNXNode) throws {
    guard let operand = node.inputs.first.flatMap({ operands[$0] }) else { return try alias(node, .unknown) }
    if case .activation = operand {
      let own = elementType == .float32 ? ONNXElementType.float : ONNXElementType.double
      guard ImportedAttributes(node).integer("to") == own else {
        throw UnsupportedNode(reason: "a model computes in one type of numbers")
      }
    }
    try alias(node, operand)
  }

  private mutating func readFlatten(_ node: ONNXNode) throws {
    let operand = try activation(node)
    let rank = operand.shape.count
    let axis = ImportedAttributes(node).integer("axis") ?? 1
    guard rank >= 2, (axis < 0 ? axis + rank : axis) == 1 else {
      throw UnsupportedNode(reason: "only all axes but the first can be made one")
    }
    try flatten(node, operand)
  }

  /// Makes all axes but the first one.
  private mutating func flatten(_ node: ONNXNode, _ operand: ImportedActivation) throws(UnsupportedNode) {
    guard operand.padding == nil else { throw paddingError }
    let rank = operand.shape.count
    if rank == 2 { return try alias(node, .activation(operand)) }
    if operand.isPooled {
      return try alias(
        node, .activation(ImportedActivation(value: operand.value, shape: Array(operand.shape[..<2]))))
    }
    guard rank != 4 || operand.isChannelsLast == isChannelsLast else {
      throw UnsupportedNode(reason: "it flattens an image in another order of axes than the model's layout")
    }
    try add(
      node, type: "flatten", inputs: [operand.value],
      result: ImportedActivation(value: operand.value, shape: [operand.shape[0], features(operand)]))
  }

  /// The product of all lengths but the first.
  private func features(_ operand: ImportedActivation) -> Int? {
    var product = 1
    for size in operand.shape.dropFirst() {
      guard let size else { return nil }
      let (next, overflow) = product.multipliedReportingOverflow(by: size)
      guard !overflow else { return nil }
      product = next
    }
    return product
  }

  private mutating func readReshape(_ node: ONNXNode) throws {
    let target: [Int?]
    if let attribute = ImportedAttributes(node).integers("shape") {
      target = attribute
    } else {
      target = try sizes(node, 1, of: "shape") ?? []
    }
    if node.inputs.first.flatMap({ operands[$0] }).map({ if case .sizes = $0 { true } else { false } }) ?? false {
      return try alias(node, operands[node.inputs[0]] ?? .unknown)
    }
    if case .tensor(var tensor)? = node.inputs.first.flatMap({ operands[$0] }) {
      // A constant of another shape is a constant.
      let known = target.compactMap { $0 }
      guard known.count == target.count, known.allSatisfy({ $0 > 0 }),
        known.reduce(1, { $0.multipliedReportingOverflow(by: $1).partialValue }) == (try ONNXTensorReader.count(tensor))
      else { throw UnsupportedNode(reason: "its shape is not known") }
      tensor.dimensions = known
      return try alias(node, .tensor(tensor))
    }
    let operand = try activation(node)
    let shape = operand.shape
    let wanted = features(operand)
    guard target.count == 2, shape.count >= 2 else {
      if target.count == shape.count, zip(target, shape).allSatisfy({ $0 == 0 || ($0 != nil && $0 == $1) }) {
        return try alias(node, .activation(operand))
      }
      throw UnsupportedNode(reason: "only a reshape that flattens can be said")
    }
    // 0 keeps a length, -1 takes what is left, nil is a length that was computed from the batch.
    let keepsBatch: Bool
    switch target[0] {
    case nil, .some(0): keepsBatch = true
    case .some(-1): keepsBatch = target[1] != nil && target[1] == wanted
    case .some(let size): keepsBatch = size == shape[0]
    }
    guard keepsBatch, target[1] == -1 || target[1] == nil || target[1] == wanted || (target[1] == 0 && shape.count == 2)
    else { throw UnsupportedNode(reason: "only a reshape that flattens can be said") }
    try flatten(node, operand)
  }

  private mutating func readSqueeze(_ node: ONNXNode) throws {
    if case .sizes? = node.inputs.first.flatMap({ operands[$0] }) {
      return try alias(node, operands[node.inputs[0]] ?? .unknown)
    }
    let operand = try activation(node)
    let axes = try integers(node, attribute: "axes", operand: 1)
    guard operand.isPooled, let axes, Set(axes.map { $0 < 0 ? $0 + 4 : $0 }) == [2, 3] else {
      throw UnsupportedNode(reason: "only the axes that a global pooling leaves can be removed")
    }
    try flatten(node, operand)
  }

  private mutating func readUnsqueeze(_ node: ONNXNode) throws {
    switch node.inputs.first.flatMap({ operands[$0] }) {
    case .sizes(let sizes)?: try alias(node, .sizes(sizes))
    case .tensor(var tensor)?:
      let axes = try integers(node, attribute: "axes", operand: 1) ?? []
      let rank = tensor.dimensions.count + axes.count
      for axis in axes.map({ $0 < 0 ? $0 + rank : $0 }).sorted() {
        guard axis >= 0, axis <= tensor.dimensions.count else {
          throw UnsupportedNode(reason: "its axes make no sense")
        }
        tensor.dimensions.insert(1, at: axis)
      }
      try alias(node, .tensor(tensor))
    default: throw UnsupportedNode(reason: "values cannot be given more axes")
    }
  }

  private mutating func readShape(_ node: ONNXNode) throws {
    let operand = try activation(node)
    guard ImportedAttributes(node).integer("start") ?? 0 == 0, ImportedAttributes(node)["end"] == nil else {
      throw UnsupportedNode(reason: "a part of a shape cannot be said")
    }
    try alias(node, .sizes(operand.shape))
  }

  private mutating func readGather(_ node: ONNXNode) throws {
    guard case .sizes(let sizes)? = node.inputs.first.flatMap({ operands[$0] }),
      let indices = try self.sizes(node, 1, of: "index"), indices.count == 1, let index = indices[0]
    else { throw UnsupportedNode(reason: "only a length can be taken out of a shape") }
    let place = index < 0 ? index + sizes.count : index
    guard sizes.indices.contains(place) else { throw UnsupportedNode(reason: "its index is beyond the shape") }
    try alias(node, .sizes([sizes[place]]))
  }

  private mutating func readTranspose(_ node: ONNXNode) throws {
    var operand = try activation(node)
    let permutation = ImportedAttributes(node).integers("perm") ?? []
    if permutation == Array(operand.shape.indices) { return try alias(node, .activation(operand)) }
    guard isChannelsLast, operand.shape.count == 4, !operand.isPooled, operand.padding == nil,
      permutation == (operand.isChannelsLast ? [0, 3, 1, 2] : [0, 2, 3, 1])
    else {
      throw UnsupportedNode(
        reason: "axes can be exchanged only between channels first and last, where the model's inputs have them last")
    }
    operand.shape = permutation.map { operand.shape[$0] }
    operand.isChannelsLast.toggle()
    try alias(node, .activation(operand))
  }

  private mutating func readPad(_ node: ONNXNode) throws {
    let attributes = ImportedAttributes(node)
    let operand = try image(node)
    guard attributes.string("mode") ?? "constant" == "constant" else {
      throw UnsupportedNode(reason: "only padding with zeros can be said")
    }
    if let value = attributes.float("value"), value != 0 {
      throw UnsupportedNode(reason: "only padding with zeros can be said")
    }
    if let value = try constant(node, 2, of: "value"),
      value.value.converted(to: Double.self).elements.contains(where: { $0 != 0 })
    {
      throw UnsupportedNode(reason: "only padding with zeros can be said")
    }
    guard node.inputs.count < 4 || node.inputs[3].isEmpty, let pads = try integers(node, attribute: "pads", operand: 1),
      pads.count == 8, pads.allSatisfy({ (0...1 << 31).contains($0) })
    else { throw UnsupportedNode(reason: "only padding of channels and of images can be said") }
    if pads.indices.allSatisfy({ $0 == 5 || pads[$0] == 0 }), let channels = operand.shape[1] {
      var result = operand
      result.shape[1] = channels + pads[5]
      return try add(
        node, type: "pad-channels", [("channels", "\(channels + pads[5])")], inputs: [operand.value], result: result)
    }
    guard pads[0] == 0, pads[1] == 0, pads[4] == 0, pads[5] == 0 else {
      throw UnsupportedNode(reason: "channels can be added only behind those that are there")
    }
    var result = operand
    // The sizes stay those before the padding, which the convolution adds itself.
    result.padding = [pads[2], pads[3], pads[6], pads[7]]
    try alias(node, .activation(result))
  }
}
