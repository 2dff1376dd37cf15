import Communication
public import Diagnostics
import Engine
import Graph
public import ModelFile
import Tensors
import Training

/// Times a model's run, or a step of its training.
///
/// ```swift
/// let benchmark = try Benchmark(model)
/// try benchmark.warmUp(seconds: 0.5)
/// print(try benchmark.measure(seconds: 3).median)
/// ```
///
/// A benchmark is used by one task at a time.
public final class Benchmark {
  /// The model.
  public let model: Model
  /// The rows of a call or a step.
  public let batchSize: Int
  /// The threads that were asked for.
  public let threads: Int
  /// The seconds that it took to make a plan of the model, its parameters read and packed.
  public let planSeconds: Double
  /// The multiply-adds of the convolutions and matrix products of a run; 0 where they are not counted.
  public let multiplyAdds: Int
  private let work: any BenchmarkedWork
  private var callsPerTiming = 1
  private let communicator: Communicator?

  /// Prepares a model to be timed; everything that can be wrong with model and data is found here.
  public init(_ model: Model, options: BenchmarkOptions = BenchmarkOptions()) throws(Failure) {
    self.model = model
    communicator = options.trains ? options.communicator : nil
    threads = options.threads ?? processorCount()
    guard options.trains else {
      let data = try BenchmarkData.arrays(for: model, options, defaultRows: 1)
      batchSize = data.rows
      let start = secondsNow()
      let executor = try Executor(model.inferenceGraph(sizes: data.sizes), model: model, threads: threads)
      planSeconds = secondsNow() - start
      multiplyAdds = executor.plan.reduce(0) { $0 + $1.multiplyAdds }
      switch model.elementType {
      case .float32: work = try FloatRun(executor, inputs: data.inputs)
      case .float64: work = DoubleRun(executor, inputs: data.inputs)
      }
      return
    }
    var configuration = TrainingConfiguration(model)
    var rows = 32
    if case .rows(let count) = configuration.batchSize { rows = count }
    let data = try BenchmarkData.arrays(for: model, options, defaultRows: rows)
    batchSize = data.rows
    configuration.batchSize = .full
    var training = TrainingOptions()
    training.threads = threads
    training.communicator = options.communicator
    training.sums = options.sums
    let arrays = zip(model.inputs, data.inputs).map { ArraySource(name: "input `\($0.name)`", $1) }
    let targets = try data.targets(model, options, loss: configuration.loss)
    let rowsOfData = try TrainingData(model, inputs: arrays, targets: targets)
    let trainer = try Trainer(model, configuration: configuration, data: rowsOfData, options: training)
    let start = secondsNow()
    work = try TrainingSteps(trainer, threads: threads)
    planSeconds = secondsNow() - start
    multiplyAdds = 0
  }

  /// The threads that take part: one where the model is too small to share.
  public var threadsInUse: Int { work.threads }
  /// The bytes of activations and scratch of a run; 0 where they are not known.
  public var arenaBytes: Int { work.arenaBytes }
  /// The sum of the outputs, or the last loss.
  public var checksum: Double { work.checksum }
  /// How often training diverged on the same batch and was begun anew.
  public var restarts: Int { (work as? TrainingSteps)?.restarts ?? 0 }

  /// Repeats the work for so many seconds, once at least, and finds out how often it has to be repeated between two looks
  /// at the clock for the clock not to matter: for a tenth of a millisecond.
  public func warmUp(seconds: Double) throws(Failure) {
    let end = secondsNow() + seconds
    var isSettled = false
    while try decides(!isSettled || secondsNow() < end) {
      let start = secondsNow()
      try work.run(times: callsPerTiming)
      isSettled = try decides(secondsNow() - start >= 1e-4 || callsPerTiming >= 1 << 20)
      if !isSettled { callsPerTiming *= 2 }
    }
  }

  /// What rank 0 decides, for all ranks have to take as many steps.
  private func decides(_ choice: Bool) throws(Failure) -> Bool {
    guard let communicator else { return choice }
    return try communicator.broadcast([choice ? 1 : 0]) == [1]
  }

  /// Times the work again and again for so many seconds, three times at least.
  public func measure(seconds: Double) throws(Failure) -> Timings {
    var timings: [Double] = []
    let watch = MachineWatch()
    let end = secondsNow() + seconds
    var now = secondsNow()
    repeat {
      let start = secondsNow()
      try work.run(times: callsPerTiming)
      now = secondsNow()
      timings.append((now - start) / Double(callsPerTiming))
    } while try decides(now < end || timings.count < 3)
    return Timings(timings, callsPerTiming: callsPerTiming, noise: watch.noise())
  }

  /// Times each step of the plan for about so many seconds, three times at least.
  ///
  /// Throws where the steps cannot be told apart: in double precision, which is run plainly, and in training.
  public func profile(seconds: Double) throws(Failure) -> BenchmarkProfile {
    guard let run = work as? FloatRun else {
      throw Failure(
        .usage,
        work is TrainingSteps
          ? "a profile is of a run, not of training"
          : "a float64 model is computed plainly, operation by operation; there is a profile of float32 models only")
    }
    var samples: [[Double]] = []
    let end = secondsNow() + seconds
    repeat { samples.append(run.profile()) } while secondsNow() < end || samples.count < 3
    return BenchmarkProfile(run.executor, samples: samples)
  }
}
