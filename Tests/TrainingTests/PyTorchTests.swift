import Foundation
import Layers
import ModelFile
import Testing
import Training

/// What PyTorch made of the same networks; `Fixtures/make_pytorch.py` says how.
private struct Fixture: Decodable {
  struct Case: Decodable {
    let losses: [Double]
    let rates: [Double]
    let parameters: [String: [Double]]
  }

  let source: String
  let cases: [String: Case]

  static let shared: Fixture = {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
      "Fixtures/pytorch.json")
    do {
      return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: path))
    } catch {
      return Fixture(source: "\(error)", cases: [:])
    }
  }()
}

@Suite("The same numbers as PyTorch")
struct PyTorchTests {
  private func perceptron(_ dtype: String, _ training: String) throws -> Model {
    try model(
      """
      nnrun: 1
      dtype: \(dtype)
      inputs: {x: {shape: [N, 3]}}
      layers:
        - {name: hidden, type: dense, activation: tanh, weight: \(yaml([4, 3], wave([4, 3], 0.1))), bias: \(yaml(wave([4], 0.2)))}
        - {name: out, type: dense, weight: \(yaml([2, 4], wave([2, 4], 0.3))), bias: \(yaml(wave([2], 0.4)))}
      training: {loss: mse, batch-size: full, shuffle: false, epochs: 20, \(training)}
      """)
  }

  static let settings = [
    "sgd": "optimizer: sgd, learning-rate: 0.05",
    "sgd decay": "optimizer: {type: sgd, weight-decay: 0.1}, learning-rate: 0.05",
    "sgd momentum": "optimizer: {type: sgd, momentum: 0.9, weight-decay: 0.01}, learning-rate: 0.05",
    "sgd nesterov": "optimizer: {type: sgd, momentum: 0.9, nesterov: true, weight-decay: 0.01}, learning-rate: 0.05",
    "adam": "optimizer: adam, learning-rate: 0.05",
    "adam decay":
      "optimizer: {type: adam, beta1: 0.8, beta2: 0.95, epsilon: 1e-4, weight-decay: 0.1}, learning-rate: 0.05",
    "adamw": "optimizer: adamw, learning-rate: 0.05",
    "adamw decay": "optimizer: {type: adamw, weight-decay: 0.1}, learning-rate: 0.05",
    "step": "learning-rate: {type: step, initial: 0.05, every: 6, factor: 0.3}",
    "cosine": "learning-rate: {type: cosine, initial: 0.05, final: 0.001}",
    "linear": "learning-rate: {type: linear, initial: 0.05, final: 0.01}",
    "cosine warmup": "learning-rate: {type: cosine, initial: 0.05, final: 0.001, warmup: 4}",
    "clip": "optimizer: {type: sgd, momentum: 0.9, weight-decay: 0.01}, learning-rate: 0.05, clip-norm: 0.3",
  ]

  @Test("twenty steps of every optimiser and schedule", arguments: settings.keys.sorted(), ["float64", "float32"])
  func twentySteps(name: String, dtype: String) throws {
    let expected = try #require(Fixture.shared.cases["\(dtype) \(name)"], "\(Fixture.shared.source)")
    let model = try perceptron(dtype, Self.settings[name] ?? "")
    let outcome = try train(
      model, source([8, 3], wave([8, 3], 0.5)), target: source([8, 2], wave([8, 2], 0.6)))
    let tolerance = dtype == "float64" ? 1e-12 : 1e-5
    #expect(distance(outcome.history.map(\.loss), expected.losses) < tolerance)
    let configuration = TrainingConfiguration(model)
    let rates = (0..<20).map { configuration.learningRate.rate(epoch: $0, of: 20) }
    #expect(distance(rates, expected.rates) < 1e-14)
    for (path, values) in expected.parameters {
      #expect(distance(try model.value(path, in: outcome), values) < tolerance, "\(path)")
    }
  }

  @Test(
    "convolutions, batch normalisation, pooling and cross-entropy, in ragged batches",
    arguments: ["float64", "float32"])
  func images(dtype: String) throws {
    let expected = try #require(Fixture.shared.cases["\(dtype) images"], "\(Fixture.shared.source)")
    let model = try model(
      """
      nnrun: 1
      dtype: \(dtype)
      inputs: {x: {shape: [N, 2, 7, 6]}}
      layers:
        - {name: conv, type: conv2d, padding: 1, bias: false, weight: \(yaml([4, 2, 3, 3], wave([72], 0.1, scale: 0.3)))}
        - {name: bn, type: batchnorm}
        - {name: relu, type: relu}
        - {name: pool, type: maxpool, kernel: 2}
        - name: group
          type: conv2d
          padding: 1
          stride: 2
          groups: 2
          weight: \(yaml([6, 2, 3, 3], wave([108], 0.2, scale: 0.3)))
          bias: \(yaml(wave([6], 0.3, scale: 0.1)))
        - {name: relu2, type: relu}
        - {name: gap, type: gap}
        - {name: scores, type: dense, weight: \(yaml([3, 6], wave([18], 0.4))), bias: \(yaml(wave([3], 0.5)))}
      training:
        loss: cross-entropy
        optimizer: {type: sgd, momentum: 0.9, weight-decay: 1e-3}
        learning-rate: 0.1
        batch-size: 4
        shuffle: false
        epochs: 5
      """)
    let shape = [10, 2, 7, 6]
    let outcome = try train(
      model, source(shape, wave(shape, 0.6)), target: labels((0..<10).map { $0 * $0 % 3 }))
    let tolerance = dtype == "float64" ? 1e-11 : 1e-3
    #expect(distance(outcome.history.map(\.loss), expected.losses) < tolerance)
    let names = ["gamma": "weight", "beta": "bias", "mean": "running_mean", "variance": "running_var"]
    for (index, parameter) in model.parameters.enumerated() {
      let name = parameter.declaration.name
      let path = parameter.path.dropLast(name.count) + (names[name] ?? name)
      let values = try #require(expected.parameters[String(path)])
      #expect(distance(doubles(outcome.parameters[index]), values) < tolerance, "\(path)")
    }
  }
}
