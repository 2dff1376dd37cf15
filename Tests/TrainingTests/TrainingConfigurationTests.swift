import Diagnostics
import ModelFile
import Testing

@testable import Training

@Suite("The training section")
struct TrainingConfigurationTests {
  @Test("every default is the format's")
  func defaults() throws {
    let model = try model(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 1]}}
      layers: [{name: out, type: relu}]
      """)
    let configuration = TrainingConfiguration(model)
    #expect(configuration == TrainingConfiguration())
    #expect(configuration.loss == .mse && configuration.optimizer.kind == .sgd && configuration.epochs == 1)
    #expect(configuration.batchSize == .rows(32) && configuration.shuffles && configuration.seed == 0)
    #expect(configuration.learningRate == .constant(0.01) && configuration.clipNorm == nil)
  }

  @Test(
    "losses that do not suit the output, and paths that freeze nothing, are diagnosed where they stand",
    arguments: [
      ("loss: binary-cross-entropy", "training-loss", "binary-cross-entropy"),
      ("freeze: [out, oot]", "unmatched-freeze", "oot"),
      ("freeze: [\"o*t.weight\", out.scale]", "unmatched-freeze", "out.scale"),
    ])
  func diagnostics(training: String, code: String, place: String) throws {
    let model = try model(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 1]}}
      layers: [{name: out, type: dense, units: 2}]
      training: {\(training)}
      """)
    let diagnostics = trainingDiagnostics(of: model)
    #expect(diagnostics.map(\.code.rawValue) == [code])
    let range = try #require(diagnostics.first?.place.range)
    #expect(String(decoding: model.source.bytes[range.start..<range.end], as: UTF8.self) == place)
  }

  @Test("a cross-entropy over an image is diagnosed")
  func rank() throws {
    let model = try model(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 1, 2, 2]}}
      layers: [{name: out, type: relu}]
      training: {loss: cross-entropy}
      """)
    #expect(trainingDiagnostics(of: model).map(\.code) == [.trainingLoss])
  }

  @Test(
    "a star stands for any characters, and a path freezes what is under it",
    arguments: [
      ("block", "block.conv.weight", true), ("block.conv", "block.conv.weight", true), ("blo", "block.conv", false),
      ("*", "a.b", true), ("b*v", "block.conv.weight", true), ("*.weight", "block.conv.weight", true),
      ("*.weight", "block.conv.bias", false), ("*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaac", false), ("", "a", false),
    ])
  func patterns(pattern: String, path: String, freezes: Bool) {
    #expect(FreezePattern(pattern).freezes(path) == freezes)
  }
}

@Suite("What a command line puts in place of the training section")
struct TrainingOverridesTests {
  @Test("another optimiser begins with its own defaults, a rate replaces a schedule")
  func replacement() throws {
    var written = TrainingConfiguration()
    written.optimizer.momentum = 0.9
    written.optimizer.weightDecay = 0.1
    written.learningRate = .schedule(.init(initial: 1, curve: .linear(final: 0)))
    var overrides = TrainingOverrides()
    overrides.optimizer = .adam
    overrides.beta1 = 0.5
    overrides.learningRate = 0.25
    let result = try written.replacing(overrides)
    #expect(result.optimizer.momentum == 0 && result.optimizer.weightDecay == 0 && result.optimizer.beta1 == 0.5)
    #expect(result.learningRate == .constant(0.25))
    #expect(try written.replacing(TrainingOverrides()) == written)
  }

  @Test("settings that the optimiser has not, and numbers out of range, are wrong usage")
  func errors() {
    for change: (inout TrainingOverrides) -> Void in [
      { $0.beta1 = 0.5 }, { $0.learningRate = -1 }, { $0.learningRate = .nan }, { $0.epochs = 0 },
      { $0.batchSize = .rows(0) }, { $0.clipNorm = 0 },
      {
        $0.optimizer = .adamw; $0.momentum = 0.5
      },
    ] {
      var overrides = TrainingOverrides()
      change(&overrides)
      let error = #expect(throws: Failure.self) { try TrainingConfiguration().replacing(overrides) }
      #expect(error?.kind == .usage)
    }
  }
}
