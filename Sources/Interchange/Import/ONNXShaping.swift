import Tensors

/// The operators that only give values another shape or name, and those that compute such shapes.
extension ONNXNodeReader {
  mutating func readShaping(_ node: ONNXNode) throws {
    switch node.operatorType {
    case "Identity": try alias(node, try operand(node))
    case "Cast": try readCast(node)
    case "Constant": try readConstant(node)
    case "Flatten": try readFlatten(node)
    case "Reshape": try readReshape(node)
    case "Squeeze": try readSqueeze(node)
    case "Unsqueeze": try readUnsqueeze(node)
    case "Shape": try readShape(node)
    case "Gather": try readGather(node)
    case "Transpose": try readTranspose(node)
    default: try readPad(node)
    }
  }

  private mutating func readConstant(_ node: ONNXNode) throws {
    let attributes = ImportedAttributes(node)
    func floats(_ shape: [Int], _ values: [Float]) -> ImportedOperand {
      .tensor(ONNXTensor(name: node.outputs.first ?? "", .float32(Tensor(shape: shape, elements: values))))
    }
    if case .tensor(let tensor)? = attributes["value"] {
      try alias(node, .tensor(tensor))
    } else if let value = attributes.integer("value_int") {
      try alias(node, .sizes([.known(value)]))
    } else if let values = attributes.integers("value_ints") {
      try alias(node, .sizes(values.map { .known($0) }))
    } else if let value = attributes.float("value_float") {
      try alias(node, floats([], [value]))
    } else if case .floats(let values)? = attributes["value_floats"] {
      try alias(node, floats([values.count], values))
    } else {
      throw UnsupportedNode(reason: "a constant of this kind cannot be said")
    }
  }

  /// A cast that changes no number: numbers of the file are rounded to the model's own type when they are taken.
  private mutating func readCast(_ node: ONNXNode) throws {
    let operand = try operand(node)
    let own = elementType == .float32 ? ONNXElementType.float : ONNXElementType.double
    let target = ImportedAttributes(node).integer("to") ?? 0
    switch operand {
    case .activation:
      guard target == own else { throw UnsupportedNode(reason: "a model computes in one type of numbers") }
    case .tensor(let tensor) where ONNXElementType.floatingSizes[tensor.elementType] != nil:
      guard target == own || target == ONNXElementType.double else {
        throw UnsupportedNode(reason: "a constant cannot be cast to \(ONNXElementType.name(target))")
      }
    default:
      guard [ONNXElementType.int32, ONNXElementType.int64, own].contains(target) else {
        throw UnsupportedNode(reason: "a shape cannot be cast to \(ONNXElementType.name(target))")
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
    let isCell = rank == 4 && spatialAxes(operand).allSatisfy { operand.shape[$0] == 1 }
    guard rank != 4 || isCell || operand.isChannelsLast == isChannelsLast else {
      throw UnsupportedNode(reason: "it flattens an image in another order of axes than the model's layout")
    }
    try add(
      node, type: "flatten", inputs: [operand.value],
      result: ImportedActivation(value: operand.value, shape: [operand.shape[0], features(operand)]))
  }

  /// The axes of an image's height and width.
  private func spatialAxes(_ operand: ImportedActivation) -> [Int] { operand.isChannelsLast ? [1, 2] : [2, 3] }

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
    let target = try sizes(node, 1, of: "shape") ?? []
    switch try operand(node) {
    case .tensor(var tensor):
      // A constant of another shape is a constant.
      tensor.dimensions = try dimensions(of: tensor, reshapedTo: target)
      try alias(node, .tensor(tensor))
    case .activation(let operand) where keeps(target, operand): try alias(node, .activation(operand))
    case .activation(let operand) where flattens(target, operand): try flatten(node, operand)
    case .activation: throw UnsupportedNode(reason: "only a reshape that flattens can be said")
    case let sizes: try alias(node, sizes)
    }
  }

  /// The dimensions that a constant gets, of which one may be left to be found.
  private func dimensions(of tensor: ONNXTensor, reshapedTo target: [ImportedSize]) throws -> [Int] {
    let count = try ONNXTensorReader.count(tensor)
    let given = target.compactMap(\.number)
    let product = given.filter { $0 != -1 }.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
    guard given.count == target.count, product > 0, given.allSatisfy({ $0 > 0 || $0 == -1 }),
      given.count(where: { $0 == -1 }) <= 1, given.contains(-1) ? count % product == 0 : count == product
    else { throw UnsupportedNode(reason: "its shape does not fit the constant") }
    return given.map { $0 == -1 ? count / product : $0 }
  }

  /// Whether a length that a reshape asks for is that of an axis: 0 keeps it.
  private func keeps(_ length: ImportedSize, _ operand: ImportedActivation, axis: Int) -> Bool {
    switch length {
    case .known(0): true
    case .known(let size): size == operand.shape[axis]
    case .batch: axis == 0 && operand.shape[0] == nil
    case .unknown: false
    }
  }

  /// Whether a reshape changes nothing: all lengths stay, one of which may be left to be found (-1).
  private func keeps(_ target: [ImportedSize], _ operand: ImportedActivation) -> Bool {
    operand.padding == nil && target.count == operand.shape.count && target.count(where: { $0 == .known(-1) }) <= 1
      && target.indices.allSatisfy { target[$0] == .known(-1) || keeps(target[$0], operand, axis: $0) }
  }

  /// Whether a reshape makes all axes but the first one.
  private func flattens(_ target: [ImportedSize], _ operand: ImportedActivation) -> Bool {
    guard target.count == 2, operand.shape.count >= 2 else { return false }
    let isAll = features(operand).map { target[1] == .known($0) } ?? false
    return isAll && target[0] == .known(-1)
      || keeps(target[0], operand, axis: 0) && (isAll || target[1] == .known(-1))
  }

  private mutating func readSqueeze(_ node: ONNXNode) throws {
    let sizes = try operand(node)
    if case .sizes = sizes { return try alias(node, sizes) }
    let operand = try activation(node)
    guard operand.shape.count == 4, let axes = try integers(node, attribute: "axes", operand: 1),
      Set(axes.map { $0 < 0 ? $0 + 4 : $0 }) == Set(spatialAxes(operand)),
      spatialAxes(operand).allSatisfy({ operand.shape[$0] == 1 })
    else { throw UnsupportedNode(reason: "only the two axes of an image of one cell can be removed") }
    try flatten(node, operand)
  }

  private mutating func readUnsqueeze(_ node: ONNXNode) throws {
    switch try operand(node) {
    case .sizes(let sizes): try alias(node, .sizes(sizes))
    case .tensor(var tensor):
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
    guard operand.padding == nil else { throw paddingError }
    let sizes = operand.shape.enumerated().map { axis, size -> ImportedSize in
      size.map { .known($0) } ?? (axis == 0 ? .batch : .unknown)
    }
    try alias(node, .sizes(sizes))
  }

  private mutating func readGather(_ node: ONNXNode) throws {
    guard case .sizes(let sizes) = try operand(node),
      let indices = try self.sizes(node, 1, of: "index"), indices.count == 1, let index = indices[0].number
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
    let values = try constant(node, 2, of: "value")?.value.converted(to: Double.self).elements ?? []
    guard attributes.string("mode") ?? "constant" == "constant", attributes.float("value") ?? 0 == 0,
      values.allSatisfy({ $0 == 0 })
    else { throw UnsupportedNode(reason: "only padding with zeros can be said") }
    guard node.inputs.count < 4 || node.inputs[3].isEmpty, let pads = try integers(node, attribute: "pads", operand: 1),
      pads.count == 8, pads.allSatisfy({ (0...1 << 31).contains($0) })
    else { throw UnsupportedNode(reason: "only padding of channels and of images can be said") }
    if pads.allSatisfy({ $0 == 0 }) { return try alias(node, .activation(operand)) }
    if pads.indices.allSatisfy({ $0 == 5 || pads[$0] == 0 }), let channels = operand.shape[1] {
      var result = operand
      let sum = channels &+ pads[5]
      result.shape[1] = sum
      return try add(node, type: "pad-channels", [("channels", "\(sum)")], inputs: [operand.value], result: result)
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
