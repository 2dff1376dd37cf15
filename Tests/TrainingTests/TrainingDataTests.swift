import Diagnostics
import ModelFile
import Testing

@testable import Training

@Suite("Data for training")
struct TrainingDataTests {
  private func classifier(_ training: String = "loss: cross-entropy") throws -> Model {
    try model(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 2]}}
      layers: [{name: scores, type: dense, weight: [[1, 0], [0, 1], [1, 1]], bias: [0, 0, 0]}]
      training: {\(training)}
      """)
  }

  @Test("labels and the rows of ones and zeros that they stand for train alike")
  func labelsAreDistributions() throws {
    let model = try classifier()
    let x = source([3, 2], [1, 2, 3, 4, 5, 6])
    let byLabel = try train(model, x, target: labels([2, 0, 1]))
    let byRow = try train(model, x, target: source([3, 3], [0, 0, 1, 1, 0, 0, 0, 1, 0]))
    #expect(byLabel.parameters == byRow.parameters)
    #expect(byLabel.metrics.map(\.name) == ["accuracy"])
  }

  @Test("a label out of range is an error that names its row")
  func labelOutOfRange() throws {
    let error = #expect(throws: Failure.self) {
      try train(try classifier(), source([3, 2], [1, 2, 3, 4, 5, 6]), target: labels([2, 3, -1]))
    }
    #expect(error?.kind == .invalidData)
    #expect(error?.message.contains("row 1") == true && error?.message.contains("label 3") == true)
  }

  @Test("a number that is not finite is an error that names its row", arguments: [Double.nan, .infinity, 1e300])
  func notFinite(value: Double) throws {
    let error = #expect(throws: Failure.self) {
      try train(try classifier(), source([3, 2], [1, 2, 3, 4, value, 6]), target: labels([2, 0, 1]))
    }
    #expect(error?.kind == .invalidData)
    #expect(error?.message.contains("row 2") == true)
  }

  @Test("row counts that differ are an error that names the first row without a partner")
  func rowCounts() throws {
    let error = #expect(throws: Failure.self) {
      try train(try classifier(), source([3, 2], [1, 2, 3, 4, 5, 6]), target: labels([2, 0]))
    }
    #expect(error?.kind == .invalidData)
    #expect(error?.message.contains("row 2") == true)
  }

  @Test("targets that fit no way are errors", arguments: [[3, 2], [3, 4], [3, 1], [3]])
  func targetShapes(shape: [Int]) throws {
    let error = #expect(throws: Failure.self) {
      try train(
        try classifier("loss: mse"), source([3, 2], [1, 2, 3, 4, 5, 6]),
        target: source(shape, [Double](repeating: 0, count: shape.reduce(1, *))))
    }
    #expect(error?.kind == .invalidData)
  }

  @Test("a cross-entropy's shares lie between 0 and 1")
  func shares() throws {
    let error = #expect(throws: Failure.self) {
      try train(
        try classifier(), source([2, 2], [1, 2, 3, 4]), target: source([2, 3], [0, 0.5, 0.5, 0, 2, 0]))
    }
    #expect(error?.message.contains("row 1") == true)
  }

  @Test("a column of targets fits one output")
  func column() throws {
    let model = try model(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 1]}}
      layers: [{name: out, type: dense, weight: [[1.0]], bias: [0.0]}]
      """)
    let x = source([2, 1], [1, 2])
    #expect(
      try train(model, x, target: source([2], [1, 0])).parameters
        == train(model, x, target: source([2, 1], [1, 0])).parameters)
    #expect(try train(model, x, target: labels([1, 0])).metrics.map(\.name) == ["mean_absolute_error"])
  }

  @Test("a row without the batch's axis trains as a batch of one")
  func singleRow() throws {
    let model = try classifier("loss: mse, learning-rate: 1")
    let batch = try train(model, source([1, 2], [1, 2]), target: source([1, 3], [0, 1, 0]))
    #expect(try train(model, source([2], [1, 2]), target: source([3], [0, 1, 0])).parameters == batch.parameters)
    #expect(try train(model, source([2], [1, 2]), target: labels([1])).parameters == batch.parameters)
  }

  @Test("everything frozen trains nothing, and says its loss all the same")
  func frozen() throws {
    let model = try classifier("freeze: [\"*\"]")
    let outcome = try train(model, source([1, 2], [1, 2]), target: source([1, 3], [0, 1, 0]))
    for index in model.parameters.indices { #expect(outcome.parameters[index] == (try model.value(of: index))) }
    #expect(outcome.history.count == 1)
  }

  @Test("a split keeps the last rows apart")
  func split() throws {
    let data = try TrainingData(
      try classifier(), inputs: [source([10, 2], wave([10, 2], 0))], targets: [0: source([10, 3], wave([10, 3], 0))])
    let (training, validation) = try data.split(validationShare: 0.2)
    #expect(training.range == 0..<8 && validation.range == 8..<10)
    #expect(throws: Failure.self) { try data.split(validationShare: 1) }
  }

  @Test("evaluation over ragged batches is the evaluation of all rows")
  func evaluation() throws {
    let model = try classifier("loss: mse")
    let data = try TrainingData(
      model, inputs: [source([7, 2], wave([7, 2], 0))], targets: [0: source([7, 3], wave([7, 3], 1))])
    let whole = try Evaluation(model, data: data, loss: .mse)
    let cut = try Evaluation(model, data: data, loss: .mse, batchSize: 3)
    #expect(abs(whole.loss - cut.loss) < 1e-6)
    #expect(whole.metrics[0].metric.name == "mean_absolute_error")
    #expect(abs(whole.metrics[0].value - cut.metrics[0].value) < 1e-6)
  }

  @Test("accuracy counts the largest scores, and with one score the side of one half")
  func accuracy() throws {
    let model = try classifier()
    let data = try TrainingData(
      model, inputs: [source([4, 2], [3, -1, -1, 3, 1, 1, 2, -1])], targets: [0: labels([0, 1, 2, 1])])
    #expect(try Evaluation(model, data: data, loss: .crossEntropy).metrics.map(\.value) == [0.75])
    let single = try self.single()
    let one = try TrainingData(single, inputs: [source([4, 1], [2, -2, 1, -1])], targets: [0: labels([1, 0, 0, 1])])
    #expect(try Evaluation(single, data: one, loss: .mse).metrics.map(\.value) == [0.5])
  }

  private func single() throws -> Model {
    try model(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 1]}}
      layers: [{name: out, type: dense-sigmoid, weight: [[1.0]], bias: [0.0]}]
      """)
  }
}
