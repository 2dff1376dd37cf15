import Diagnostics
import Tensors
import Testing

@testable import Interchange

/// Nodes that the format cannot say, and why.
struct RefusalCase: Sendable, CustomTestStringConvertible {
  let reason: String
  var shape = images
  let nodes: [ONNXNode]
  var version = 17

  init(_ reason: String, _ nodes: ONNXNode..., shape: [ONNXValueInfo.Dimension] = images, version: Int = 17) {
    (self.reason, self.nodes, self.shape, self.version) = (reason, nodes, shape, version)
  }

  var testDescription: String { "\(nodes.map(\.operatorType)) \(reason)" }

  /// With constants that the nodes may take.
  var bytes: [UInt8] {
    file(
      nodes, shape: shape,
      tensors: [
        tensor("one", [1], [1]), tensor("two", [2], [1, 2]), tensor("matrix", [2, 3], [1, 2, 3, 4, 5, 6]),
        tensor("kernel", [2, 2, 1, 1], [1, 2, 3, 4]), tensor("wide", [1, 2, 1, 5], [Float](repeating: 1, count: 10)),
        tensor("line", [2, 2, 1], [1, 2, 3, 4]), integers("zero", [0]), integers("five", [5]),
        integers("pair", [2, 3]),
        integers("many", [Int](repeating: 1, count: 40)), integers("sides", [0, 0, 1, 1, 0, 0, 1, 1]),
        integers("front", [0, 1, 0, 0, 0, 0, 0, 0]), integers("both", [0, 0, 1, 0, 0, 1, 0, 0]),
      ], version: version)
  }

  static let pad = node("Pad", ["x", "sides"], "p")
  static let shapeOfX = node("Shape", ["x"], "s")
  static let toFirst = node("Transpose", ["x"], "t", [("perm", .integers([0, 3, 1, 2]))])
  static let toLast = node("Transpose", ["t"], "u", [("perm", .integers([0, 2, 3, 1]))])
  static let pool = node("GlobalAveragePool", ["x"], "g")
  static let convolution = node("Conv", ["x", "kernel"], "c")

  static func window(_ type: String = "MaxPool", _ attributes: (String, ONNXAttribute.Value)...) -> ONNXNode {
    let hasKernel = type == "Conv" || attributes.contains { $0.0 == "kernel_shape" }
    return node(
      type, type == "Conv" ? ["x", "kernel"] : ["x"], "y",
      attributes + (hasKernel ? [] : [("kernel_shape", .integers([2, 2]))]))
  }

  static let shapes: [RefusalCase] = [
    .init("a model computes in one type of numbers", node("Cast", ["x"], "y", [("to", .integer(10))])),
    .init("a constant cannot be cast to int8", node("Cast", ["one"], "c", [("to", .integer(3))])),
    .init("a constant cannot be cast to no type", node("Cast", ["one"], "c")),
    .init("a constant cannot be cast to element type 99", node("Cast", ["one"], "c", [("to", .integer(99))])),
    .init("a shape cannot be cast to bool", shapeOfX, node("Cast", ["s"], "c", [("to", .integer(9))])),
    .init("a constant of this kind cannot be said", node("Constant", [], "c", [("value_string", .string("a"))])),
    .init("only all axes but the first can be made one", node("Flatten", ["x"], "y", [("axis", .integer(2))])),
    .init(
      "it flattens an image in another order of axes than the model's layout", toFirst, node("Flatten", ["t"], "y"),
      shape: imagesLast),
    .init("only a reshape that flattens can be said", node("Reshape", ["x", "pair"], "y")),
    .init("only a reshape that flattens can be said", node("Reshape", ["x", "sides"], "y")),
    .init("its shape is not a constant", node("Reshape", ["x", "x"], "y")),
    .init("its shape is not a short list of integers", node("Reshape", ["x", "one"], "y")),
    .init("its shape does not fit the constant", node("Reshape", ["matrix", "five"], "c")),
    .init("its shape does not fit the constant", shapeOfX, node("Reshape", ["matrix", "s"], "c")),
    .init("only the two axes of an image of one cell can be removed", node("Squeeze", ["x", "pair"], "y")),
    .init("only the two axes of an image of one cell can be removed", pool, node("Squeeze", ["g", "zero"], "y")),
    .init("its `axes` is not a constant", pool, shapeOfX, node("Squeeze", ["g", "s"], "y")),
    .init("values cannot be given more axes", node("Unsqueeze", ["x", "zero"], "y")),
    .init("its axes make no sense", node("Unsqueeze", ["one", "five"], "c")),
    .init("a part of a shape cannot be said", node("Shape", ["x"], "s", [("start", .integer(1))])),
    .init("only a length can be taken out of a shape", node("Gather", ["x", "zero"], "y")),
    .init("only a length can be taken out of a shape", shapeOfX, node("Gather", ["s", "pair"], "c")),
    .init("its index is beyond the shape", shapeOfX, node("Gather", ["s", "five"], "c")),
    .init(
      "axes can be exchanged only between channels first and last",
      node("Transpose", ["x"], "y", [("perm", .integers([0, 2, 3, 1]))])),
    .init("it joins too many numbers", node("Concat", ["many", "many"], "c")),
    .init("only the channels of values can be joined", node("Concat", ["x", "x"], "y", [("axis", .integer(2))])),
  ]

  static let windows: [RefusalCase] = [
    .init("only convolutions over two axes can be said", node("Conv", ["x", "line"], "y")),
    .init("only windows over two axes can be said", window("MaxPool", ("kernel_shape", .integers([2])))),
    .init("its window makes no sense", window("Conv", ("strides", .integers([0, 1])))),
    .init("its window makes no sense", window("MaxPool", ("pads", .integers([0, -1, 0, 0])))),
    .init("its `auto_pad` is not known", window("Conv", ("auto_pad", .string("SAME")))),
    .init("its window is larger than the image", node("Conv", ["x", "wide"], "y")),
    .init(
      "its window is larger than the image",
      window(
        "MaxPool", ("kernel_shape", .integers([5, 2])), ("ceil_mode", .integer(1)), ("strides", .integers([2, 2])))),
    .init(
      "its padding depends on a size that is not known",
      window("MaxPool", ("auto_pad", .string("SAME_LOWER")), ("strides", .integers([2, 2]))), shape: anyImages),
    .init(
      "it rounds a size up that is not known",
      window("MaxPool", ("ceil_mode", .integer(1)), ("strides", .integers([2, 2]))), shape: anyImages),
    .init(
      "it rounds sizes up and counts the padding",
      window(
        "AveragePool", ("ceil_mode", .integer(1)), ("count_include_pad", .integer(1)), ("strides", .integers([3, 3])))),
    .init(
      "it rounds sizes up and has `auto_pad: VALID`",
      window("MaxPool", ("ceil_mode", .integer(1)), ("auto_pad", .string("VALID")))),
    .init("a pooling with dilations cannot be said", window("MaxPool", ("dilations", .integers([1, 2])))),
    .init("its padding is as large as its kernel", window("MaxPool", ("pads", .integers([0, 0, 2, 0])))),
    .init("it pools over an image whose size is not known", node("GlobalMaxPool", ["x"], "y"), shape: anyImages),
    .init(
      "only the mean over the two axes of an image can be said", node("ReduceMean", ["x", "zero"], "y"), version: 18),
    .init("only images of rank 4 can be taken, but this is of rank 2", window(), shape: rows),
    .init(
      "only images can be taken, but a global pooling left this one cell", pool,
      node("GlobalAveragePool", ["g"], "y")),
    .init("its operand has its channels last", toFirst, toLast, node("MaxPool", ["u"], "y"), shape: imagesLast),
    .init("only padding with zeros can be said", node("Pad", ["x", "sides"], "y", [("mode", .string("reflect"))])),
    .init("only padding with zeros can be said", node("Pad", ["x", "sides", "one"], "y")),
    .init(
      "only padding with zeros can be said",
      node("Pad", ["x"], "y", [("pads", .integers([0, 0, 1, 1, 0, 0, 1, 1])), ("value", .float(1))]), version: 10),
    .init("only padding of channels and of images can be said", node("Pad", ["x", "pair"], "y")),
    .init("only padding of channels and of images can be said", node("Pad", ["x", "sides", "", "zero"], "y")),
    .init("channels can be added only behind those that are there", node("Pad", ["x", "front"], "y")),
    .init("channels can be added only behind those that are there", node("Pad", ["x", "both"], "y")),
    .init(
      "it adds padding to padding of its own", pad,
      node("Conv", ["p", "kernel"], "y", [("auto_pad", .string("SAME_UPPER"))])),
    .init("the output `y` has axes that the format's layer has not", node("Pad", ["x", "sides"], "y")),
  ]

  /// What cannot follow a padding.
  static let padded: [RefusalCase] = [
    node("Relu", ["p"], "y"), node("MaxPool", ["p"], "y", [("kernel_shape", .integers([2, 2]))]),
    node("Flatten", ["p"], "y"), node("Shape", ["p"], "c"), node("Add", ["p", "x"], "y"),
    node("BatchNormalization", ["p", "two", "two", "two", "two"], "y"), node("Pad", ["p", "sides"], "y"),
  ].map { .init("padding can be said only before a convolution", pad, $0) }

  static let layers: [RefusalCase] = [
    .init("it has no weight", node("Conv", ["x"], "y")),
    .init("its weight is not a constant", node("Conv", ["x", "x"], "y")),
    .init("its weight is of type int64", node("Conv", ["x", "pair"], "y")),
    .init(
      "only values of rank 2 and images with their channels first can be taken",
      node("BatchNormalization", ["x", "two", "two", "two", "two"], "y"), shape: [.symbol("N"), .size(2), .size(3)]),
    .init("its variance is missing", node("BatchNormalization", ["x", "two", "two", "two"], "y")),
    .init(
      "statistics of each place by itself cannot be said",
      node("BatchNormalization", ["x", "two", "two", "two", "two"], "y", [("spatial", .integer(0))]), version: 7),
    .init("it transposes its operand", node("Gemm", ["x", "matrix"], "y", [("transA", .integer(1))]), shape: rows),
    .init("its weight is no matrix", node("Gemm", ["x", "two"], "y"), shape: rows),
    .init("its bias is not one number for each unit", node("Gemm", ["x", "matrix", "two"], "y"), shape: rows),
    .init("only rows of features (rank 2) can be taken, but this is of rank 4", node("Gemm", ["x", "matrix"], "y")),
    .init("only products of rows with a constant matrix can be said", node("MatMul", ["x", "two"], "y"), shape: rows),
    .init("its operand 1 is not computed from the model's inputs", node("MatMul", ["matrix", "x"], "y"), shape: rows),
    .init("constants can be added only as the bias of a layer", node("Add", ["x", "two"], "y"), shape: rows),
    .init("constants can be added only as the bias of a layer", node("Sum", ["x", "one", "one"], "y"), shape: rows),
    .init("the constant is not one number for each channel", convolution, node("Add", ["c", "two"], "y")),
    .init(
      "the constant is not one number for each unit or channel", node("MatMul", ["x", "matrix"], "m"),
      node("Add", ["m", "two"], "y"), shape: rows),
    .init("it adds values whose axes are not the same", pool, node("Add", ["x", "g"], "y")),
    .init(
      "it adds values of different shapes", node("MatMul", ["x", "matrix"], "m"), node("Add", ["x", "m"], "y"),
      shape: rows),
    .init("softmax can be said over the last axis only", node("Softmax", ["x"], "y", [("axis", .integer(1))])),
    .init("softmax can be said over the last axis only", node("Softmax", ["x"], "y"), version: 11),
    .init("its ratio is not one number", node("Dropout", ["x", "two"], "y")),
    .init("its ratio is not a constant", node("Dropout", ["x", "x"], "y")),
    .init("its ratio is not from 0 up to 1", node("Dropout", ["x", "one"], "y")),
    .init("the output `y` has axes that the format's layer has not", pool, node("Relu", ["g"], "y")),
  ]

  static let nodes: [RefusalCase] = [
    .init("the format has no such layer", node("Erf", ["x"], "y")),
    .init("it has no operands", node("Relu", [], "y")),
    .init("its operand 1 is not computed from the model's inputs", node("Relu", ["nowhere"], "y")),
    .init("its operand 1 is not in the file", node("Identity", ["nowhere"], "y")),
    .init("its operand 1 is not in the file", node("Sum", [""], "y")),
    .init("it has no result", node("Relu", ["x"], "")),
    .init("it has no result", node("Identity", ["x"], "")),
    .init(
      "operators of the domain `com.microsoft` are not known",
      ONNXNode(operatorType: "Relu", domain: "com.microsoft", inputs: ["x"], outputs: ["y"])),
    .init(
      "only its first result can be said",
      ONNXNode(operatorType: "Dropout", inputs: ["x"], outputs: ["d", "mask"]), node("Relu", ["mask"], "y")),
    .init("the output `y` is not computed from the inputs", node("Identity", ["one"], "y")),
    .init("the output `y` is not computed from the inputs", node("Relu", ["x"], "z")),
    .init(
      "the output `y` has its channels elsewhere than the inputs", toFirst, node("Relu", ["t"], "y"), shape: imagesLast),
  ]
}

@Suite("ONNX files that are refused")
struct ONNXRefusalTests {
  @Test(
    "what the format cannot say is named, with the reason",
    arguments: [RefusalCase.shapes, RefusalCase.windows, RefusalCase.padded, RefusalCase.layers, RefusalCase.nodes]
      .flatMap { $0 })
  func nodes(refusal: RefusalCase) throws {
    let message = try #require(try failure(refusal.bytes)).message
    #expect(message.contains("cannot be said in format 1:"), "\(message)")
    #expect(message.contains(refusal.reason), "\(message)")
    let last = try #require(refusal.nodes.last)
    if !refusal.reason.hasPrefix("the output") {
      let name = last.operatorType + "): "
      #expect(message.contains(name) || message.contains("(Dropout): "), "\(message)")
    }
  }

  @Test("sizes far beyond all memory are refused without a trap")
  func enormous() throws {
    for size in [1 << 41, Int.max] {
      let shape: [ONNXValueInfo.Dimension] = [.symbol("N"), .size(1), .size(size), .size(4)]
      let pool = RefusalCase.window("MaxPool", ("auto_pad", .string("SAME_UPPER")), ("strides", .integers([2, 2])))
      #expect(
        try failure(file([pool], shape: shape))?.message.contains("has an axis of \(size), but 2^40 is the most")
          == true)
    }
    var weight = tensor("w", [0, 2, 1 << 31, 1 << 31], [])
    let dilated = [("dilations", ONNXAttribute.Value.integers([1 << 31, 1 << 31]))]
    let chain = (0..<4).map { node("Conv", ["\($0)", "w"], "\($0 + 1)", dilated) }
    let nodes = [node("Relu", ["x"], "0")] + chain + [node("Relu", ["4"], "y")]
    #expect(try failure(file(nodes, shape: images, tensors: [weight])) != nil)
    weight.dimensions = [Int.max, 0, 1, 1]
    #expect(
      try failure(
        file(
          [node("Conv", ["x", "w"], "c"), node("Pad", ["c", "p"], "y")], shape: images,
          tensors: [weight, integers("p", [0, 0, 0, 0, 0, 1, 0, 0])])) != nil)
    // Doubled until the number of channels has no place in 64 bits.
    let doublings = (0..<70).map { node("Concat", ["\($0)", "\($0)"], "\($0 + 1)", [("axis", .integer(1))]) }
    let doubled = [node("Relu", ["x"], "0")] + doublings + [node("Pad", ["70", "p"], "y")]
    #expect(
      try failure(file(doubled, shape: images, tensors: [integers("p", [0, 0, 0, 0, 0, 1, 0, 0])])) != nil)
  }

  @Test("values that ONNX would stretch to each other's lengths are refused", arguments: [[1, 2], [3, 1], [1, 1]])
  func stretched(shape: [Int]) throws {
    var graph = ONNXGraph()
    graph.nodes = [node("Add", ["a", "b"], "y")]
    graph.inputs = [
      ONNXValueInfo(name: "a", elementType: 1, shape: rows),
      ONNXValueInfo(name: "b", elementType: 1, shape: shape.map { .size($0) }),
    ]
    graph.outputs = [ONNXValueInfo(name: "y", elementType: 1)]
    #expect(try failure(file(graph))?.kind == .invalidData)
  }

  @Test("parameters of other shapes than their layer's are refused by their names")
  func parameterShapes() throws {
    let bytes = file(
      [node("BatchNormalization", ["x", "a", "a", "b", "a"], "y", name: "norm")], shape: images,
      tensors: [tensor("a", [2], [1, 2]), tensor("b", [1, 2], [1, 2])])
    let message = try #require(try failure(bytes)).message
    #expect(message.contains("`norm.mean` needs the shape [2], but the file has [1, 2]"), "\(message)")
  }

  /// A file of one function whose inputs and outputs are as given.
  private func edges(
    _ inputs: [ONNXValueInfo], _ outputs: [ONNXValueInfo] = [ONNXValueInfo(name: "y", elementType: 1)],
    version: Int = 17
  ) -> [UInt8] {
    var graph = ONNXGraph()
    graph.nodes = [node("Relu", ["x"], "y")]
    graph.inputs = inputs
    graph.outputs = outputs
    return file(graph, version: version)
  }

  @Test("inputs and outputs that a model cannot have are refused")
  func edges() throws {
    let x = ONNXValueInfo(name: "x", elementType: 1, shape: rows)
    let cases: [([UInt8], String)] = [
      (edges([]), "the graph has no inputs"), (edges([x], []), "the graph has no outputs"),
      (
        edges([x, ONNXValueInfo(name: "i", elementType: 7, shape: rows)]),
        "the inputs are of type float, int64, but a model takes float or double for all of them"
      ),
      (edges([ONNXValueInfo(name: "x", elementType: 10, shape: rows)]), "the inputs are of type float16,"),
      (edges([ONNXValueInfo(name: "x")]), "the inputs are of type no type,"),
      (edges([ONNXValueInfo(name: "x", elementType: 1)]), "the input `x` has no shape"),
      (edges([ONNXValueInfo(name: "x", elementType: 1, shape: [])]), "the input `x` has no shape"),
      (edges([x], version: 6), "uses version 6 of ONNX's operators; versions from 7 on are read"),
      ([], "is not an ONNX file: it has no graph or no version of operators"),
      ([0x3A, 0x02, 0x0A], "is not a sound ONNX file: "),
    ]
    for (bytes, reason) in cases {
      let found = try #require(try failure(bytes))
      #expect(found.kind == .invalidData)
      #expect(found.message.contains(reason), "\(found.message)")
    }
  }

  @Test("sparse weights are refused, not forgotten")
  func sparse() throws {
    let bytes = file([node("Relu", ["x"], "y")])
    var reader = try WireReader(file: bytes, range: bytes.indices, budget: MessageBudget())
    var whole = WireWriter()
    while let field = try reader.next() {
      guard case .bytes(let range) = field.value else { continue }
      whole.field(field.number, Array(bytes[range]) + (field.number == 7 ? [0x7A, 0x00] : []))
    }
    #expect(try failure(whole.bytes)?.message.contains("sparse weights cannot be read") == true)
  }

  @Test("all that cannot be said is listed, by node and operator, and what follows from it is not")
  func unsupported() throws {
    var first = node("Erf", ["x"], "a", name: "first")
    // An optional result that is left out says nothing of optional operands that are.
    first.outputs.append("")
    let bytes = file([
      first, node("Relu", ["a"], "b", name: "fine"), node("LSTM", ["b"], "c", name: "second"),
      node("Softmax", ["x", ""], "y", [("axis", .integer(0))], name: "third"),
    ])
    let message = try #require(try failure(bytes)).message
    #expect(message.contains("`first` (Erf)"))
    #expect(message.contains("`second` (LSTM)"))
    #expect(message.contains("`third` (Softmax): softmax can be said over the last axis only"))
    #expect(!message.contains("fine"))
  }

  @Test("a thousand problems are listed, and how many more there are")
  func manyProblems() throws {
    let message = try #require(try failure(file((0..<1003).map { node("Erf", ["x"], "\($0)") }))).message
    #expect(message.hasSuffix("\n  and 4 more"), "\(message.suffix(100))")
    #expect(message.split(separator: "\n").count == 1002)
  }
}
