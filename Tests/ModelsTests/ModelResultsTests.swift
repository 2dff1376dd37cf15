import Diagnostics
import Files
import ModelFile
import NNRun
import Tensors
import Testing

/// Every model with an input beside it gives the expected output beside it; READMEs there say where the numbers are from.
struct ModelResultsTests {
  @Test("a model of the repository gives what stands beside it", arguments: try stems(under: "models"))
  func expectedOutput(stem: String) throws {
    // The notebook's examples are held to six places; long sums of float32 numbers in another order are not.
    let isNotebook = ["neuron", "conv2d", "relu", "residual", "gap", "batchnorm"].contains {
      stem.hasPrefix("models/\($0)/")
    }
    try compare(stem, float32Tolerance: isNotebook ? 1e-6 : 1e-5)
  }

  @Test("a case of ONNX's own tests gives ONNX's numbers", arguments: try stems(under: "Tests/Fixtures/onnx-cases"))
  func onnxCase(stem: String) throws {
    // Their outputs are float32 themselves, computed in another order.
    try compare(stem, float32Tolerance: 1e-5)
  }

  @Test(
    "every model of the repository is free of errors and warnings",
    arguments: try Repository.modelStems(under: "models"))
  func validity(stem: String) throws {
    let loaded = try load(stem)
    #expect(loaded.diagnostics.map(\.message) == [])
    #expect(loaded.model != nil)
  }

  @Test("there are models to run")
  func presence() throws {
    #expect(try Self.stems(under: "models").count >= 60)
    #expect(try Self.stems(under: "Tests/Fixtures/onnx-cases").count > 40)
  }

  private static func stems(under folder: String) throws -> [String] {
    try Repository.modelStems(under: folder).filter { Repository.arrayFile($0 + ".input") != nil }
  }

  private func load(_ stem: String) throws -> LoadedModel {
    try ModelLoader.load(path: Repository.path(stem + ".yaml"))
  }

  private func compare(_ stem: String, float32Tolerance: Double) throws {
    let model = try #require(try load(stem).model)
    let inputs = try arrays(stem + ".input", names: model.inputs.map(\.name))
    let expected = try arrays(stem + ".output", names: model.outputs.map(\.name))
    let results = try Network(model).run(inputs.map { $0.converted(to: model.elementType) })
    try #require(results.count == expected.count)
    let tolerance = model.elementType == .float64 ? 1e-12 : float32Tolerance
    for (output, (result, expected)) in zip(model.outputs, zip(results, expected)) {
      #expect(result.shape == expected.shape, "\(output.name)")
      #expect(result.elementType == model.elementType)
      let pairs = zip(result.converted(to: Double.self).elements, expected.converted(to: Double.self).elements)
      let worst = pairs.map { abs($0 - $1) / (1 + abs($1)) }.max() ?? 0
      #expect(worst <= tolerance, "\(output.name) is off by \(worst)")
    }
  }

  /// The arrays of a file, in the order of `names`.
  private func arrays(_ path: String, names: [String]) throws -> [AnyTensor] {
    switch try ArrayFile(FilePath(try #require(Repository.arrayFile(path)))) {
    case .array(let source): [try source.read(as: .float64)]
    case .archive(let archive): try names.map { try archive.read($0, as: .float64) }
    }
  }
}

extension AnyTensor {
  fileprivate func converted(to elementType: ElementType) -> AnyTensor {
    switch elementType {
    case .float32: .float32(converted(to: Float.self))
    case .float64: .float64(converted(to: Double.self))
    }
  }
}
