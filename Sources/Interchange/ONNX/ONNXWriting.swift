extension ONNXModel {
  /// The bytes of the model's file.
  var bytes: [UInt8] {
    var writer = WireWriter()
    writer.integer(1, irVersion)
    writer.stringUnlessEmpty(2, producerName)
    writer.stringUnlessEmpty(3, producerVersion)
    writer.stringUnlessEmpty(6, documentation)
    if let graph { writer.message(7, graph.write) }
    for set in operatorSets {
      writer.message(8) { writer in
        writer.stringUnlessEmpty(1, set.domain)
        writer.integer(2, set.version)
      }
    }
    for entry in metadata {
      writer.message(14) { writer in
        writer.string(1, entry.key)
        writer.string(2, entry.value)
      }
    }
    return writer.bytes
  }
}

extension ONNXGraph {
  fileprivate func write(_ writer: inout WireWriter) {
    for node in nodes { writer.message(1, node.write) }
    writer.string(2, name)
    for tensor in initializers { writer.message(5, tensor.write) }
    writer.stringUnlessEmpty(10, documentation)
    for input in inputs { writer.message(11, input.write) }
    for output in outputs { writer.message(12, output.write) }
  }
}

extension ONNXNode {
  fileprivate func write(_ writer: inout WireWriter) {
    for input in inputs { writer.string(1, input) }
    for output in outputs { writer.string(2, output) }
    writer.stringUnlessEmpty(3, name)
    writer.string(4, operatorType)
    for attribute in attributes { writer.message(5, attribute.write) }
    writer.stringUnlessEmpty(7, domain)
  }
}

extension ONNXAttribute {
  fileprivate func write(_ writer: inout WireWriter) {
    writer.string(1, name)
    switch value {
    case .float(let number):
      writer.float(2, number)
      writer.integer(20, 1)
    case .integer(let number):
      writer.integer(3, number)
      writer.integer(20, 2)
    case .string(let text):
      writer.string(4, text)
      writer.integer(20, 3)
    case .tensor(let tensor):
      writer.message(5, tensor.write)
      writer.integer(20, 4)
    case .floats(let numbers):
      for number in numbers { writer.float(7, number) }
      writer.integer(20, 6)
    case .integers(let numbers):
      writer.integers(8, numbers)
      writer.integer(20, 7)
    case .other: break
    }
  }
}

extension ONNXValueInfo {
  fileprivate func write(_ writer: inout WireWriter) {
    writer.string(1, name)
    guard let elementType else { return }
    writer.message(2) { writer in
      writer.message(1) { writer in
        writer.integer(1, elementType)
        guard let shape else { return }
        writer.message(2) { writer in
          for dimension in shape {
            writer.message(1) { writer in
              switch dimension {
              case .size(let size): writer.integer(1, size)
              case .symbol(let symbol): writer.string(2, symbol)
              case .unknown: break
              }
            }
          }
        }
      }
    }
  }
}

extension ONNXTensor {
  fileprivate func write(_ writer: inout WireWriter) {
    writer.integers(1, dimensions)
    writer.integer(2, elementType)
    writer.stringUnlessEmpty(8, name)
    if let raw { writer.field(9, Array(raw)) }
  }
}
