import Diagnostics
import Files
import ModelFile
import Tensors

/// All that a training run carries from one epoch to the next; a checkpoint holds just this.
///
/// Shuffling and dropout draw from the seed, the epoch and the step, so that no state of a generator is needed.
struct TrainingState<Scalar: TensorScalar> {
  /// Every parameter of the model, by index.
  var parameters: [Tensor<Scalar>] = []
  var optimizer: Optimizer<Scalar>
  private(set) var history: TrainingHistory
  /// The best loss so far, its epoch counted from 1, and the parameters after that epoch where they are kept.
  private(set) var best: (loss: Double, epoch: Int)?
  private(set) var bestParameters: [Tensor<Scalar>]?
  /// The steps done of the epoch that is under way.
  var stepsOfEpoch = 0

  /// The state to begin with: the model's parameters, or what the checkpoint holds.
  init(_ trainer: Trainer) throws(Failure) {
    let model = trainer.model
    history = TrainingHistory(metricCount: trainer.metrics.count)
    optimizer = Optimizer(trainer.configuration.optimizer, counts: model.parameters.indices.map { _ in 0 })
    if trainer.options.resumes, let path = trainer.options.checkpoint {
      try Checkpoint(reading: FilePath(path), trainer.options.communicator).restore(&self, for: trainer)
      return
    }
    for index in model.parameters.indices {
      parameters.append(try model.value(of: index).converted(to: Scalar.self))
    }
    optimizer = Optimizer(trainer.configuration.optimizer, counts: parameters.map(\.elements.count))
  }

  /// How many epochs have passed since the best one.
  var epochsSinceBest: Int { best.map { history.count - $0.epoch } ?? 0 }

  /// Adds an epoch's record with its validation, and keeps the parameters where they are the best so far.
  mutating func finishEpoch(_ record: EpochRecord, validation: Evaluation?, keepsBest: Bool) {
    let record = EpochRecord(
      epoch: record.epoch, loss: record.loss, metrics: record.metrics, validationLoss: validation?.loss,
      validationMetrics: validation?.metrics.map(\.value) ?? [])
    history.append(record)
    let loss = record.validationLoss ?? record.loss
    if best.map({ loss < $0.loss }) ?? true {
      best = (loss, record.epoch)
      if keepsBest { bestParameters = parameters }
    }
    stepsOfEpoch = 0
  }

  /// Makes room for the history of a long run.
  mutating func makeRoom(for epochs: Int) { history.makeRoom(for: epochs) }

  /// Adds epochs that followed one another without validation.
  mutating func finishEpochs(losses: [Double], metrics: [Double]) {
    var least = best?.loss ?? .infinity
    var place: Int?
    for index in losses.indices where losses[index] < least { (least, place) = (losses[index], index) }
    if let place { best = (least, history.count + place + 1) }
    history.append(losses: losses, metrics: metrics)
    stepsOfEpoch = 0
  }

  /// Takes the history of an earlier run, and with it what was best.
  mutating func restore(_ history: [EpochRecord], bestParameters: [Tensor<Scalar>]?) {
    for record in history {
      self.history.append(record)
      let loss = record.validationLoss ?? record.loss
      if best.map({ loss < $0.loss }) ?? true { best = (loss, record.epoch) }
    }
    self.bestParameters = bestParameters
  }
}
