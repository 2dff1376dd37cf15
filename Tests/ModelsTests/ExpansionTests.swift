import Diagnostics
import Files
import Foundation
import Graph
import ModelFile
import NNRun
import Tensors
import Testing

/// Every model of the repository with its blocks written out is the same model.
struct ExpansionTests {
  @Test(
    "a model written out is valid and costs the same", arguments: try Repository.modelStems(under: "models"))
  func costs(stem: String) throws {
    let path = Repository.path(stem + ".yaml")
    let model = try ModelLoader.load(path: path).valid()
    let expanded = try load(try model.expandedText(), besides: path)
    let (before, after) = (ModelSummary(model), ModelSummary(expanded))
    #expect(after.parameterCount == before.parameterCount)
    #expect(after.statisticCount == before.statisticCount)
    #expect(after.multiplyAdds?.value == before.multiplyAdds?.value)
    #expect(after.rows.map(\.shape) == before.rows.map(\.shape))
  }

  @Test(
    "a model written out computes the same",
    arguments: try Repository.modelStems(under: "models").filter { Repository.arrayFile($0 + ".input") != nil })
  func results(stem: String) throws {
    let path = Repository.path(stem + ".yaml")
    let model = try ModelLoader.load(path: path).valid()
    let text = try model.expandedText()
    // What a path draws is drawn otherwise under another path; the text says so.
    if text.contains("drawn otherwise") { return }
    let expanded = try load(text, besides: path)
    let inputs = try inputs(of: model, stem)
    let results = try Network(expanded).run(inputs)
    for (output, value) in zip(model.outputs, try Network(model).run(inputs)) {
      // Two names of one layer are one output of the model written out.
      let place = try #require(expanded.outputs.firstIndex { $0.layer == output.layer }, "\(output.name)")
      #expect(results[place].converted(to: Double.self) == value.converted(to: Double.self), "\(output.name)")
    }
  }

  private func load(_ text: String, besides path: String) throws -> Model {
    let loaded = ModelLoader.load(source: SourceText(name: path, bytes: Array(text.utf8)), path: path)
    #expect(loaded.diagnostics.isEmpty, "\(DiagnosticRenderer().render(loaded.diagnostics))")
    return try loaded.valid()
  }

  private func inputs(of model: Model, _ stem: String) throws -> [AnyTensor] {
    switch try ArrayFile(FilePath(try #require(Repository.arrayFile(stem + ".input")))) {
    case .array(let source): [try source.read(as: model.elementType)]
    case .archive(let archive): try model.inputs.map { try archive.read($0.name, as: model.elementType) }
    }
  }
}
