import Tensors
import Testing

@testable import Interchange

/// Nodes that give values another shape or name, and the layers that they are.
struct ShapingCase: Sendable, CustomTestStringConvertible {
  let story: String
  var shape = images
  let nodes: [ONNXNode]
  var tensors: [ONNXTensor] = []
  var version = 17
  let layers: [String]

  var testDescription: String { story }

  var bytes: [UInt8] { file(nodes, shape: shape, tensors: tensors, version: version) }

  private static let toFirst: [(String, ONNXAttribute.Value)] = [("perm", .integers([0, 3, 1, 2]))]
  private static let toLast: [(String, ONNXAttribute.Value)] = [("perm", .integers([0, 2, 3, 1]))]
  private static let flattening = ["  - {name: y, type: flatten}"]
  private static let activation = ["  - {name: y, type: relu}"]

  /// What exporters write for a flattening.
  static let flattenings: [ShapingCase] = [
    .init(story: "Flatten", nodes: [node("Flatten", ["x"], "y")], layers: flattening),
    .init(
      story: "Flatten from an axis counted from behind", nodes: [node("Flatten", ["x"], "y", [("axis", .integer(-3))])],
      layers: flattening),
    .init(
      story: "PyTorch's view(batch, -1) with constants",
      nodes: [
        node("Constant", [], "s", [("value_ints", .integers([0, -1]))]), node("Reshape", ["x", "s"], "y"),
      ], layers: flattening),
    .init(
      story: "PyTorch's flatten by the length of the batch, number by number",
      nodes: [
        node("Shape", ["x"], "all"), node("Constant", [], "zero", [("value_int", .integer(0))]),
        node("Gather", ["all", "zero"], "n"), node("Unsqueeze", ["n", "axes"], "n1"),
        node("Constant", [], "rest", [("value_ints", .integers([32]))]),
        node("Concat", ["n1", "rest"], "joined", [("axis", .integer(0))]),
        node("Cast", ["joined"], "s", [("to", .integer(7))]), node("Reshape", ["x", "s"], "y"),
      ], tensors: [integers("axes", [0])], layers: flattening),
    .init(
      story: "tf2onnx's flatten: a shape in int32, cast and squeezed on its way",
      nodes: [
        node("Shape", ["x"], "all"), node("Cast", ["all"], "short", [("to", .integer(6))]),
        node("Gather", ["short", "first"], "n"), node("Squeeze", ["n"], "n0"), node("Reshape", ["n0", "one"], "n1"),
        node("Cast", ["rest"], "rest32", [("to", .integer(6))]),
        node("Concat", ["n1", "rest32"], "joined", [("axis", .integer(0))]), node("Reshape", ["x", "joined"], "y"),
      ], tensors: [integers("first", [-4]), integers("one", [1]), integers("rest", [-1])], layers: flattening),
    .init(
      story: "Keras' Reshape to the number of features", nodes: [node("Reshape", ["x", "s"], "y")],
      tensors: [integers("s", [-1, 32])], layers: flattening),
    .init(
      story: "a batch of a known length", shape: [.size(3), .size(2), .size(4), .size(4)],
      nodes: [node("Reshape", ["x", "s"], "y")], tensors: [integers("s", [3, -1])], layers: flattening),
    .init(
      story: "an image of one cell, in whichever order", shape: [.symbol("N"), .size(1), .size(1), .size(4)],
      nodes: [
        node("Transpose", ["x"], "t", toFirst), node("Flatten", ["t"], "y"),
      ], layers: flattening),
    .init(
      story: "two axes of length 1 that are squeezed with the channels last",
      shape: [.symbol("N"), .size(1), .size(1), .size(4)],
      nodes: [
        node("Transpose", ["x"], "t", toFirst), node("Transpose", ["t"], "u", toLast),
        node("Squeeze", ["u"], "y", [("axes", .integers([1, -2]))]),
      ], version: 11, layers: flattening),
  ]

  /// Nodes that change nothing.
  static let idle: [ShapingCase] = [
    .init(
      story: "Identity, a cast to the own type and an exchange of no axes",
      nodes: [
        node("Identity", ["x"], "a"), node("Cast", ["a"], "b", [("to", .integer(1))]),
        node("Transpose", ["b"], "c", [("perm", .integers([0, 1, 2, 3]))]), node("Relu", ["c"], "y"),
      ], layers: activation),
    .init(
      story: "a sum and a joining of one value alone",
      nodes: [
        node("Sum", ["x"], "a"), node("Concat", ["a"], "b", [("axis", .integer(1))]), node("Relu", ["b"], "y"),
      ], layers: activation),
    .init(
      story: "a reshape to the very shape",
      nodes: [
        node("Shape", ["x"], "s"), node("Reshape", ["x", "s"], "a"), node("Reshape", ["a", "t"], "b"),
        node("Relu", ["b"], "y"),
      ], tensors: [integers("t", [-1, 2, 0, 4])], layers: activation),
    .init(
      story: "scikit-learn's reshape of rows to rows", shape: [.symbol("N"), .size(1)],
      nodes: [node("Reshape", ["x", "s"], "a"), node("Flatten", ["a"], "b"), node("Relu", ["b"], "y")],
      tensors: [integers("s", [-1, 1])], layers: activation),
    .init(
      story: "padding by nothing", nodes: [node("Pad", ["x", "pads"], "a"), node("Relu", ["a"], "y")],
      tensors: [integers("pads", [0, 0, 0, 0, 0, 0, 0, 0])], layers: activation),
    .init(
      story: "a mean whose axes of length 1 are kept and reshaped away",
      nodes: [
        node("ReduceMean", ["x"], "a", [("axes", .integers([2, 3]))], name: "pool"), node("Reshape", ["a", "s"], "y"),
      ], tensors: [integers("s", [-1, 2])], version: 13, layers: ["  - {name: y, type: gap}"]),
  ]

  static let others: [ShapingCase] = [
    .init(
      story: "channels of zeros", nodes: [node("Pad", ["x", "pads"], "y", [("mode", .string("constant"))])],
      tensors: [integers("pads", [0, 0, 0, 0, 0, 3, 0, 0])],
      layers: ["  - {name: y, type: pad-channels, channels: 5}"]),
    .init(
      story: "channels that are joined, counted from behind",
      nodes: [
        node("Relu", ["x"], "a"), node("Concat", ["x", "a", "x"], "y", [("axis", .integer(-3))]),
      ], layers: ["  - {name: a, type: relu}", "  - {name: y, type: concat, input: [x, a, x]}"]),
    .init(
      story: "Keras' layers with the channels last, between exchanges of axes", shape: imagesLast,
      nodes: [
        node("Transpose", ["x"], "t", toFirst),
        node(
          "MaxPool", ["t"], "m", [("kernel_shape", .integers([2, 2])), ("strides", .integers([2, 2]))], name: "pool"),
        node("Softmax", ["m"], "p", [("axis", .integer(1))], name: "soft"),
        node("Transpose", ["p"], "u", toLast), node("Softmax", ["u"], "v", [("axis", .integer(-1))], name: "softer"),
        node("Reshape", ["v", "s"], "y"),
      ], tensors: [integers("s", [-1, 8])],
      layers: [
        "  - {name: pool, type: maxpool, kernel: 2}", "  - {name: soft, type: softmax}",
        "  - {name: softer, type: softmax}", "  - {name: y, type: flatten}",
      ]),
    .init(
      story: "a dropout in the older form, with its ratio or without",
      nodes: [
        node("Dropout", ["x"], "a", [("ratio", .float(0.1))], name: "first"), node("Dropout", ["a"], "y"),
      ], version: 7,
      layers: ["  - {name: first, type: dropout, rate: 0.1}", "  - {name: y, type: dropout, rate: 0.5}"]),
    .init(
      story: "a dropout in the newer form, of a constant",
      nodes: [
        node("Constant", [], "r", [("value_float", .float(0.25))]), node("Dropout", ["x", "r"], "a", name: "first"),
        node("Constant", [], "s", [("value_floats", .floats([0.75]))]), node("Dropout", ["a", "s"], "y"),
      ],
      layers: ["  - {name: first, type: dropout, rate: 0.25}", "  - {name: y, type: dropout, rate: 0.75}"]),
  ]
}

@Suite("shapes in ONNX files")
struct ONNXShapingTests {
  @Test("a flattening is one in each of the ways that exporters write it", arguments: ShapingCase.flattenings)
  func flattenings(shaping: ShapingCase) throws {
    #expect(try layers(shaping.bytes) == shaping.layers)
    let count = shaping.shape.reduce(1) { if case .size(let size) = $1 { $0 * size } else { $0 } }
    let numbers = (0..<count).map(Double.init)
    #expect(try results(shaping.bytes, numbers) == [numbers])
  }

  @Test("what changes nothing is no layer", arguments: ShapingCase.idle)
  func idle(shaping: ShapingCase) throws { #expect(try layers(shaping.bytes) == shaping.layers) }

  @Test("layers between shapes are said", arguments: ShapingCase.others)
  func others(shaping: ShapingCase) throws { #expect(try layers(shaping.bytes) == shaping.layers) }

  @Test("constants of another shape or precision are weights all the same")
  func constants() throws {
    let bytes = file(
      [
        node("Constant", [], "flat", [("value_floats", .floats([1, 2, 3, 4]))]),
        node("Reshape", ["flat", "s"], "m"), node("Cast", ["m"], "w", [("to", .integer(1))]),
        node(
          "Constant", [], "c",
          [("value", .tensor(ONNXTensor(name: "", .float64(Tensor(shape: [2], elements: [5, 6])))))]),
        node("Cast", ["c"], "d", [("to", .integer(11))]), node("Unsqueeze", ["d", "first"], "b"),
        node("MatMul", ["x", "w"], "p", name: "fc"), node("Add", ["p", "b"], "y"),
      ], tensors: [integers("s", [2, -1]), integers("first", [-2])])
    #expect(try layers(bytes) == ["  - {name: fc, type: dense, units: 2}"])
    #expect(try results(bytes, [10, 1]) == [[10 + 3 + 5, 20 + 4 + 6]])
  }

  @Test("a length that only a run knows is the batch's or none that is known")
  func lengths() throws {
    // The height of an image in place of the batch's length would make other rows.
    for (axis, isFlattening) in [(0, true), (2, false)] {
      let bytes = file(
        [
          node("Shape", ["x"], "all"), node("Gather", ["all", "axis"], "n"),
          node("Concat", ["n", "rest"], "s", [("axis", .integer(0))]), node("Reshape", ["x", "s"], "y"),
        ], shape: [.symbol("N"), .size(2), .symbol("H"), .size(4)],
        tensors: [integers("axis", [axis]), integers("rest", [-1])])
      #expect(try (failure(bytes) == nil) == isFlattening)
    }
  }
}
