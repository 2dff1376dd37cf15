public import Diagnostics
public import ModelFile
public import Tensors
public import Training

extension Model {
  /// Trains on data and returns what came of it: `outcome.model` holds the new values, to be run, evaluated or saved.
  ///
  /// `configuration` stands in place of the model's `training` section. `report` is told of every step and epoch.
  /// `isInterrupted` is asked after every step; true ends training with what was learnt. By default that is when the
  /// surrounding task is cancelled.
  ///
  /// Throws `invalidData` before the first step where the data does not suit the model, and `checkFailed` where a loss
  /// or a parameter is not finite any more.
  public func train(
    on data: TrainingData, configuration: TrainingConfiguration? = nil, options: TrainingOptions = TrainingOptions(),
    report: (TrainingEvent) -> Void = { _ in }, isInterrupted: () -> Bool = { Task.isCancelled }
  ) throws(Failure) -> TrainingOutcome {
    let configuration = configuration ?? TrainingConfiguration(self)
    return try Trainer(self, configuration: configuration, data: data, options: options)
      .run(report: report, isInterrupted: isInterrupted)
  }

  /// The loss and the metrics over all rows of some data.
  ///
  /// `loss` stands in place of the model's own; `batchSize` is the largest number of rows at once, and `threads` the
  /// number of threads, by default one for each core. Throws where the data does not suit the model.
  public func evaluate(
    on data: TrainingData, loss: TrainingConfiguration.Loss? = nil, batchSize: Int? = nil, threads: Int? = nil
  ) throws(Failure) -> Evaluation {
    try Evaluation(
      self, data: data, loss: loss ?? TrainingConfiguration(self).loss, batchSize: batchSize, threads: threads)
  }
}

extension TrainingData {
  /// Arrays for the model's inputs and targets for its outputs, by name; there is a target for one output at least.
  ///
  /// Integers, one a row, are class labels. Throws `usage` where a name is wrong or missing, `invalidData` where a shape
  /// or a number of rows does not fit.
  public init(
    _ model: Model, inputs: [String: ArraySource], targets: [String: ArraySource]
  ) throws(Failure) {
    let inputs = try arrange(inputs, names: model.inputs.map(\.name), noun: "input").compactMap { $0 }
    let given = try arrange(targets, names: model.outputs.map(\.name), noun: "output", requiresAll: false)
    var targets: [Int: ArraySource] = [:]
    for (index, target) in given.enumerated() { targets[index] = target }
    try self.init(model, inputs: inputs, targets: targets)
  }

  /// An array for the model's only input and a target for its only output.
  ///
  /// Throws as `init(_:inputs:targets:)` does, and `usage` where the model has several.
  public init(_ model: Model, input: ArraySource, target: ArraySource) throws(Failure) {
    guard model.inputs.count == 1, model.outputs.count == 1 else {
      throw Failure(
        .usage,
        "the model has \(model.inputs.count) inputs and \(model.outputs.count) outputs; give the arrays by their names")
    }
    try self.init(model, inputs: [input], targets: [0: target])
  }
}
