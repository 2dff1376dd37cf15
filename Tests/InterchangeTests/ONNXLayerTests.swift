import Diagnostics
import Tensors
import Testing

@testable import Interchange

/// A product of rows with a matrix, [[1, 2, 3], [4, 5, 6]] for two features and three units.
struct ProductCase: Sendable, CustomTestStringConvertible {
  let story: String
  let nodes: [ONNXNode]
  var bias = tensor("b", [3], [10, 20, 30])
  let results: [Double]
  var keys = ""

  var testDescription: String { story }

  var bytes: [UInt8] {
    file(nodes, tensors: [tensor("w", [2, 3], [1, 2, 3, 4, 5, 6]), tensor("v", [3, 2], [1, 4, 2, 5, 3, 6]), bias])
  }

  private static func gemm(_ inputs: [String], _ attributes: [(String, ONNXAttribute.Value)] = []) -> [ONNXNode] {
    [node("Gemm", inputs, "y", attributes, name: "fc")]
  }

  /// For the row [1, 2]; its product is [9, 12, 15].
  static let all: [ProductCase] = [
    .init(story: "Gemm", nodes: gemm(["x", "w", "b"]), results: [19, 32, 45]),
    .init(story: "Gemm, transposed", nodes: gemm(["x", "v", "b"], [("transB", .integer(1))]), results: [19, 32, 45]),
    .init(story: "Gemm without a bias", nodes: gemm(["x", "w"]), results: [9, 12, 15], keys: ", bias: false"),
    .init(
      story: "Gemm with a bias left out", nodes: gemm(["x", "w", ""]), results: [9, 12, 15], keys: ", bias: false"),
    .init(
      story: "Gemm with factors", nodes: gemm(["x", "w", "b"], [("alpha", .float(2)), ("beta", .float(0.5))]),
      results: [23, 34, 45]),
    .init(
      story: "Gemm, transposed, with factors",
      nodes: gemm(["x", "v", "b"], [("transB", .integer(1)), ("alpha", .float(2)), ("beta", .float(0.5))]),
      results: [23, 34, 45]),
    .init(
      story: "Gemm with one number for all", nodes: gemm(["x", "w", "b"]), bias: tensor("b", [], [10]),
      results: [19, 22, 25]),
    .init(
      story: "Gemm with a list of one number", nodes: gemm(["x", "w", "b"], [("beta", .float(2))]),
      bias: tensor("b", [1], [10]), results: [29, 32, 35]),
    .init(
      story: "Gemm with a row of numbers", nodes: gemm(["x", "w", "b"]), bias: tensor("b", [1, 3], [10, 20, 30]),
      results: [19, 32, 45]),
    .init(
      story: "MatMul and Add", nodes: [node("MatMul", ["x", "w"], "p", name: "fc"), node("Add", ["p", "b"], "y")],
      results: [19, 32, 45]),
    .init(
      story: "MatMul and Sum, the constant first, as a row",
      nodes: [node("MatMul", ["x", "w"], "p", name: "fc"), node("Sum", ["b", "p"], "y")],
      bias: tensor("b", [1, 3], [10, 20, 30]), results: [19, 32, 45]),
    .init(
      story: "MatMul and Add of one number",
      nodes: [node("MatMul", ["x", "w"], "p", name: "fc"), node("Add", ["p", "b"], "y")], bias: tensor("b", [1], [10]),
      results: [19, 22, 25]),
    .init(
      story: "the bias behind other names of the product",
      nodes: [
        node("MatMul", ["x", "w"], "p", name: "fc"), node("Identity", ["p"], "q"), node("Flatten", ["q"], "r"),
        node("Add", ["r", "b"], "y"),
      ], results: [19, 32, 45]),
  ]
}

@Suite("layers with parameters in ONNX files")
struct ONNXLayerTests {
  @Test("a product of rows with a matrix is a dense layer in each of its forms", arguments: ProductCase.all)
  func products(product: ProductCase) throws {
    #expect(try layers(product.bytes) == ["  - {name: fc, type: dense, units: 3\(product.keys)}"])
    #expect(try results(product.bytes, [1, 2]) == [product.results])
  }

  /// A product and what follows it, which takes the product under another name too.
  private func shared(_ nodes: [ONNXNode], output: String = "z") -> [UInt8] {
    var graph = ONNXGraph()
    graph.nodes = [node("MatMul", ["x", "w"], "p", name: "fc"), node("Identity", ["p"], "q")] + nodes
    graph.initializers = [tensor("w", [2, 3], [1, 2, 3, 4, 5, 6]), tensor("b", [3], [10, 20, 30])]
    graph.inputs = [ONNXValueInfo(name: "x", elementType: 1, shape: rows)]
    graph.outputs = ["y", output].map { ONNXValueInfo(name: $0, elementType: 1, shape: nil) }
    return file(graph)
  }

  @Test("a value that something else takes, under whichever name, is not given a function")
  func sharedFunction() throws {
    let relu = node("Relu", ["q"], "y", name: "act")
    #expect(try results(shared([relu], output: "p"), [-1, 0]) == [[0, 0, 0], [-1, -2, -3]])
    let tanh = node("Sigmoid", ["p"], "z", name: "other")
    #expect(
      try layers(shared([relu, tanh])) == [
        "  - {name: fc, type: dense, units: 3, bias: false}", "  - {name: y, type: relu}",
        "  - {name: z, type: sigmoid, input: fc}", "outputs: [y, z]",
      ])
  }

  @Test("a value that something else takes, under whichever name, is not given a bias")
  func sharedBias() throws {
    let sum = node("Add", ["q", "b"], "y", name: "sum")
    let message = try #require(try failure(shared([sum, node("Relu", ["p"], "z")]))).message
    #expect(message.contains("`sum` (Add): constants can be added only as the bias of a layer"), "\(message)")
    #expect(try failure(shared([sum], output: "p")) != nil)
  }

  @Test("names that stand for each other end the reading")
  func circularNames() throws {
    let bytes = file(
      [
        node("MatMul", ["x", "w"], "p"), node("Identity", ["p"], "q"), node("Identity", ["q"], "p"),
        node("Relu", ["p"], "y"),
      ], tensors: [tensor("w", [2, 1], [1, 2])])
    #expect(try results(bytes, [-1, -1]) == [[0]])
  }

  @Test(
    "a constant behind a convolution is its bias",
    arguments: [([2, 1, 1], [1, 2]), ([1, 2, 1, 1], [1, 2]), ([], [3]), ([1], [3]), ([1, 1, 1], [3])]
      as [([Int], [Float])])
  func convolutionBias(shape: [Int], numbers: [Float]) throws {
    let bytes = file(
      [node("Conv", ["x", "w"], "c", name: "conv"), node("Add", ["c", "b"], "y")],
      shape: [.symbol("N"), .size(1), .size(1), .size(2)],
      tensors: [tensor("w", [2, 1, 1, 1], [1, 10]), tensor("b", shape, numbers)])
    #expect(try layers(bytes) == ["  - {name: conv, type: conv2d, filters: 2, kernel: 1}"])
    let (a, b) = (Double(numbers[0]), Double(numbers[numbers.count - 1]))
    #expect(try results(bytes, [1, 2]) == [[1 + a, 2 + a, 10 + b, 20 + b]])
  }

  @Test("behind an exchange of axes the bias of a convolution stands beside the channels that are last")
  func convolutionBiasLast() throws {
    func bytes(_ bias: ONNXTensor) -> [UInt8] {
      file(
        [
          node("Transpose", ["x"], "f", [("perm", .integers([0, 3, 1, 2]))]),
          node("Conv", ["f", "w"], "c", name: "conv"),
          node("Transpose", ["c"], "l", [("perm", .integers([0, 2, 3, 1]))]), node("Add", ["l", "b"], "y"),
        ], shape: [.symbol("N"), .size(2), .size(1), .size(1)],
        tensors: [tensor("w", [2, 1, 1, 1], [1, 10]), bias])
    }
    #expect(try results(bytes(tensor("b", [2], [1, 2])), [1, 2]) == [[2, 12, 3, 22]])
    // One number for each row of the image is no bias.
    #expect(try failure(bytes(tensor("b", [2, 1, 1], [1, 2]))) != nil)
  }

  @Test("a padding between a convolution and a constant keeps them apart")
  func paddedBias() throws {
    let bytes = file(
      [
        node("Conv", ["x", "w"], "c"), node("Pad", ["c", "pads"], "p"), node("Add", ["p", "b"], "a"),
        node("Conv", ["a", "w"], "y"),
      ], shape: images,
      tensors: [
        tensor("w", [2, 2, 1, 1], [1, 2, 3, 4]), tensor("b", [2, 1, 1], [1, 2]),
        integers("pads", [0, 0, 1, 1, 0, 0, 1, 1]),
      ])
    #expect(try failure(bytes)?.message.contains("constants can be added only as the bias of a layer") == true)
  }

  @Test("groups of channels are convolved by themselves")
  func groups() throws {
    let bytes = file(
      [node("Conv", ["x", "w", "b"], "y", [("group", .integer(2))], name: "conv")],
      shape: [.symbol("N"), .size(2), .size(1), .size(1)],
      tensors: [tensor("w", [2, 1, 1, 1], [3, 5]), tensor("b", [2], [1, 2])])
    #expect(try layers(bytes) == ["  - {name: conv, type: conv2d, filters: 2, kernel: 1, groups: 2}"])
    #expect(try results(bytes, [10, 100]) == [[31, 502]])
  }

  private static let statistics = [
    tensor("one", [2], [1, 1]), tensor("scale", [2], [2, 3]), tensor("shift", [2], [1, -1]),
    tensor("mean", [2], [1, 10]),
  ]

  @Test("a normalisation has ONNX's defaults, and its own epsilon and momentum")
  func normalization() throws {
    func bytes(_ attributes: [(String, ONNXAttribute.Value)]) -> [UInt8] {
      file(
        [node("BatchNormalization", ["x", "scale", "shift", "mean", "one"], "y", attributes, name: "norm")],
        tensors: Self.statistics)
    }
    #expect(try layers(bytes([])) == ["  - {name: norm, type: batchnorm}"])
    #expect(
      try layers(bytes([("epsilon", .float(3)), ("momentum", .float(0.99))])) == [
        "  - {name: norm, type: batchnorm, epsilon: 3.0, momentum: 0.01}"
      ])
    // (2 - 1) / sqrt(1 + 3) * 2 + 1, (6 - 10) / 2 * 3 - 1
    #expect(try results(bytes([("epsilon", .float(3))]), [2, 6]) == [[2, -7]])
  }

  @Test("one tensor is the parameter of many layers, or of one twice")
  func sharedParameters() throws {
    let bytes = file(
      [
        node("BatchNormalization", ["x", "one", "shift", "mean", "one"], "a", name: "first"),
        node(
          "BatchNormalization", ["a", "scale", "shift", "mean", "one"], "y", [("epsilon", .float(3))], name: "second"),
      ], tensors: Self.statistics)
    let text = try layers(bytes)
    #expect(text[0].contains("variance: {file: case.safetensors, key: first.gamma}"), "\(text)")
    let found = try results(bytes, [1, 10])[0]
    for (a, b) in zip(found, [(1.0 - 1) / 2 * 2 + 1, (-1.0 - 10) / 2 * 3 - 1]) { #expect(abs(a - b) < 1e-9) }
  }

  @Test("before version 14 of the operators, more results than one say that the batch's statistics are taken")
  func olderTrainingMode() throws {
    var normalization = node("BatchNormalization", ["x", "scale", "shift", "mean", "one"], "y", name: "norm")
    normalization.outputs += ["", ""]
    #expect(
      try layers(file([normalization], tensors: Self.statistics, version: 9)) == ["  - {name: norm, type: batchnorm}"])
    normalization.outputs = ["y", "m", "v", "saved mean", "saved variance"]
    let bytes = file([normalization], tensors: Self.statistics, version: 9)
    #expect(try layers(bytes) == ["  - {name: norm, type: batchnorm, statistics: batch}"])
    let found = try results(bytes, [1, 5, 3, 9], batch: 2)[0]
    for (a, b) in zip(found, [-1, -4, 3, 2]) { #expect(abs(a - Double(b)) < 1e-4) }
  }

  /// A normalisation by the batch's statistics that is written out.
  private func writtenOut(axes: [Int], unsqueezed: [Int]?, shape: [ONNXValueInfo.Dimension]) -> [UInt8] {
    let reduction: [(String, ONNXAttribute.Value)] = [("keepdims", .integer(1))]
    let (scale, shift) = unsqueezed == nil ? ("scale", "shift") : ("scale1", "shift1")
    return file(
      [
        node("ReduceMean", ["x", "axes"], "m", reduction), node("Sub", ["x", "m"], "d"), node("Mul", ["d", "d"], "s"),
        node("ReduceMean", ["s", "axes"], "v", reduction), node("Add", ["v", "e"], "a"), node("Sqrt", ["a"], "r"),
        node("Div", ["d", "r"], "q"), node("Unsqueeze", ["scale", "places"], "scale1"),
        node("Unsqueeze", ["shift", "places"], "shift1"), node("Mul", ["q", scale], "p"),
        node("Add", ["p", shift], "y", name: "norm"),
      ], shape: shape,
      tensors: Self.statistics + [
        integers("axes", axes), integers("places", unsqueezed ?? [1, 2]), tensor("e", [], [1e-3]),
      ], version: 18)
  }

  @Test("a normalisation that is written out is one where its statistics are those of the channels")
  func recovered() throws {
    let layer = ["  - {name: norm, type: batchnorm, statistics: batch, epsilon: 0.001}"]
    #expect(try layers(writtenOut(axes: [0, 2, 3], unsqueezed: [1, 2], shape: images)) == layer)
    #expect(try layers(writtenOut(axes: [0], unsqueezed: nil, shape: rows)) == layer)
    // Of each place of the image by itself, and with factors for its columns.
    let places = try #require(try failure(writtenOut(axes: [0], unsqueezed: nil, shape: images))).message
    #expect(places.contains("statistics of each place by itself cannot be said"), "\(places)")
    let square: [ONNXValueInfo.Dimension] = [.symbol("N"), .size(2), .size(2), .size(2)]
    #expect(try failure(writtenOut(axes: [0, 2, 3], unsqueezed: nil, shape: square)) != nil)
    #expect(try failure(writtenOut(axes: [0, 2, 3], unsqueezed: [0, 2], shape: square)) != nil)
  }
}
