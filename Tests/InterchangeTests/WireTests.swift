import Tensors
import Testing

@testable import Interchange

/// A model with something in every part that is read.
private var sample: ONNXModel {
  var graph = ONNXGraph()
  graph.name = "sample"
  graph.inputs = [ONNXValueInfo(name: "x", elementType: 1, shape: [.symbol("N"), .size(2), .unknown])]
  graph.outputs = [ONNXValueInfo(name: "y", elementType: 1, shape: nil)]
  graph.nodes = [
    ONNXNode(
      name: "n", operatorType: "Conv", inputs: ["x", "w", ""], outputs: ["y"],
      attributes: [
        ONNXAttribute(name: "pads", value: .integers([1, 0, -1, 300])),
        ONNXAttribute(name: "alpha", value: .float(0.5)),
        ONNXAttribute(name: "auto_pad", value: .string("SAME_UPPER")),
        ONNXAttribute(name: "group", value: .integer(-7)),
        ONNXAttribute(name: "scales", value: .floats([1, 2.5])),
        ONNXAttribute(name: "t", value: .tensor(ONNXTensor(name: "c", integers: [3, -4]))),
      ])
  ]
  graph.initializers = [ONNXTensor(name: "w", .float32(.init(shape: [2], elements: [1.5, -2])))]
  return ONNXModel(
    irVersion: 8, producerName: "nnrun", documentation: "a sample",
    operatorSets: [ONNXOperatorSet(domain: "", version: 17)], metadata: [("author", "me")], graph: graph)
}

@Suite("protobuf's wire format")
struct WireTests {
  @Test("what is written is read back")
  func roundTrip() throws {
    let model = try ONNXModel(bytes: sample.bytes)
    #expect(model.irVersion == 8)
    #expect(model.documentation == "a sample")
    #expect(model.operatorSets.map(\.version) == [17])
    #expect(model.metadata.map(\.key) == ["author"])
    let graph = try #require(model.graph)
    #expect(graph.name == "sample")
    #expect(graph.inputs[0].shape == [.symbol("N"), .size(2), .unknown])
    #expect(graph.outputs[0].shape == nil)
    let node = graph.nodes[0]
    #expect(node.inputs == ["x", "w", ""])
    #expect(node.attributes.map(\.name) == ["pads", "alpha", "auto_pad", "group", "scales", "t"])
    guard case .integers(let pads) = node.attributes[0].value, case .float(let alpha) = node.attributes[1].value,
      case .string(let text) = node.attributes[2].value, case .integer(let group) = node.attributes[3].value,
      case .floats(let scales) = node.attributes[4].value, case .tensor(let tensor) = node.attributes[5].value
    else {
      Issue.record("an attribute changed its kind")
      return
    }
    #expect(pads == [1, 0, -1, 300])
    #expect(alpha == 0.5)
    #expect(text == "SAME_UPPER")
    #expect(group == -7)
    #expect(scales == [1, 2.5])
    #expect(tensor.dimensions == [2])
    #expect(graph.initializers[0].raw.map(Array.init) == [0, 0, 0xC0, 0x3F, 0, 0, 0, 0xC0])
    #expect(sample.bytes == model.bytes)
  }

  @Test("a file that is cut anywhere is read as far as it is whole, or refused")
  func cutShort() {
    let bytes = sample.bytes
    for end in bytes.indices {
      // Only where a field of the outermost message ends can the rest be read without an error.
      if let model = try? ONNXModel(bytes: Array(bytes[..<end])) { #expect(model.metadata.isEmpty) }
    }
  }

  @Test("every byte may be anything, and nothing but an error comes of it")
  func anyByte() {
    let bytes = sample.bytes
    for index in bytes.indices {
      for value in [0, 1, 0x7F, 0x80, 0xFF] as [UInt8] {
        var changed = bytes
        changed[index] = value
        _ = try? ONNXModel(bytes: changed)
      }
    }
  }

  @Test(
    "broken messages are refused",
    arguments: [
      [0x3A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],  // a length of 2^64 - 1
      [0x3A, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],  // a varint of 11 bytes
      [0x3A, 0x02, 0x0A],  // a message that ends early
      [0x00, 0x00],  // field 0
      [0x0B], [0x0C],  // groups, which nobody writes
      [0x38, 0x01],  // the graph as a number
    ] as [[UInt8]])
  func broken(bytes: [UInt8]) {
    #expect(throws: WireError.self) { try ONNXModel(bytes: bytes) }
  }

  @Test("nodes of two bytes each do not fill the memory: their number is limited")
  func manyParts() throws {
    var writer = WireWriter()
    writer.field(7, [UInt8](repeating: 0, count: 100).flatMap { _ in [0x0A, 0x00] as [UInt8] })
    #expect(try ONNXModel(bytes: writer.bytes, budget: MessageBudget(most: 102)).graph?.nodes.count == 100)
    #expect(throws: WireError.self) { try ONNXModel(bytes: writer.bytes, budget: MessageBudget(most: 101)) }
  }
}
