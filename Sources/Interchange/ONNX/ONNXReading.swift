extension ONNXModel {
  /// Reads a model from the bytes of its file.
  init(bytes: [UInt8], budget: MessageBudget = MessageBudget()) throws(WireError) {
    var reader = try WireReader(file: bytes, range: bytes.indices, budget: budget)
    while let field = try reader.next() {
      switch field.number {
      case 1: irVersion = try reader.integer(field)
      case 2: producerName = try reader.string(field)
      case 3: producerVersion = try reader.string(field)
      case 6: documentation = try reader.string(field)
      case 7: graph = try ONNXGraph(try reader.message(field))
      case 8: operatorSets.append(try ONNXOperatorSet(try reader.message(field)))
      case 14: metadata.append(try stringPair(try reader.message(field)))
      default: break
      }
    }
  }
}

/// A StringStringEntryProto.
private func stringPair(_ message: WireReader) throws(WireError) -> (key: String, value: String) {
  var reader = message
  var pair = (key: "", value: "")
  while let field = try reader.next() {
    switch field.number {
    case 1: pair.key = try reader.string(field)
    case 2: pair.value = try reader.string(field)
    default: break
    }
  }
  return pair
}

extension ONNXOperatorSet {
  fileprivate init(_ message: WireReader) throws(WireError) {
    var reader = message
    while let field = try reader.next() {
      switch field.number {
      case 1: domain = try reader.string(field)
      case 2: version = try reader.integer(field)
      default: break
      }
    }
  }
}

extension ONNXGraph {
  fileprivate init(_ message: WireReader) throws(WireError) {
    var reader = message
    while let field = try reader.next() {
      switch field.number {
      case 1: nodes.append(try ONNXNode(try reader.message(field)))
      case 2: name = try reader.string(field)
      case 5: initializers.append(try ONNXTensor(try reader.message(field)))
      case 10: documentation = try reader.string(field)
      case 11: inputs.append(try ONNXValueInfo(try reader.message(field)))
      case 12: outputs.append(try ONNXValueInfo(try reader.message(field)))
      case 15: hasSparseInitializers = true
      default: break
      }
    }
  }
}

extension ONNXNode {
  fileprivate init(_ message: WireReader) throws(WireError) {
    var reader = message
    while let field = try reader.next() {
      switch field.number {
      case 1: inputs.append(try reader.string(field))
      case 2: outputs.append(try reader.string(field))
      case 3: name = try reader.string(field)
      case 4: operatorType = try reader.string(field)
      case 5: attributes.append(try ONNXAttribute(try reader.message(field)))
      case 7: domain = try reader.string(field)
      default: break
      }
    }
  }
}

extension ONNXAttribute {
  fileprivate init(_ message: WireReader) throws(WireError) {
    var reader = message
    var integers: [Int] = []
    var floats: [Float] = []
    var single: Value?
    // Files older than the `type` field say by their fields alone which kind an attribute is of.
    var type = 0
    while let field = try reader.next() {
      switch field.number {
      case 1: name = try reader.string(field)
      case 2: single = .float(try reader.float(field))
      case 3: single = .integer(try reader.integer(field))
      case 4: single = .string(try reader.string(field))
      case 5: single = .tensor(try ONNXTensor(try reader.message(field)))
      case 7: try reader.appendFloats(field, to: &floats)
      case 8: try reader.appendIntegers(field, to: &integers)
      case 20: type = try reader.integer(field)
      default: break
      }
    }
    switch type {
    // A number that is zero may be left out.
    case 1: if case .float = single { value = single ?? .other } else { value = .float(0) }
    case 2: if case .integer = single { value = single ?? .other } else { value = .integer(0) }
    case 6: value = .floats(floats)
    case 7: value = .integers(integers)
    default: value = single ?? (!integers.isEmpty ? .integers(integers) : !floats.isEmpty ? .floats(floats) : .other)
    }
  }
}

extension ONNXValueInfo {
  fileprivate init(_ message: WireReader) throws(WireError) {
    var reader = message
    while let field = try reader.next() {
      switch field.number {
      case 1: name = try reader.string(field)
      case 2: try readType(try reader.message(field))
      default: break
      }
    }
  }

  /// A TypeProto, of which only tensors are known here.
  private mutating func readType(_ message: WireReader) throws(WireError) {
    var reader = message
    while let field = try reader.next() {
      guard field.number == 1 else { continue }
      var tensor = try reader.message(field)
      elementType = 0
      while let field = try tensor.next() {
        switch field.number {
        case 1: elementType = try tensor.integer(field)
        case 2: shape = try Self.shape(try tensor.message(field))
        default: break
        }
      }
    }
  }

  private static func shape(_ message: WireReader) throws(WireError) -> [Dimension] {
    var reader = message
    var shape: [Dimension] = []
    while let field = try reader.next() {
      guard field.number == 1 else { continue }
      var dimension = Dimension.unknown
      var inner = try reader.message(field)
      while let field = try inner.next() {
        switch field.number {
        case 1: dimension = .size(try inner.integer(field))
        case 2:
          let symbol = try inner.string(field)
          dimension = symbol.isEmpty ? .unknown : .symbol(symbol)
        default: break
        }
      }
      shape.append(dimension)
    }
    return shape
  }
}

extension ONNXTensor {
  fileprivate init(_ message: WireReader) throws(WireError) {
    var reader = message
    file = reader.file
    var isExternal = false
    var places: [(key: String, value: String)] = []
    while let field = try reader.next() {
      switch field.number {
      case 1: try reader.appendIntegers(field, to: &dimensions)
      case 2: elementType = try reader.integer(field)
      case 4, 5, 7, 10:
        try reader.budget.take()
        typed.append((field.number, field.value))
      case 8: name = try reader.string(field)
      case 9: raw = reader.file[try reader.bytes(field)]
      case 13: places.append(try stringPair(try reader.message(field)))
      case 14: isExternal = try reader.integer(field) == 1
      default: break
      }
    }
    if isExternal { external = places }
  }
}
