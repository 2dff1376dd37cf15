import Diagnostics
import ModelFile
import Testing

@testable import Interchange

/// The model of a text, which must be valid.
func model(_ text: String) throws -> Model {
  try ModelLoader.load(source: SourceText(name: "m.yaml", bytes: Array(text.utf8)), path: "m.yaml").valid()
}

/// The graph of the file that a model is exported to.
private func exported(_ text: String) throws -> ONNXGraph {
  try #require(try ONNXModel(bytes: try ONNXExport.bytes(of: try model(text))).graph)
}

extension ONNXNode {
  /// The attribute's integers, one or more.
  func integers(_ name: String) -> [Int]? {
    switch attributes.first(where: { $0.name == name })?.value {
    case .integers(let values)?: values
    case .integer(let value)?: [value]
    default: nil
    }
  }
}

@Suite("export to ONNX")
struct ONNXExportTests {
  @Test("a residual network becomes the operators that everyone expects, named by its layers")
  func residual() throws {
    let graph = try exported(
      """
      nnrun: 1
      name: small
      inputs: {image: {shape: [N, 2, 5, 7]}}
      layers:
        - {name: stem, type: conv2d, filters: 4, kernel: 3, stride: 2, padding: same}
        - name: block
          type: residual
          body:
            - {name: conv, type: conv2d, filters: 4, kernel: [1, 3], padding: [0, 1], groups: 2, bias: false}
            - {name: bn, type: batchnorm}
        - {name: drop, type: dropout, rate: 0.5}
        - {name: pool, type: gap}
        - {name: scores, type: dense-sigmoid, units: 3}
      """)
    #expect(graph.name == "small")
    #expect(
      graph.nodes.map(\.operatorType) == [
        "Conv", "Conv", "BatchNormalization", "Add", "Relu", "GlobalAveragePool", "Flatten", "Gemm", "Sigmoid",
      ])
    #expect(graph.inputs.map(\.name) == ["image"])
    #expect(graph.inputs[0].shape == [.symbol("N"), .size(2), .size(5), .size(7)])
    #expect(graph.outputs.map(\.name) == ["scores"])
    #expect(graph.outputs[0].shape == [.symbol("N"), .size(3)])
    #expect(graph.nodes[0].inputs == ["image", "stem.weight", "stem.bias"])
    #expect(graph.nodes[0].integers("strides") == [2, 2])
    #expect(graph.nodes[0].integers("pads") == [1, 1, 1, 1])
    #expect(graph.nodes[1].integers("pads") == [0, 1, 0, 1])
    #expect(graph.nodes[1].integers("group") == [2])
    #expect(graph.nodes[2].outputs == ["block.bn"])
    #expect(graph.nodes[4].outputs == ["block"])
    #expect(
      graph.initializers.map(\.name) == [
        "stem.weight", "stem.bias", "block.conv.weight", "block.bn.gamma", "block.bn.beta", "block.bn.mean",
        "block.bn.variance", "scores.weight", "scores.bias",
      ])
  }

  @Test("channels that are last stay last: the file transposes at its edges")
  func channelsLast() throws {
    let graph = try exported(
      """
      nnrun: 1
      layout: nhwc
      inputs: {image: {shape: [N, 6, 5, 2]}}
      layers:
        - {name: conv, type: conv2d, filters: 3, kernel: 2}
      """)
    #expect(graph.nodes.map(\.operatorType) == ["Transpose", "Conv", "Transpose"])
    #expect(graph.nodes[2].outputs == ["conv"])
    #expect(graph.outputs[0].shape == [.symbol("N"), .size(5), .size(4), .size(3)])
  }

  @Test("padding that depends on a size not yet known is left to the runtime")
  func symbolicSame() throws {
    let graph = try exported(
      """
      nnrun: 1
      inputs: {image: {shape: [N, 1, H, W]}}
      layers:
        - {name: a, type: conv2d, filters: 1, kernel: 4, padding: same}
        - {name: b, type: conv2d, filters: 1, kernel: 4, stride: 2, padding: same}
      """)
    #expect(graph.nodes[0].integers("pads") == [1, 1, 2, 2])
    #expect(graph.nodes[1].integers("pads") == nil)
  }

  @Test("an output that is an input, or another output, gets a node of its own")
  func identicalOutputs() throws {
    let graph = try exported(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 2]}}
      outputs: [keep, act, same]
      layers:
        - {name: keep, type: dropout, rate: 0.1, input: x}
        - {name: act, type: relu, input: x}
        - {name: same, type: dropout, rate: 0.1}
      """)
    #expect(graph.nodes.map(\.operatorType) == ["Relu", "Identity", "Identity"])
    #expect(graph.outputs.map(\.name) == ["keep", "act", "same"])
    #expect(Set(graph.nodes.flatMap(\.outputs)) == ["keep", "act", "same"])
  }

  @Test("the mean of images in double precision is one that runtimes have")
  func doubleMean() throws {
    let graph = try exported(
      """
      nnrun: 1
      dtype: float64
      inputs: {image: {shape: [N, 2, 2, 2]}}
      layers:
        - {name: pool, type: gap}
      """)
    #expect(graph.nodes.map(\.operatorType) == ["ReduceMean"])
    #expect(graph.nodes[0].integers("axes") == [2, 3])
    #expect(graph.nodes[0].integers("keepdims") == [0])
    #expect(graph.outputs[0].shape == [.symbol("N"), .size(2)])
    let image: [Double] = [1, 2, 3, 4, 5, 6, 7, 0]
    #expect(try results(file(graph), image) == [[2.5, 4.5]])
  }

  @Test("more parameters than an ONNX file can hold are refused before they are drawn")
  func tooLarge() throws {
    let large = try model(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 32768]}}
      layers:
        - {name: a, type: dense, units: 16384}
        - {name: b, type: dense, units: 1}
      """)
    do {
      _ = try ONNXExport.bytes(of: large)
      Issue.record("2 GiB were written")
    } catch {
      #expect(error.kind == .cannotCreate)
      #expect(error.message.contains("at most 2 GiB"))
    }
  }
}
