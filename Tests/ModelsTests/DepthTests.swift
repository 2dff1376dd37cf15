import Diagnostics
import Graph
import ModelFile
import NNRun
import Testing

/// Deeper networks of the same papers, by no other change than that of `repeat`.
struct DepthTests {
  @Test(
    "a CIFAR ResNet of n units a stage has the paper's number of parameters",
    arguments: [(3, 269_722), (5, 464_154), (7, 658_586), (9, 853_018), (18, 1_727_962)])
  func cifar(units: Int, parameters: Int) throws {
    let summary = try summary("models/cifar-resnet20/cifar-resnet20.yaml", ["repeat: 3": "repeat: \(units)"])
    #expect(summary.parameterCount == parameters)
    if units == 3 { #expect(summary.multiplyAdds?.value == 40_551_040) }
  }

  @Test("ResNet-18 and ResNet-34 have the paper's counts")
  func resnet34() throws {
    let eighteen = try summary("models/resnet18/resnet18.yaml", [:])
    #expect(eighteen.parameterCount == 11_689_512)
    #expect(eighteen.multiplyAdds?.value == 1_814_073_344)
    let deeper = try summary(
      "models/resnet18/resnet18.yaml",
      [
        "repeat: 2}": "repeat: 3}", "{channels: 128}}": "{channels: 128, more: 3}}",
        "{channels: 256}}": "{channels: 256, more: 5}}", "{channels: 512}}": "{channels: 512, more: 2}}",
      ])
    #expect(deeper.parameterCount == 21_797_672)
  }

  @Test("ResNet-50 has the paper's counts")
  func resnet50() throws {
    let summary = try summary("models/resnet50/resnet50.yaml", [:])
    #expect(summary.parameterCount == 25_557_032)
    #expect(summary.multiplyAdds?.value == 4_089_184_256)
  }

  @Test("a ResNet is one page", arguments: ["cifar-resnet20", "resnet18", "resnet50"])
  func onePage(name: String) throws {
    #expect(try Repository.text("models/\(name)/\(name).yaml").split(separator: "\n").count <= 75)
  }

  private func summary(_ path: String, _ changes: [String: String]) throws -> ModelSummary {
    var text = try Repository.text(path)
    for (old, new) in changes {
      try #require(text.contains(old), "\(old)")
      text.replace(old, with: new)
    }
    let source = SourceText(name: path, bytes: Array(text.utf8))
    let loaded = ModelLoader.load(source: source, path: Repository.path(path))
    return ModelSummary(try loaded.valid())
  }
}
