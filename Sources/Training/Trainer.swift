package import Communication
public import Diagnostics
package import Engine
import Files
import Layers
public import ModelFile
package import Tensors

/// What a training run does beside the model's `training` section.
public struct TrainingOptions: Sendable {
  /// The number of threads; by default one for each core.
  public var threads: Int?
  /// Rows to evaluate after every epoch.
  public var validation: TrainingData?
  /// After how many epochs without a better loss (the validation's, where there is one) training ends.
  public var patience: Int?
  /// Whether the parameters of the epoch with the best loss are the result, not the last ones.
  public var keepsBest = false
  /// Where the state is written after every epoch.
  public var checkpoint: String?
  /// Whether training goes on from that checkpoint.
  public var resumes = false
  /// The ranks of a job that train together; nil for this process alone.
  package var communicator: Communicator?
  /// How they add up what each has.
  package var sums = BatchShare.Sums.ofPieces

  /// No options.
  public init() {}
}

/// One epoch's numbers.
public struct EpochRecord: Sendable, Equatable {
  /// The epoch, counted from 1.
  public let epoch: Int
  /// The mean over the epoch's batches of the loss, each taken before its update.
  public let loss: Double
  /// The metrics over the epoch's rows, likewise.
  public let metrics: [Double]
  /// The validation's loss after the epoch.
  public let validationLoss: Double?
  /// The validation's metrics after the epoch.
  public let validationMetrics: [Double]
}

/// How far training is.
public struct TrainingProgress: Sendable {
  /// The epoch, counted from 1.
  public let epoch: Int
  /// The number of epochs.
  public let epochs: Int
  /// The step of the epoch, counted from 1, that is done.
  public let step: Int
  /// The number of steps of the epoch.
  public let steps: Int
  /// The rows of the epoch that are done.
  public let rows: Int
  /// The mean loss of the epoch's steps so far.
  public let loss: Double
  /// The metrics of the epoch's rows so far.
  public let metrics: [Double]
}

/// What training tells while it runs. Epochs that take next to no time are told of about twenty times a second; the
/// history has all of them.
public enum TrainingEvent: Sendable {
  /// Training is about to begin, and takes so many bytes beside the data.
  case planned(bytes: Int)
  /// A step is done.
  case step(TrainingProgress)
  /// An epoch is done.
  case epoch(EpochRecord)
  /// Training diverged, and is about to throw: the epochs that were done before.
  case diverged(TrainingHistory)
}

/// What training ended with.
public struct TrainingOutcome: Sendable {
  /// Why training ended.
  public enum End: Sendable, Equatable {
    /// All epochs are done.
    case finished
    /// The loss did not get better for as long as the options say.
    case outOfPatience
    /// Interrupted in this epoch, counted from 1, after so many of its steps.
    case interrupted(epoch: Int, steps: Int)
  }

  /// Why training ended.
  public let end: End
  /// The model with the new values of its parameters, running statistics included; its files are as they were.
  public let model: Model
  /// The value of every parameter of the model, by index, running statistics included.
  package let parameters: [AnyTensor]
  /// The epochs that were done, those before a resumption included.
  public let history: TrainingHistory
  /// The metrics, in the order of the records'.
  public let metrics: [Metric]
}

/// Trains a model; all that can be wrong is found before the first step.
public struct Trainer: Sendable {
  /// The model.
  public let model: Model
  /// How it is trained.
  public let configuration: TrainingConfiguration
  /// The metrics that records hold.
  public let metrics: [Metric]
  /// The number of parameters that training moves.
  public let trainedCount: Int
  /// The rows of an epoch.
  public var rows: Int { data.rows }
  let data: TrainingData
  let options: TrainingOptions
  let frozen: Set<Int>

  /// A trainer of a model on data. Throws where the loss does not suit an output, a path of `freeze` matches nothing, or
  /// the data is not finite or out of range.
  public init(
    _ model: Model, configuration: TrainingConfiguration, data: TrainingData, options: TrainingOptions = .init()
  ) throws(Failure) {
    var model = model
    model.seed = configuration.seed
    self.model = model
    self.configuration = configuration
    self.data = data
    self.options = options
    for index in data.outputs {
      if let problem = problem(of: configuration.loss, forOutput: index, of: model) {
        throw Failure(.invalidData, "\(problem.message); \(problem.hint)")
      }
    }
    let optimizer = configuration.optimizer
    if optimizer.nesterov, optimizer.momentum <= 0 {
      throw Failure(.usage, "`nesterov` needs a `momentum` above 0")
    }
    let frozen = try configuration.frozenParameters(of: model)
    self.frozen = frozen
    let facts = try data.check(model.elementType, loss: configuration.loss, options.communicator)
    if let validation = options.validation {
      guard validation.outputs == data.outputs else {
        throw Failure(.invalidData, "the validation has targets for other outputs than the training")
      }
      _ = try validation.check(model.elementType, loss: configuration.loss, options.communicator)
    }
    metrics = Metric.metrics(of: model, data: data, facts: facts, loss: configuration.loss)
    trainedCount = model.parameters.enumerated().reduce(0) { sum, entry in
      let isTrained = entry.element.declaration.role == .trained && !frozen.contains(entry.offset)
      return isTrained ? sum + entry.element.count : sum
    }
  }

  /// Trains. `report` is told of every step and epoch (of some, where they take next to no time); `isInterrupted` is asked
  /// after every step, and true ends the run with what was learnt.
  ///
  /// Throws `checkFailed` where a loss or a parameter is not finite any more, naming the epoch and the step, and what
  /// reading data or writing a checkpoint throws.
  public func run(
    report: (TrainingEvent) -> Void = { _ in }, isInterrupted: () -> Bool = { false }
  ) throws(Failure) -> TrainingOutcome {
    switch model.elementType {
    case .float32: try run(Float.self, report, isInterrupted)
    case .float64: try run(Double.self, report, isInterrupted)
    }
  }

  private func run<Scalar: TensorScalar>(
    _: Scalar.Type, _ report: (TrainingEvent) -> Void, _ isInterrupted: () -> Bool
  ) throws(Failure) -> TrainingOutcome {
    var state = try TrainingState<Scalar>(self)
    let checkpoint = options.communicator?.leads ?? true ? options.checkpoint.map { FilePath($0) } : nil
    if let checkpoint { try Checkpoint.requirePlace(checkpoint) }
    let session = try TrainingSession<Scalar>(self, state)
    report(.planned(bytes: session.bytes))
    var validator: Evaluator<Scalar>?
    if let validation = options.validation {
      validator = try Evaluator(
        model, data: validation, loss: configuration.loss, metrics: metrics, batchSize: nil, threads: options.threads,
        communicator: options.communicator)
    }
    var end = TrainingOutcome.End.finished
    // Nothing looks at the parameters between two epochs, and an epoch is one step on all rows.
    let runsOn =
      session.canRepeatEpochs && validator == nil && options.checkpoint == nil && options.patience == nil
      && !options.keepsBest
    func isInterruptedAnywhere() throws(Failure) -> Bool {
      // All ranks of a job end after the same step.
      try options.communicator?.any(isInterrupted()) ?? isInterrupted()
    }
    if runsOn { state.makeRoom(for: configuration.epochs) }
    var pace = Pace()
    while state.history.count < configuration.epochs {
      if let patience = options.patience, state.epochsSinceBest >= patience {
        end = .outOfPatience
        break
      }
      let epoch = state.history.count
      if runsOn {
        if try isInterruptedAnywhere() {
          end = .interrupted(epoch: epoch + 1, steps: 0)
          break
        }
        var count = pace.next(after: epoch)
        if let communicator = options.communicator {
          count = Int(UInt64(littleEndianBytes: try communicator.broadcast(UInt64(count).littleEndianBytes)[...]))
        }
        let epochs = epoch..<min(epoch + count, configuration.epochs)
        do throws(Failure) {
          try session.runEpochs(epochs, &state)
        } catch {
          report(.diverged(state.history))
          throw error
        }
        let record = state.history[state.history.count - 1]
        report(
          .step(
            TrainingProgress(
              epoch: record.epoch, epochs: configuration.epochs, step: 1, steps: 1, rows: rows, loss: record.loss,
              metrics: record.metrics)))
        report(.epoch(record))
        continue
      }
      let result = Result { () throws(Failure) in try session.runEpoch(epoch, &state, report, isInterruptedAnywhere) }
      if case .failure(let failure) = result, failure.kind == .checkFailed { report(.diverged(state.history)) }
      guard let record = try result.get() else {
        end = .interrupted(epoch: epoch + 1, steps: state.stepsOfEpoch)
        break
      }
      if validator != nil || options.checkpoint != nil || options.keepsBest { session.read(into: &state) }
      let evaluation = try validator?.evaluate(state.parameters)
      state.finishEpoch(record, validation: evaluation, keepsBest: options.keepsBest)
      if let checkpoint { try Checkpoint(state, of: self).write(to: checkpoint) }
      report(.epoch(state.history[epoch]))
    }
    session.read(into: &state)
    let best = options.keepsBest ? state.bestParameters : nil
    let parameters = (best ?? state.parameters).map(\.erased)
    return TrainingOutcome(
      end: end, model: model.replacing(Dictionary(uniqueKeysWithValues: parameters.enumerated().map { ($0, $1) })),
      parameters: parameters, history: state.history, metrics: metrics)
  }
}

/// How many epochs run without coming back: one at a time at first, then as many as take about a twentieth of a second.
private struct Pace {
  private let clock = ContinuousClock()
  private var last: ContinuousClock.Instant?
  private var count = 1

  mutating func next(after epoch: Int) -> Int {
    let now = clock.now
    defer { last = now }
    guard epoch >= 100, let last else { return 1 }
    let taken = last.duration(to: now)
    if taken < .milliseconds(25) {
      count = min(count * 2, 1 << 20)
    } else if taken > .milliseconds(100), count > 1 {
      count /= 2
    }
    return count
  }
}

extension Tensor {
  /// The tensor as one of either type.
  var erased: AnyTensor { AnyTensor(self) }
}
