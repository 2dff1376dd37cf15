import ArgumentParser
import Communication
import Diagnostics
import Engine
import Files
import ModelFile
import NNRun
import Tensors
import Training

/// `nnrun train`.
struct TrainCommand: ParsableCommand, SharedWork {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Trains a model and writes the new weights back into its file.",
    discussion: """
      nnrun train models/digits/digits.yaml --input models/digits/train-images.npy \\
        --target models/digits/train-labels.npy --output trained.yaml --epochs 2
      """)

  @Argument(help: "The model file.", completion: .file(extensions: ["yaml", "yml"]))
  var model: String

  @OptionGroup var data: DataOptions

  @Option(name: .shortAndLong, help: "Write the trained model here and leave MODEL alone.", completion: .file())
  var output: String?

  @Flag(help: "Let --output replace what is there.")
  var force = false

  @Option(
    help: "Arrays to evaluate after every epoch: PATH or NAME=PATH.", completion: .file(extensions: ["npy", "npz"]))
  var validationInput: [String] = []

  @Option(help: "Their targets: PATH or NAME=PATH.", completion: .file(extensions: ["npy", "npz"]))
  var validationTarget: [String] = []

  @Option(help: "Keep this share of the rows, the last ones, for validation, such as 0.2.")
  var validationSplit: Double?

  @Option(help: "Write epoch, loss and metrics of every epoch to a .csv file.", completion: .file(extensions: ["csv"]))
  var history: String?

  @Option(help: "Draw loss and metrics as an SVG picture.", completion: .file(extensions: ["svg"]))
  var plot: String?

  @Option(help: "Keep the whole state of training in this file after every epoch.", completion: .file())
  var checkpoint: String?

  @Flag(help: "Go on from --checkpoint; --epochs is the total.")
  var resume = false

  @Flag(help: "Keep the parameters of the epoch with the best loss, not the last one's.")
  var best = false

  @Option(help: "Stop after so many epochs without a better loss.")
  var patience: Int?

  @Flag(
    help: "Under mpirun, add up one sum of each rank: quicker, but with other last digits for each number of ranks.")
  var sumByRank = false

  @OptionGroup(title: "Training") var training: TrainingFlags

  @Option(help: "The number of threads (default: one for each core).")
  var threads: Int?

  @OptionGroup var options: SharedOptions

  func validate() throws {
    try checkThreads(threads)
    if resume, checkpoint == nil {
      throw ValidationError("--resume goes on from --checkpoint FILE, which is not given")
    }
    if validationInput.isEmpty != validationTarget.isEmpty {
      throw ValidationError("--validation-input and --validation-target belong together")
    }
    if let validationSplit {
      guard validationInput.isEmpty else {
        throw ValidationError("--validation-split takes rows of the input; leave out --validation-input")
      }
      guard validationSplit > 0, validationSplit < 1 else {
        throw ValidationError("--validation-split is a share between 0 and 1, not \(validationSplit)")
      }
    }
    if let patience, patience < 1 { throw ValidationError("--patience is 1 or more, not \(patience)") }
    if force, output == nil { throw ValidationError("--force lets --output replace a file, but --output is not given") }
  }

  func run() throws {
    // Nobody trains the model while this does; with --output it is only read. Of a job's ranks one locks and writes.
    let (lock, model, configuration, sources) = try Job.agree {
      try Job.refuseStandardInput(data.input + data.target + validationInput + validationTarget)
      let lock =
        output == nil && Job.leads && fileExists(self.model) ? try ModelLock(FilePath(self.model)) : nil
      var model = try loadModel(self.model, options)
      let configuration = try TrainingConfiguration(model).replacing(training.overrides)
      model.seed = configuration.seed
      if resume, let checkpoint, Job.leads {
        for difference in try configuration.differences(fromCheckpoint: FilePath(checkpoint)) {
          Console.remark("nnrun: warning: \(difference)")
        }
      }
      if Job.leads { try checkDestination(model) }
      return (lock, model, configuration, Job.communicator.isAlone ? [] : try trainingData(model).sources)
    }
    try JobCheck.compare(model, sources)
    let (rows, settings) = try Job.agree { (try trainingData(model), try trainingOptions(model)) }
    let trainer = try Job.alike {
      try Trainer(model, configuration: configuration, data: rows, options: settings)
    }
    let reports = try Job.agree {
      try TrainingReports(history: Job.leads ? history : nil, plot: Job.leads ? plot : nil, metrics: trainer.metrics)
    }
    let outcome = try Job.alike { try train(trainer, reports) }
    let display = outcome.display
    if Job.leads {
      let written = try write(outcome.result.parameters, into: model, lock)
      try reports.write(outcome.result.history)
      display.conclude(outcome.result, written: written)
    }
    if case .interrupted = outcome.result.end {
      try Job.alike { throw Failure(Interruption.signal ?? .interrupted, "") }
    }
  }

  /// Trains, showing how it goes. Where training diverges, the reports of the epochs before are written all the same.
  private func train(
    _ trainer: Trainer, _ reports: TrainingReports
  ) throws(Failure) -> (result: TrainingOutcome, display: TrainingDisplay) {
    let display = TrainingDisplay(trainer, isQuiet: options.quiet)
    var diverged: TrainingHistory?
    func report(_ event: TrainingEvent) {
      if case .diverged(let history) = event { diverged = history }
      if case .epoch(let record) = event, let checkpoint {
        Job.prepareLastWords(
          "the checkpoint \(printable(checkpoint)) after epoch \(record.epoch) is whole, and --resume goes on from it")
      }
      display.show(event)
    }
    Interruption.watch()
    let result = Result { () throws(Failure) in
      try trainer.run(report: report, isInterrupted: { Interruption.signal != nil })
    }
    display.end()
    if let diverged { try reports.write(diverged) }
    return (try result.get(), display)
  }

  /// Finds out before training whether its result can be kept.
  private func checkDestination(_ model: Model) throws(Failure) {
    guard let output else { return try model.requireWritable() }
    try model.requireCopyable(to: FilePath(output), replacing: force)
  }

  /// Writes the new values and returns the files that were written.
  private func write(_ parameters: [AnyTensor], into model: Model, _ lock: ModelLock?) throws(Failure) -> [FilePath] {
    let values = Dictionary(uniqueKeysWithValues: parameters.enumerated().map { ($0.offset, $0.element) })
    if let output { return try model.writeCopy(values, to: FilePath(output), replacing: force) }
    return try model.writeBack(values, lock: lock)
  }

  private func trainingData(_ model: Model) throws -> TrainingData {
    let all = try data.arrays(for: model)
    return try validationSplit.map { try all.split(validationShare: $0).training } ?? all
  }

  private func trainingOptions(_ model: Model) throws -> TrainingOptions {
    var result = TrainingOptions()
    result.threads = Job.threads(threads)
    result.communicator = Job.communicator.isAlone ? nil : Job.communicator
    result.sums = sumByRank ? .ofRanks : .ofPieces
    result.patience = patience
    result.keepsBest = best
    result.checkpoint = checkpoint
    result.resumes = resume
    if let validationSplit {
      result.validation = try data.arrays(for: model).split(validationShare: validationSplit).validation
    } else if !validationInput.isEmpty {
      result.validation = try DataOptions.arrays(
        inputs: validationInput, targets: validationTarget, for: model, prefix: "--validation-")
    }
    return result
  }
}

/// The files that tell how training went; opened before it begins, so that it does not end in vain.
private struct TrainingReports {
  private let history: OutputFile?
  private let plot: OutputFile?
  private let metrics: [Metric]

  init(history: String?, plot: String?, metrics: [Metric]) throws(Failure) {
    self.history = if let history { try OutputFile(FilePath(history)) } else { nil }
    self.plot = if let plot { try OutputFile(FilePath(plot)) } else { nil }
    self.metrics = metrics
  }

  func write(_ records: some RandomAccessCollection<EpochRecord>) throws(Failure) {
    if let history {
      let hasValidation = records.contains { $0.validationLoss != nil }
      try history.write(historyCSV(records, metrics: metrics, hasValidation: hasValidation))
      try history.finish()
    }
    if let plot {
      try plot.write(TrainingPlot(records, metrics: metrics).svg)
      try plot.finish()
    }
  }
}
