import Communication
import Diagnostics
import Engine
import Foundation
import Graph
import ModelFile
import TestSupport
import Tensors
import Testing

@testable import Training

/// A model to be trained by several ranks, and rows for it.
private struct Case: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let text: String
  /// The shape of a row.
  let row: [Int]
  let rows: Int
  /// The classes of the target; 0 for numbers.
  let classes: Int
  /// Whether ranks have anything to bring together in a step.
  var exchanges = true

  static func all() -> [Case] { [convolutions, wide, perceptrons, numbers, neuron, double] }

  /// Convolutions of all kinds, normalisation, dropout and a residual: all that mixes rows or draws by them; with a ragged
  /// last batch of five rows.
  static let convolutions = Case(
    testDescription: "convolutions and normalisation",
    text: """
      nnrun: 1
      inputs: {x: {shape: [N, 3, 8, 8]}}
      layers:
        - {name: conv, type: conv2d, filters: 16, kernel: 3, padding: 1, bias: false}
        - {name: norm, type: batchnorm}
        - {name: act, type: relu}
        - name: block
          type: residual
          body:
            - {name: conv1, type: conv2d, filters: 16, kernel: 3, padding: 1}
            - {name: bn1, type: batchnorm}
            - {name: relu1, type: relu}
            - {name: deep, type: conv2d, filters: 16, kernel: 3, padding: 1, groups: 16}
        - {name: pool, type: maxpool, kernel: 2, stride: 2}
        - {name: down, type: conv2d, filters: 24, kernel: 1, stride: 2}
        - {name: norm2, type: batchnorm}
        - {name: flat, type: flatten}
        - {name: drop, type: dropout, rate: 0.3}
        - {name: scores, type: dense, units: 3}
      training: {loss: cross-entropy, optimizer: {type: sgd, momentum: 0.9}, learning-rate: 0.01, batch-size: 16, epochs: 2,
        shuffle: true, seed: 7, clip-norm: 1.5}
      """, row: [3, 8, 8], rows: 37, classes: 3)

  /// So many images that sums have as many pieces as there are, of weights large enough to go round by halves.
  static let wide = Case(
    testDescription: "weights that go round by halves",
    text: """
      nnrun: 1
      inputs: {x: {shape: [N, 8, 12, 12]}}
      layers:
        - {name: conv, type: conv2d, filters: 32, kernel: 3, padding: 1}
        - {name: act, type: relu}
        - {name: conv2, type: conv2d, filters: 32, kernel: 3, padding: 1}
        - {name: act2, type: tanh}
        - {name: pool, type: gap}
        - {name: scores, type: dense, units: 4}
      training: {loss: cross-entropy, optimizer: adam, learning-rate: 0.01, batch-size: 67, epochs: 1}
      """, row: [8, 12, 12], rows: 67, classes: 4)

  /// Dense layers whose gradients are one sum, and a normalisation that has no kernel.
  static let perceptrons = Case(
    testDescription: "dense layers",
    text: """
      nnrun: 1
      inputs: {x: {shape: [N, 20]}}
      layers:
        - {name: hidden, type: dense, units: 40}
        - {name: norm, type: batchnorm}
        - {name: act, type: relu}
        - {name: more, type: dense-sigmoid, units: 33}
        - {name: scores, type: dense, units: 5}
      training: {loss: cross-entropy, optimizer: adamw, learning-rate: 0.01, batch-size: 12, epochs: 3, shuffle: true}
      """, row: [20], rows: 41, classes: 5)

  /// A regression, whose metric is a sum of numbers, on more rows than a perceptron's kernel takes.
  static let numbers = Case(
    testDescription: "a regression",
    text: """
      nnrun: 1
      inputs: {x: {shape: [N, 6]}}
      layers:
        - {name: hidden, type: dense, units: 300, activation: tanh}
        - {name: out, type: dense, units: 64}
      training: {loss: mse, learning-rate: 0.01, batch-size: 200, epochs: 2}
      """, row: [6], rows: 450, classes: 0)

  /// So little that every rank does all of it.
  static let neuron = Case(
    testDescription: "a neuron",
    text: """
      nnrun: 1
      inputs: {x: {shape: [N, 3]}}
      layers: [{name: y, type: dense-sigmoid, units: 1}]
      training: {loss: mse, learning-rate: 0.5, batch-size: full, epochs: 130}
      """, row: [3], rows: 9, classes: 0, exchanges: false)

  static let double = Case(
    testDescription: "double precision",
    text: perceptrons.text.replacingOccurrences(of: "nnrun: 1\n", with: "nnrun: 1\ndtype: float64\n"), row: [20],
    rows: 41, classes: 5, exchanges: false)

  /// Trains, with the last rows for validation.
  func train(
    _ communicator: Communicator?, sums: BatchShare.Sums = .ofPieces, checkpoint: String? = nil, epochs: Int? = nil,
    isInterrupted: () -> Bool = { false }
  ) throws -> TrainingOutcome {
    let model = try model(text)
    var configuration = TrainingConfiguration(model)
    if let epochs { configuration.epochs = epochs }
    let x = source([rows] + row, wave([rows] + row, 0.3))
    let width = try #require(model.outputs[0].shape.last?.value)
    let target =
      classes > 0
      ? try labels((0..<rows).map { $0 * 7 % classes })
      : source([rows, width], wave([rows, width], 0.1).map { 0.5 + 0.5 * $0 }, name: "y.npy")
    let data = try TrainingData(model, inputs: [x], targets: [0: target]).split(validationShare: 0.1)
    var options = TrainingOptions()
    options.threads = 1
    options.communicator = communicator
    options.sums = sums
    options.validation = data.validation
    if let checkpoint {
      options.checkpoint = checkpoint
      options.resumes = fileExists(checkpoint)
    }
    return try Trainer(model, configuration: configuration, data: data.training, options: options)
      .run(isInterrupted: isInterrupted)
  }

  private func fileExists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
}

/// What training wrote, each part as a number that other bits change.
private func bits(_ outcome: TrainingOutcome) -> [UInt64] {
  let parts = outcome.parameters.map(\.littleEndianBytes) + outcome.history.map { Array("\($0)".utf8) }
  return parts.map { $0.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 } }
}

@Suite("Training by the ranks of a job")
struct RanksTests {
  @Test("writes the bits of a single process for every number of ranks", arguments: Case.all())
  fileprivate func sameBits(_ what: Case) throws {
    let alone = bits(try what.train(nil))
    for ranks in [2, 3, 4, 9] {
      let results = try atRanks(ranks) { (bits(try what.train($0)), $0.traffic.bytes) }
      for result in results { #expect(result.0 == alone, "\(ranks) ranks") }
    }
  }

  @Test("shares the rows of a step, but not of one that is less work than an exchange", arguments: Case.all())
  fileprivate func sharing(_ what: Case) throws {
    let bytes = try atRanks(2) { communicator in
      _ = try what.train(communicator, epochs: 1)
      let first = communicator.traffic.bytes
      _ = try what.train(communicator, epochs: 3)
      return communicator.traffic.bytes - 2 * first
    }
    // Two more epochs; without exchanges in steps only ends, paces and the validation's numbers are sent.
    #expect((bytes[0] > 4000) == what.exchanges, "\(bytes[0]) bytes")
  }

  @Test("with a sum of each rank, comes near to the same, and to the same at all ranks", arguments: Case.all())
  fileprivate func sumsOfRanks(_ what: Case) throws {
    let alone = try what.train(nil)
    for ranks in [3, 9] {
      let results = try atRanks(ranks) { communicator in
        let outcome = try what.train(communicator, sums: .ofRanks)
        return (bits(outcome), outcome.parameters.map(doubles))
      }
      for result in results { #expect(result.0 == results[0].0) }
      for (a, b) in zip(alone.parameters, results[0].1) { #expect(distance(doubles(a), b) < 0.05, "\(ranks) ranks") }
    }
  }

  @Test("goes on from a checkpoint on another number of ranks")
  func resumption() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ranks-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let checkpoint = folder.appendingPathComponent("state").path
    let whole = bits(try Case.convolutions.train(nil, epochs: 4))
    for (ranks, epochs) in [(2, 1), (3, 2), (4, 3)] {
      _ = try atRanks(ranks) { bits(try Case.convolutions.train($0, checkpoint: checkpoint, epochs: epochs)) }
    }
    #expect(bits(try Case.convolutions.train(nil, checkpoint: checkpoint, epochs: 4)) == whole)
  }

  @Test("finds what is wrong with the data whichever rank reads it")
  func badData() throws {
    let messages = try atRanks(3) { communicator in
      let model = try model(Case.perceptrons.text)
      var numbers = wave([12, 20], 0)
      numbers[9 * 20 + 3] = .nan
      let data = try TrainingData(
        model, inputs: [source([12, 20], numbers)], targets: [0: try labels((0..<12).map { $0 % 3 })])
      var options = TrainingOptions()
      options.communicator = communicator
      do {
        _ = try Trainer(model, configuration: TrainingConfiguration(model), data: data, options: options)
        return "nothing"
      } catch let failure as Failure {
        return failure.message
      }
    }
    for message in messages { #expect(message.contains("row 9, counted from 0"), "\(message)") }
  }

  @Test("stops all ranks after the same step where one is interrupted")
  func interruption() throws {
    let ends = try atRanks(4) { communicator in
      var asked = 0
      return try Case.perceptrons.train(
        communicator,
        isInterrupted: {
          asked += 1
          return communicator.rank == 2 && asked == 3
        }
      ).end
    }
    for end in ends { #expect(end == .interrupted(epoch: 1, steps: 2)) }
  }
}
