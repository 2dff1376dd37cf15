import Diagnostics
import Files
import Foundation
import ModelFile
import Tensors
import Testing

@testable import Training

/// The notebook's neuron in double precision.
private func neuron(weight: String = "[[0.1, -0.2]]", epochs: Int = 2) throws -> Model {
  try model(
    """
    nnrun: 1
    dtype: float64
    inputs: {x: {shape: [N, 2]}}
    layers: [{name: neuron, type: dense-sigmoid, weight: \(weight), bias: [0.0]}]
    training: {learning-rate: 0.1, batch-size: full, shuffle: false, epochs: \(epochs)}
    """)
}

/// A small network with everything that has a state: batch normalisation, dropout, momentum.
private func stateful(_ training: String = "") throws -> Model {
  try model(
    """
    nnrun: 1
    inputs: {x: {shape: [N, 3]}}
    layers:
      - {name: first, type: dense, units: 5, activation: relu}
      - {name: bn, type: batchnorm}
      - {name: dropout, type: dropout, rate: 0.3}
      - {name: last, type: dense-sigmoid, units: 2}
    training: {optimizer: {type: adam}, learning-rate: 0.05, batch-size: 4, epochs: 10, seed: 3\(training)}
    """)
}

/// A small convolutional network with batch normalisation, a residual, pooling and dropout.
private func images(dtype: String = "float32") throws -> Model {
  try model(
    """
    nnrun: 1
    dtype: \(dtype)
    inputs: {x: {shape: [N, 2, 6, 5]}}
    layers:
      - {name: stem, type: conv2d, filters: 6, kernel: 3, padding: 1, weight: \(yaml([6, 2, 3, 3], wave([108], 0.2, scale: 0.3)))}
      - name: block
        type: residual
        body:
          - {name: conv, type: conv2d, kernel: 3, padding: same, groups: 2, bias: false, weight: \(yaml([6, 3, 3, 3], wave([162], 0.3, scale: 0.2)))}
          - {name: bn, type: batchnorm}
      - {name: pool, type: maxpool, kernel: 2}
      - {name: dropout, type: dropout, rate: 0.2}
      - {name: gap, type: gap}
      - {name: scores, type: dense, weight: \(yaml([3, 6], wave([18], 0.4)))}
    training: {loss: cross-entropy, optimizer: adam, batch-size: 4, epochs: 3}
    """)
}

private let rows = source([10, 3], wave([10, 3], 0.5))
private let goals = source([10, 2], wave([10, 2], 0.6).map { abs($0) })

@Suite("Training")
struct TrainingTests {
  @Test("the notebook's neuron learns what the notebook prints, after two epochs and after three")
  func notebook() throws {
    let two = try neuron()
    let outcome = try train(
      two, source([3, 2], [1, 2, 2, 1, -1, -2]), target: source([3, 1], [1, 0, 0]))
    #expect(distance(outcome.history.map(\.loss), [0.3033, 0.2942]) < 5e-5)
    #expect(distance(try two.value("neuron.weight", in: outcome), [0.1035744, -0.14254396]) < 5e-9)
    #expect(distance(try two.value("neuron.bias", in: outcome), [-0.016719880375037202]) < 1e-15)
    let three = try neuron(weight: "[[0.5, -0.2]]", epochs: 3)
    let second = try train(three, source([3, 2], [1, 2, 2, 3, 3, 1]), target: source([3, 1], [1, 0, 1]))
    #expect(distance(second.history.map(\.loss), [0.21, 0.2087, 0.2076]) < 5e-5)
    #expect(distance(try three.value("neuron.weight", in: second), [0.4892, -0.2301]) < 5e-5)
    #expect(distance(try three.value("neuron.bias", in: second), [0.0029]) < 5e-5)
  }

  @Test("training twice gives the same bits; another seed gives others")
  func determinism() throws {
    let model = try stateful()
    let first = try train(model, rows, target: goals)
    #expect(try train(model, rows, target: goals).parameters == first.parameters)
    #expect(try train(model, rows, target: goals) { $0.seed = 4 }.parameters != first.parameters)
    #expect(first.history[9].loss < first.history[0].loss)
  }

  @Test("the same bits from one, two and four threads, over images")
  func threads() throws {
    let model = try images()
    let shape = [9, 2, 6, 5]
    let outcomes = try [1, 2, 4].map { count in
      var options = TrainingOptions()
      options.threads = count
      return try train(
        model, source(shape, wave(shape, 0.6)), target: labels((0..<9).map { $0 % 3 }), options: options)
    }
    #expect(outcomes[1].parameters == outcomes[0].parameters && outcomes[1].history == outcomes[0].history)
    #expect(outcomes[2].parameters == outcomes[0].parameters && outcomes[2].history == outcomes[0].history)
  }

  @Test("single precision by the engine learns what double precision by the plain evaluation does")
  func precision() throws {
    let shape = [9, 2, 6, 5]
    let outcomes = try ["float32", "float64"].map { type in
      try train(
        images(dtype: type), source(shape, wave(shape, 0.6)), target: labels((0..<9).map { $0 % 3 })
      ) {
        $0.epochs = 2
      }
    }
    for (single, double) in zip(outcomes[0].parameters, outcomes[1].parameters) {
      #expect(distance(doubles(single), doubles(double)) < 1e-4)
    }
  }

  @Test("inputs of ten thousand give no NaN under a cross-entropy", arguments: ["sigmoid", "softmax"])
  func extremes(activation: String) throws {
    let loss = activation == "sigmoid" ? "binary-cross-entropy" : "cross-entropy"
    let model = try model(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 2]}}
      layers: [{name: out, type: dense, weight: [[1, 0], [0, 1]], bias: [0, 0], activation: \(activation)}]
      training: {loss: \(loss), learning-rate: 1e-9}
      """)
    let outcome = try train(model, source([2, 2], [1e4, -1e4, -1e4, 1e4]), target: source([2, 2], [0, 1, 1, 0]))
    #expect(outcome.history[0].loss == (activation == "sigmoid" ? 10_000 : 20_000))
  }

  @Test("five epochs and five more from the checkpoint are ten, to the bit", arguments: ["adam", "adamw", "sgd"])
  func resumption(optimizer: String) throws {
    let model = try stateful()
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("checkpoint-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let kind = try #require(OptimizerConfiguration.Kind(rawValue: optimizer))
    func configure(_ configuration: inout TrainingConfiguration) {
      configuration.optimizer = OptimizerConfiguration(kind: kind)
      if kind == .sgd { configuration.optimizer.momentum = 0.9 }
    }
    let whole = try train(model, rows, target: goals, change: configure)
    var options = TrainingOptions()
    options.checkpoint = path
    let half = try train(model, rows, target: goals, options: options) {
      configure(&$0)
      $0.epochs = 5
    }
    #expect(half.history.count == 5)
    options.resumes = true
    let rest = try train(model, rows, target: goals, options: options, change: configure)
    #expect(rest.parameters == whole.parameters)
    #expect(rest.history == whole.history)
    #expect(throws: Failure.self) {
      try train(model, rows, target: goals, options: options) {
        configure(&$0)
        $0.seed = 99
      }
    }
  }

  @Test("a checkpoint to resume from has to be there")
  func missingCheckpoint() throws {
    var options = TrainingOptions()
    options.checkpoint = "/nowhere/checkpoint"
    options.resumes = true
    let error = #expect(throws: Failure.self) { try train(try stateful(), rows, target: goals, options: options) }
    #expect(error?.kind == .cannotRead)
  }

  @Test("single steps, as they are timed, are the steps of training")
  func singleSteps() throws {
    let model = try neuron()
    let data = try TrainingData(
      model, inputs: [source([3, 2], [1, 2, 2, 1, -1, -2])], targets: [0: source([3, 1], [1, 0, 0])])
    let trainer = try Trainer(model, configuration: TrainingConfiguration(model), data: data)
    let stepper = try TrainingStepper(trainer)
    let losses = [try stepper.step(), try stepper.step()]
    #expect(losses == (try trainer.run().history.map(\.loss)))
    let together = try TrainingStepper(trainer)
    #expect(try together.step(times: 2) == losses[1])
    #expect(together.stepCount == 2)
  }

  @Test("a history is a table with a heading")
  func history() throws {
    let model = try neuron()
    let x = source([3, 2], [1, 2, 2, 1, -1, -2])
    var options = TrainingOptions()
    options.validation = try TrainingData(model, inputs: [x], targets: [0: source([3, 1], [0, 1, 1])])
    let outcome = try train(model, x, target: source([3, 1], [1, 0, 0]), options: options)
    let lines = historyCSV(outcome.history, metrics: outcome.metrics, hasValidation: true).split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines[0] == "epoch,loss,accuracy,validation_loss,validation_accuracy")
    #expect(lines[1].hasPrefix("1,0.3033"))
  }

  @Test("an interruption ends training after the step, with what was learnt")
  func interruption() throws {
    let model = try stateful()
    let data = try TrainingData(model, inputs: [rows], targets: [0: goals])
    let trainer = try Trainer(model, configuration: TrainingConfiguration(model), data: data)
    var steps = 0
    let outcome = try trainer.run(
      report: { if case .step = $0 { steps += 1 } }, isInterrupted: { steps == 4 })
    #expect(outcome.end == .interrupted(epoch: 2, steps: 1))
    #expect(steps == 4)
    #expect(outcome.history.count == 1)
    #expect(outcome.parameters[0] != (try model.value(of: 0)))
  }

  @Test("a loss that is not finite ends training and names the epoch and the step")
  func divergence() throws {
    let model = try model(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 1]}}
      layers: [{name: out, type: dense, weight: [[1.0]], bias: [0.0]}]
      training: {learning-rate: 1e10, batch-size: 1, shuffle: false, epochs: 9}
      """)
    let error = #expect(throws: Failure.self) {
      try train(model, source([3, 1], [1, 2, 3]), target: source([3, 1], [3, 2, 1]))
    }
    #expect(error?.kind == .checkFailed)
    #expect(error?.message.contains("epoch 1, step 3") == true, "\(error?.message ?? "")")
  }

  @Test("patience ends training, and the best parameters are those of the best epoch")
  func patience() throws {
    let model = try neuron(epochs: 100)
    let x = source([3, 2], [1, 2, 2, 1, -1, -2])
    // The validation wants the opposite of what is learnt, so its loss only grows.
    var options = TrainingOptions()
    options.validation = try TrainingData(model, inputs: [x], targets: [0: source([3, 1], [0, 1, 1])])
    options.patience = 3
    options.keepsBest = true
    let outcome = try train(model, x, target: source([3, 1], [1, 0, 0]), options: options)
    #expect(outcome.end == .outOfPatience)
    #expect(outcome.history.count == 4)
    let one = try train(model, x, target: source([3, 1], [1, 0, 0])) { $0.epochs = 1 }
    #expect(outcome.parameters == one.parameters)
  }

  @Test("what is frozen keeps its bits, running statistics included, and the rest learns")
  func freezing() throws {
    let model = try stateful(", freeze: [bn, \"fir*.weight\"]")
    #expect(trainingDiagnostics(of: model).isEmpty)
    let outcome = try train(model, rows, target: goals)
    for (index, parameter) in model.parameters.enumerated() {
      let isFrozen = parameter.path.hasPrefix("bn.") || parameter.path == "first.weight"
      #expect((outcome.parameters[index] == (try model.value(of: index))) == isFrozen, "\(parameter.path)")
    }
  }

  @Test("running statistics of a batch of one: the mean moves, a variance that there is not leaves the running one")
  func singleRow() throws {
    let model = try stateful()
    let outcome = try train(model, source([1, 3], [1, 2, 3]), target: source([1, 2], [0, 1])) { $0.epochs = 1 }
    #expect(try model.value("bn.variance", in: outcome) == [1, 1, 1, 1, 1])
  }

  @Test("a shared parameter is one, and moves by the sum of its gradients")
  func sharing() throws {
    let shared = try model(
      """
      nnrun: 1
      dtype: float64
      inputs: {x: {shape: [N, 1]}}
      layers:
        - {name: a, type: dense, bias: false, weight: &w [[2.0]]}
        - {name: b, type: dense, bias: false, weight: *w}
      training: {learning-rate: 0.001, batch-size: full, epochs: 1}
      """)
    let outcome = try train(shared, source([1, 1], [3]), target: source([1, 1], [2]))
    // 2 - 0.001 * d/dw (3 w^2 - 2)^2 at w = 2.
    #expect(outcome.parameters.count == 1)
    #expect(abs(doubles(outcome.parameters[0])[0] - (2 - 0.24)) < 1e-12)
  }

  @Test("with several outputs the loss is the sum over those that have a target")
  func severalOutputs() throws {
    let model = try model(
      """
      nnrun: 1
      dtype: float64
      inputs: {x: {shape: [N, 1]}}
      layers:
        - {name: a, type: dense, input: x, bias: false, weight: [[1.0]]}
        - {name: b, type: dense, input: x, bias: false, weight: [[1.0]]}
      outputs: [a, b]
      training: {learning-rate: 0.1, batch-size: full, epochs: 1}
      """)
    let x = source([2, 1], [1, 2])
    let data = try TrainingData(
      model, inputs: [x], targets: [0: source([2, 1], [0, 0]), 1: source([2, 1], [1, 3])])
    let both = try Trainer(model, configuration: TrainingConfiguration(model), data: data).run()
    #expect(both.history[0].loss == 2.5 + 0.5)
    let one = try train(model, x, target: source([2, 1], [0, 0]))
    #expect(one.history[0].loss == 2.5)
    #expect(one.parameters[1] == (try model.value(of: 1)))
  }
}
