import Diagnostics
import Files
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Interchange
@testable import ModelFile

/// The frozen models.
private let frozenNames =
  ((try? FileManager.default.contentsOfDirectory(atPath: models.appending(path: "v1").path)) ?? [])
  .filter { $0.hasSuffix(".yaml") }.sorted()

@Suite("import from ONNX")
struct ONNXImportTests {
  @Test("a model comes back from ONNX with its structure, its names and its layout")
  func structure() throws {
    let folder = try TemporaryFolder()
    let path = models.appending(path: "digits/digits.yaml").path
    try folder.write(try ONNXExport.bytes(of: try ModelLoader.load(path: path).valid()), to: "digits.onnx")
    let written = try ONNXImport.importFile(folder.file("digits.onnx"), to: folder.file("digits.yaml"))
    #expect(written.count == 2)
    func layers(_ text: String) -> [Substring] {
      text.split(separator: "\n").drop { $0 != "layers:" }.dropFirst().prefix { $0.hasPrefix(" ") }.map { $0 }
    }
    let imported = try folder.text("digits.yaml")
    #expect(layers(imported) == layers(try String(contentsOfFile: path, encoding: .utf8)))
  }

  @Test("every frozen model computes the same once it has been to ONNX and back", arguments: frozenNames)
  func roundTrip(name: String) throws {
    let folder = try TemporaryFolder()
    let model = try ModelLoader.load(path: models.appending(path: "v1/\(name)").path).valid()
    try folder.write(try ONNXExport.bytes(of: model), to: "case.onnx")
    try ONNXImport.importFile(folder.file("case.onnx"), to: folder.file("case.yaml"))
    let back = try ModelLoader.load(path: folder.path("case.yaml")).valid()
    #expect(back.inputs.map(\.shape) == model.inputs.map(\.shape))
    let (old, new) = (try outputs(of: model), try outputs(of: back))
    #expect(old.map(\.shape) == new.map(\.shape))
    for (left, right) in zip(old, new) {
      for (a, b) in zip(left.elements, right.elements) { #expect(abs(a - b) <= 1e-5 * (1 + abs(a))) }
    }
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

  @Test("outputs that are inputs, or twice the same, get layers of their own that change nothing")
  func identicalOutputs() throws {
    var graph = ONNXGraph()
    graph.nodes = [
      node("Relu", ["x.1"], "y"), node("Identity", ["y"], "again"),
      node("Cast", ["x.1"], "same", [("to", .integer(11))]),
    ]
    graph.inputs = [
      ONNXValueInfo(name: "x.1", elementType: 11, shape: [.unknown, .size(0), .symbol("2nd axis"), .symbol("??")])
    ]
    graph.outputs = ["y", "again", "same"].map { ONNXValueInfo(name: $0, elementType: 11) }
    #expect(
      try layers(file(graph)) == [
        "  - {name: y, type: relu}", "  - {name: again, type: dropout, rate: 0}",
        "  - {name: same, type: dropout, input: x-1, rate: 0}", "outputs: [y, again, same]",
      ])
    let folder = try TemporaryFolder()
    try folder.write(file(graph), to: "case.onnx")
    let text = try ONNXImport.read(folder.file("case.onnx"), weightsFile: "w").text
    #expect(text.contains("dtype: float64\ninputs:\n  x-1: {shape: [N, C, _2nd_axis, W]}\n"), "\(text)")
    #expect(text.contains("description: \"imported from case.onnx\"\n"), "\(text)")
  }

  @Test("a model's name must be text, since it names the weight file")
  func nameOfBytes() throws {
    let folder = try TemporaryFolder()
    try folder.write(file([node("Relu", ["x"], "y")]), to: "case.onnx")
    let path = FilePath(bytes: Array(folder.url.path.utf8) + [0x2F, 0xFF] + Array(".yaml".utf8))
    #expect(throws: Failure.self) { try ONNXImport.importFile(folder.file("case.onnx"), to: path) }
    #expect(folder.names == ["case.onnx"])
  }

  @Test("files that are there already are left alone, both of them")
  func existing() throws {
    let bytes = file([node("Gemm", ["x", "w"], "y")], tensors: [tensor("w", [2, 1], [1, 2])])
    for name in ["case.yaml", "case.safetensors"] {
      let folder = try TemporaryFolder()
      try folder.write(bytes, to: "case.onnx")
      try folder.write([1], to: name)
      do {
        try ONNXImport.importFile(folder.file("case.onnx"), to: folder.file("case.yaml"))
        Issue.record("\(name) was overwritten")
      } catch {
        #expect(error.kind == .cannotCreate)
      }
      #expect(folder.names == [name, "case.onnx"].sorted())
      try ONNXImport.importFile(folder.file("case.onnx"), to: folder.file("case.yaml"), replacing: true)
      #expect(folder.names == ["case.onnx", "case.safetensors", "case.yaml"])
    }
  }
}
