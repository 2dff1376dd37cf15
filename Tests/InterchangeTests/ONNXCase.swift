import Diagnostics
import Files
import Foundation
import Graph
import Tensors
import TestSupport
import Testing

@testable import Interchange
@testable import ModelFile

let models = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().appending(path: "models")

/// Shapes of an input: rows of two features, images of two channels of 4 x 4, images with their channels last, images of
/// any size.
let rows: [ONNXValueInfo.Dimension] = [.symbol("N"), .size(2)]
let images: [ONNXValueInfo.Dimension] = [.symbol("N"), .size(2), .size(4), .size(4)]
let imagesLast: [ONNXValueInfo.Dimension] = [.symbol("N"), .size(4), .size(4), .size(2)]
let anyImages: [ONNXValueInfo.Dimension] = [.symbol("N"), .size(2), .symbol("H"), .unknown]

func tensor(_ name: String, _ shape: [Int], _ elements: [Float]) -> ONNXTensor {
  ONNXTensor(name: name, .float32(Tensor(shape: shape, elements: elements)))
}

func integers(_ name: String, _ values: [Int]) -> ONNXTensor { ONNXTensor(name: name, integers: values) }

/// A file of the given nodes, with one input `x` and one output `y`.
func file(
  _ nodes: [ONNXNode], shape: [ONNXValueInfo.Dimension] = rows, tensors: [ONNXTensor] = [], version: Int = 17
) -> [UInt8] {
  var graph = ONNXGraph()
  graph.name = "g"
  graph.nodes = nodes
  graph.initializers = tensors
  graph.inputs = [ONNXValueInfo(name: "x", elementType: 1, shape: shape)]
  graph.outputs = [ONNXValueInfo(name: "y", elementType: 1, shape: nil)]
  return file(graph, version: version)
}

func file(_ graph: ONNXGraph, version: Int = 17) -> [UInt8] {
  ONNXModel(irVersion: 8, operatorSets: [ONNXOperatorSet(domain: "", version: version)], graph: graph).bytes
}

/// A file with one more tensor, given by the bytes of its message.
func file(_ bytes: [UInt8], with tensor: [UInt8]) throws -> [UInt8] {
  var reader = try WireReader(file: bytes, range: bytes.indices, budget: MessageBudget())
  var whole = WireWriter()
  while let field = try reader.next() {
    guard case .bytes(let range) = field.value else { continue }
    var graph = WireWriter()
    graph.field(5, tensor)
    whole.field(field.number, Array(bytes[range]) + (field.number == 7 ? graph.bytes : []))
  }
  return whole.bytes
}

func node(
  _ type: String, _ inputs: [String], _ output: String, _ attributes: [(String, ONNXAttribute.Value)] = [],
  name: String = ""
) -> ONNXNode {
  ONNXNode(
    name: name, operatorType: type, inputs: inputs, outputs: [output],
    attributes: attributes.map { ONNXAttribute(name: $0.0, value: $0.1) })
}

/// The layers of the model that a file is read as, a line each.
func layers(_ bytes: [UInt8]) throws -> [String] {
  let folder = try TemporaryFolder()
  try folder.write(bytes, to: "case.onnx")
  let text = try ONNXImport.read(folder.file("case.onnx"), weightsFile: "case.safetensors").text
  let lines = text.split(separator: "\n").map(String.init)
  return Array(lines[(try #require(lines.firstIndex(of: "layers:")) + 1)...])
}

/// The arrays of the model that a file is read as.
func arrays(_ bytes: [UInt8]) throws -> [AnyTensor] {
  let folder = try TemporaryFolder()
  try folder.write(bytes, to: "case.onnx")
  return try ONNXImport.read(folder.file("case.onnx"), weightsFile: "case.safetensors").arrays.map(\.value)
}

/// What reading a file fails with.
func failure(_ bytes: [UInt8], beside: (TemporaryFolder) throws -> Void = { _ in }) throws -> Failure? {
  let folder = try TemporaryFolder()
  try folder.write(bytes, to: "case.onnx")
  try beside(folder)
  do {
    _ = try ONNXImport.read(folder.file("case.onnx"), weightsFile: "case.safetensors")
    return nil
  } catch {
    return error
  }
}

/// The outputs of the model that a file is imported as, for numbers of its inputs.
func results(_ bytes: [UInt8], _ inputs: [Double]..., batch: Int = 1) throws -> [[Double]] {
  let folder = try TemporaryFolder()
  try folder.write(bytes, to: "case.onnx")
  try ONNXImport.importFile(folder.file("case.onnx"), to: folder.file("case.yaml"))
  let model = try ModelLoader.load(path: folder.path("case.yaml")).valid()
  return try outputs(of: model, inputs, sizes: ["N": batch]).map(\.elements)
}

/// The outputs of a model by the plain evaluation; inputs that are not given are of some fixed numbers.
func outputs(of model: Model, _ given: [[Double]] = [], sizes: [String: Int] = [:]) throws -> [Tensor<Double>] {
  var bound: [String: Int] = [:]
  for case .quotient(let symbol, _, _) in model.inputs.flatMap(\.shape) {
    bound[symbol] = sizes[symbol] ?? (symbol == "N" ? 2 : 8)
  }
  let graph = try model.graph.bound(bound)
  let inputs: [Tensor<Double>] = try graph.inputs.enumerated().map { number, value in
    let shape = try #require(graph.shape(value).sizes)
    let count: Int = shape.reduce(1, *)
    let elements: [Double] = (0..<count).map { index in Double((index * 37) % 19) / 8 - 1 }
    return Tensor<Double>(shape: shape, elements: number < given.count ? given[number] : elements)
  }
  let parameters = try model.parameters.indices.map { try model.value(of: $0).converted(to: Double.self) }
  return graph.evaluate(inputs: inputs, parameters: parameters)
}
