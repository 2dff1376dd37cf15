import Diagnostics
import Files
import Foundation
import Graph
import Tensors
import Testing

@testable import Interchange
@testable import ModelFile

/// A folder that is gone when the test is over.
private final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "nnrun-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> FilePath { FilePath(url.appending(path: name).path) }

  func write(_ bytes: [UInt8], to name: String) throws { try Data(bytes).write(to: url.appending(path: name)) }

  var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted() }
}

private let models = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().appending(path: "models")

/// The frozen models.
private let frozenNames =
  ((try? FileManager.default.contentsOfDirectory(atPath: models.appending(path: "v1").path)) ?? [])
  .filter { $0.hasSuffix(".yaml") }.sorted()

private func tensor(_ name: String, _ shape: [Int], _ elements: [Float]) -> ONNXTensor {
  ONNXTensor(name: name, .float32(Tensor(shape: shape, elements: elements)))
}

/// A file of the given nodes, with one input `x` and one output `y`.
private func file(
  _ nodes: [ONNXNode], shape: [ONNXValueInfo.Dimension] = [.symbol("N"), .size(2)], tensors: [ONNXTensor] = [],
  version: Int = 17
) -> [UInt8] {
  var graph = ONNXGraph()
  graph.name = "g"
  graph.nodes = nodes
  graph.initializers = tensors
  graph.inputs = [ONNXValueInfo(name: "x", elementType: 1, shape: shape)]
  graph.outputs = [ONNXValueInfo(name: "y", elementType: 1, shape: nil)]
  return ONNXModel(irVersion: 8, operatorSets: [ONNXOperatorSet(domain: "", version: version)], graph: graph).bytes
}

private func node(
  _ type: String, _ inputs: [String], _ output: String, _ attributes: [(String, ONNXAttribute.Value)] = [],
  name: String = ""
) -> ONNXNode {
  ONNXNode(
    name: name, operatorType: type, inputs: inputs, outputs: [output],
    attributes: attributes.map { ONNXAttribute(name: $0.0, value: $0.1) })
}

/// The layers of the model that a file is read as, a line each.
private func layers(_ bytes: [UInt8]) throws -> [String] {
  let folder = try TemporaryFolder()
  try folder.write(bytes, to: "case.onnx")
  let text = try ONNXImport.read(folder.path("case.onnx"), weightsFile: "case.safetensors").text
  let lines = text.split(separator: "\n").map(String.init)
  return Array(lines[(try #require(lines.firstIndex(of: "layers:")) + 1)...])
}

/// What reading a file fails with.
private func failure(_ bytes: [UInt8], beside: (TemporaryFolder) throws -> Void = { _ in }) throws -> Failure? {
  let folder = try TemporaryFolder()
  try folder.write(bytes, to: "case.onnx")
  try beside(folder)
  do {
    _ = try ONNXImport.read(folder.path("case.onnx"), weightsFile: "case.safetensors")
    return nil
  } catch {
    return error
  }
}

@Suite("import from ONNX")
struct ONNXImportTests {
  @Test("a model comes back from ONNX with its structure, its names and its layout")
  func structure() throws {
    let folder = try TemporaryFolder()
    let path = models.appending(path: "digits/digits.yaml").path
    try folder.write(try ONNXExport.bytes(of: try ModelLoader.load(path: path).valid()), to: "digits.onnx")
    let written = try ONNXImport.importFile(folder.path("digits.onnx"), to: folder.path("digits.yaml"))
    #expect(written.count == 2)
    func layers(_ text: String) -> [Substring] {
      text.split(separator: "\n").drop { $0 != "layers:" }.dropFirst().prefix { $0.hasPrefix(" ") }.map { $0 }
    }
    let imported = try String(contentsOf: folder.url.appending(path: "digits.yaml"), encoding: .utf8)
    #expect(layers(imported) == layers(try String(contentsOfFile: path, encoding: .utf8)))
  }

  @Test("every frozen model computes the same once it has been to ONNX and back", arguments: frozenNames)
  func roundTrip(name: String) throws {
    let folder = try TemporaryFolder()
    let model = try ModelLoader.load(path: models.appending(path: "v1/\(name)").path).valid()
    try folder.write(try ONNXExport.bytes(of: model), to: "case.onnx")
    try ONNXImport.importFile(folder.path("case.onnx"), to: folder.path("case.yaml"))
    let back = try ModelLoader.load(path: folder.url.appending(path: "case.yaml").path).valid()
    #expect(back.inputs.map(\.shape) == model.inputs.map(\.shape))
    let (old, new) = (try outputs(of: model), try outputs(of: back))
    #expect(old.map(\.shape) == new.map(\.shape))
    for (left, right) in zip(old, new) {
      for (a, b) in zip(left.elements, right.elements) { #expect(abs(a - b) <= 1e-5 * (1 + abs(a))) }
    }
  }

  /// The outputs by the plain evaluation, for inputs of some fixed numbers.
  private func outputs(of model: Model) throws -> [Tensor<Double>] {
    var sizes: [String: Int] = [:]
    for case .quotient(let symbol, _, _) in model.inputs.flatMap(\.shape) { sizes[symbol] = symbol == "N" ? 2 : 8 }
    let graph = try model.graph.bound(sizes)
    let inputs: [Tensor<Double>] = try graph.inputs.map { value in
      let shape = try #require(graph.shape(value).sizes)
      let count: Int = shape.reduce(1, *)
      let elements: [Double] = (0..<count).map { index in Double((index * 37) % 19) / 8 - 1 }
      return Tensor<Double>(shape: shape, elements: elements)
    }
    let parameters = try model.parameters.indices.map { try model.value(of: $0).converted(to: Double.self) }
    return graph.evaluate(inputs: inputs, parameters: parameters)
  }

  @Test("a matrix product and the sum behind it are a dense layer, a function behind that its activation")
  func dense() throws {
    let bytes = file(
      [
        node("MatMul", ["x", "fc.weight"], "a"), node("Add", ["fc.bias", "a"], "b"),
        node("Relu", ["b"], "y", name: "/act/Relu"),
      ], tensors: [tensor("fc.weight", [2, 3], [1, 2, 3, 4, 5, 6]), tensor("fc.bias", [3], [7, 8, 9])])
    #expect(try layers(bytes) == ["  - {name: fc, type: dense, units: 3, activation: relu}"])
  }

  @Test("what PyTorch makes of `view(x.size(0), -1)` is a flattening")
  func view() throws {
    let bytes = file(
      [
        node("Shape", ["x"], "s"), node("Gather", ["s", "zero"], "n"),
        node("Unsqueeze", ["n"], "n1", [("axes", .integers([0]))]),
        node("Constant", [], "rest", [("value", .tensor(ONNXTensor(name: "", integers: [-1])))]),
        node("Concat", ["n1", "rest"], "shape", [("axis", .integer(0))]),
        node("GlobalAveragePool", ["x"], "p", name: "/pool/GlobalAveragePool"), node("Reshape", ["p", "shape"], "f"),
        node("Gemm", ["f", "w"], "y", [("transB", .integer(1)), ("alpha", .float(2))], name: "fc"),
      ], shape: [.symbol("batch size"), .size(2), .size(4), .size(4)],
      tensors: [ONNXTensor(name: "zero", integers: [0]), tensor("w", [1, 2], [1, 2])], version: 11)
    #expect(
      try layers(bytes) == [
        "  - {name: pool, type: gap}", "  - {name: fc, type: dense, units: 1, bias: false}",
      ])
  }

  @Test("layers have the names of PyTorch's modules, and a residual that of the module around it")
  func torchNames() throws {
    let weight = tensor("onnx::Gemm_1", [2, 2], [1, 2, 3, 4])
    let gemm: [(String, ONNXAttribute.Value)] = [("transB", .integer(1))]
    let bytes = file(
      [
        node("Gemm", ["x", "onnx::Gemm_1"], "a", gemm, name: "/layer1/layer1.0/fc1/Gemm"),
        node("Relu", ["a"], "b", name: "/layer1/layer1.0/relu/Relu"),
        node("Gemm", ["b", "onnx::Gemm_1"], "c", gemm, name: "/layer1/layer1.0/tail/tail.1/Gemm"),
        node("Add", ["c", "x"], "d", name: "/layer1/layer1.0/Add"),
        node("Relu", ["d"], "y", name: "/layer1/layer1.0/relu_1/Relu"),
      ], tensors: [weight])
    let text = try layers(bytes).joined(separator: "\n")
    #expect(text.contains("- name: layer1-0\n"), "\(text)")
    #expect(text.contains("{name: fc1, type: dense, units: 2, bias: false, activation: relu"), "\(text)")
    #expect(text.contains("{name: tail-1, type: dense"), "\(text)")
  }

  @Test("a normalisation in training mode, or written out, takes the batch's statistics")
  func batchStatistics() throws {
    let bytes = file(
      [node("BatchNormalization", ["x", "g", "b", "m", "v"], "y", [("training_mode", .integer(1))], name: "norm")],
      tensors: [
        tensor("g", [2], [1, 2]), tensor("b", [2], [0, 0]), tensor("m", [2], [0, 0]), tensor("v", [2], [1, 1]),
      ])
    #expect(try layers(bytes) == ["  - {name: norm, type: batchnorm, statistics: batch}"])
    let model = try ModelLoader.load(path: models.appending(path: "batchnorm/batchnorm.yaml").path).valid()
    #expect(try layers(try ONNXExport.bytes(of: model)).first == "  - {name: norm, type: batchnorm, statistics: batch}")
  }

  @Test("sizes that are rounded up are those of more padding at the end")
  func ceiling() throws {
    let bytes = file(
      [
        node(
          "MaxPool", ["x"], "y",
          [("kernel_shape", .integers([3, 3])), ("strides", .integers([2, 2])), ("ceil_mode", .integer(1))], name: "1")
      ], shape: [.symbol("N"), .size(1), .size(6), .size(5)])
    #expect(try layers(bytes) == ["  - {name: y, type: maxpool, kernel: 3, stride: 2, padding: [0, 0, 1, 0]}"])
  }

  @Test("all that cannot be said is listed, by node and operator, and what follows from it is not")
  func unsupported() throws {
    let bytes = file([
      node("Erf", ["x"], "a", name: "first"), node("Relu", ["a"], "b", name: "fine"),
      node("LSTM", ["b"], "c", name: "second"), node("Softmax", ["x"], "y", [("axis", .integer(0))], name: "third"),
    ])
    let message = try #require(try failure(bytes)).message
    #expect(message.contains("`first` (Erf)"))
    #expect(message.contains("`second` (LSTM)"))
    #expect(message.contains("`third` (Softmax): softmax can be said over the last axis only"))
    #expect(!message.contains("fine"))
  }

  @Test("files that are there already are left alone, both of them")
  func existing() throws {
    let bytes = file([node("Gemm", ["x", "w"], "y")], tensors: [tensor("w", [2, 1], [1, 2])])
    for name in ["case.yaml", "case.safetensors"] {
      let folder = try TemporaryFolder()
      try folder.write(bytes, to: "case.onnx")
      try folder.write([1], to: name)
      do {
        try ONNXImport.importFile(folder.path("case.onnx"), to: folder.path("case.yaml"))
        Issue.record("\(name) was overwritten")
      } catch {
        #expect(error.kind == .cannotCreate)
      }
      #expect(folder.names == [name, "case.onnx"].sorted())
      try ONNXImport.importFile(folder.path("case.onnx"), to: folder.path("case.yaml"), replacing: true)
      #expect(folder.names == ["case.onnx", "case.safetensors", "case.yaml"])
    }
  }
}

@Suite("weights of ONNX files")
struct ONNXWeightTests {
  /// A file whose only weight has its numbers elsewhere.
  private func external(_ location: String, offset: String? = nil, length: String? = nil) -> [UInt8] {
    var tensor = WireWriter()
    tensor.integers(1, [2, 1])
    tensor.integer(2, 1)
    tensor.string(8, "w")
    for (key, value) in [("location", location), ("offset", offset), ("length", length)] {
      guard let value else { continue }
      tensor.message(13) { writer in
        writer.string(1, key)
        writer.string(2, value)
      }
    }
    tensor.integer(14, 1)
    var parts = WireWriter()
    parts.message(1) { writer in
      for input in ["x", "w"] { writer.string(1, input) }
      writer.string(2, "y")
      writer.string(4, "Gemm")
    }
    parts.field(5, tensor.bytes)
    for (field, name) in [(11, "x"), (12, "y")] {
      parts.message(field) { writer in
        writer.string(1, name)
        writer.message(2) { writer in
          writer.message(1) { writer in
            writer.integer(1, 1)
            writer.message(2) { writer in
              writer.message(1) { $0.string(2, "N") }
              writer.message(1) { $0.integer(1, 2) }
            }
          }
        }
      }
    }
    var whole = WireWriter()
    whole.field(7, parts.bytes)
    whole.message(8) { $0.integer(2, 17) }
    return whole.bytes
  }

  @Test("numbers in a file beside the model are read from their place in it")
  func externalData() throws {
    let folder = try TemporaryFolder()
    try folder.write(external("w.bin", offset: "4", length: "8"), to: "case.onnx")
    try folder.write([9, 9, 9, 9, 0, 0, 0x80, 0x3F, 0, 0, 0, 0x40], to: "w.bin")
    let result = try ONNXImport.read(folder.path("case.onnx"), weightsFile: "case.safetensors")
    #expect(result.arrays.map(\.value) == [.float32(Tensor(shape: [1, 2], elements: [1, 2]))])
  }

  @Test(
    "a file that lies elsewhere, or is too short, is refused",
    arguments: [
      ("../w.bin", nil, Failure.Kind.invalidData), ("/etc/hostname", nil, .invalidData),
      ("a/../../w.bin", nil, .invalidData),
      ("link", nil, .invalidData), ("missing", nil, .cannotRead), ("", nil, .invalidData), ("w.bin", "5", .invalidData),
      ("w.bin", "-4", .invalidData), ("w.bin", "9223372036854775807", .invalidData), ("w.bin", "x", .invalidData),
      (".", nil, .invalidData), ("folder", nil, .cannotRead),
    ])
  func externalElsewhere(location: String, offset: String?, kind: Failure.Kind) throws {
    let found = try failure(external(location, offset: offset)) { folder in
      try folder.write([UInt8](repeating: 0, count: 12), to: "w.bin")
      try FileManager.default.createSymbolicLink(
        atPath: folder.url.appending(path: "link").path, withDestinationPath: "/etc/hostname")
      try FileManager.default.createDirectory(
        at: folder.url.appending(path: "folder"), withIntermediateDirectories: true)
    }
    #expect(found?.kind == kind)
  }

  @Test(
    "dimensions that the numbers do not fill are refused before any memory is taken",
    arguments: [[3, 1], [-2, -1], [Int.max, 2], [1 << 40, 1 << 40], [1 << 62, 0]])
  func dimensions(shape: [Int]) throws {
    var weight = tensor("w", [2, 1], [1, 2])
    weight.dimensions = shape
    #expect(try failure(file([node("Gemm", ["x", "w"], "y")], tensors: [weight]))?.kind == .invalidData)
  }

  @Test("half-precision weights become single precision, subnormal numbers too")
  func halfPrecision() throws {
    var weight = ONNXTensor(name: "w", integers: [])
    weight.elementType = ONNXElementType.float16
    weight.dimensions = [2, 1]
    weight.raw = [0x00, 0xC1, 0x01, 0x00]
    let folder = try TemporaryFolder()
    try folder.write(file([node("Gemm", ["x", "w"], "y")], tensors: [weight]), to: "case.onnx")
    let result = try ONNXImport.read(folder.path("case.onnx"), weightsFile: "case.safetensors")
    #expect(result.arrays.map(\.value) == [.float32(Tensor(shape: [1, 2], elements: [-2.5, 0x1p-24]))])
  }
}
