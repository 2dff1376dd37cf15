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

  /// The attribute that a node's message of one attribute holds.
  private func attribute(_ bytes: [UInt8]) throws -> ONNXAttribute.Value? {
    var writer = WireWriter()
    writer.message(7) { $0.message(1) { $0.field(5, bytes) } }
    return try ONNXModel(bytes: writer.bytes).graph?.nodes[0].attributes[0].value
  }

  @Test("lists are read packed or number by number, with or without the attribute's type")
  func lists() throws {
    let floats: [UInt8] = [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0]
    for type in [[], [0xA0, 0x01, 0x06]] as [[UInt8]] {
      for bytes in [[0x3A, 0x08] + floats, [0x3D] + floats[..<4] + [0x3D] + floats[4...]] {
        guard case .floats(let values)? = try attribute(bytes + type) else {
          Issue.record("no floats")
          continue
        }
        #expect(values == [1, -2])
      }
    }
    for bytes in [[0x42, 0x03, 0x05, 0xAC, 0x02], [0x40, 0x05, 0x40, 0xAC, 0x02]] as [[UInt8]] {
      guard case .integers(let values)? = try attribute(bytes) else {
        Issue.record("no integers")
        continue
      }
      #expect(values == [5, 300])
    }
  }

  @Test("a number that is zero may be left out, an attribute of no known kind is read over")
  func leftOut() throws {
    if case .float(let value)? = try attribute([0xA0, 0x01, 0x01]) {
      #expect(value == 0)
    } else {
      Issue.record("no float")
    }
    if case .integer(let value)? = try attribute([0xA0, 0x01, 0x02]) {
      #expect(value == 0)
    } else {
      Issue.record("no integer")
    }
    if case .other? = try attribute([0x32, 0x00]) {} else { Issue.record("a graph has a value") }
  }

  @Test(
    "lists with broken ends are refused",
    arguments: [
      [0x3A, 0x07, 0, 0, 0x80, 0x3F, 0, 0, 0],  // seven bytes of floats
      [0x42, 0x02, 0x05, 0x80],  // an integer that ends beyond the list
      [0x42, 0x02, 0x05, 0x80, 0x40, 0x01],  // one that would end in the next field
      [0x38, 0x01],  // an integer among floats
      [0x45, 0, 0, 0, 0],  // a float among integers
    ] as [[UInt8]])
  func brokenLists(bytes: [UInt8]) {
    #expect(throws: WireError.self) { try attribute(bytes) }
  }

  @Test("nodes of two bytes each do not fill the memory: their number is limited")
  func manyParts() throws {
    var writer = WireWriter()
    writer.field(7, [UInt8](repeating: 0, count: 100).flatMap { _ in [0x0A, 0x00] as [UInt8] })
    #expect(try ONNXModel(bytes: writer.bytes, budget: MessageBudget(most: 102)).graph?.nodes.count == 100)
    #expect(throws: WireError.self) { try ONNXModel(bytes: writer.bytes, budget: MessageBudget(most: 101)) }
  }
}
