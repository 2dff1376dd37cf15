import Diagnostics
import Engine
import Files
import ModelFile
import Tensors
import Training

/// What a benchmark repeats: a run of a model, or a step of its training.
protocol BenchmarkedWork: AnyObject {
  /// The threads that take part.
  var threads: Int { get }
  /// The bytes of activations and scratch.
  var arenaBytes: Int { get }
  /// The sum of the outputs, or the last loss.
  var checksum: Double { get }
  /// Does it `times` times.
  func run(times: Int) throws(Failure)
}

/// Runs of a float32 model on memory that is laid out once.
@safe
final class FloatRun: BenchmarkedWork {
  let executor: Executor
  private let inputs: CallMemory
  private let outputs: CallMemory
  var threads: Int { executor.threads }
  var arenaBytes: Int { executor.arenaBytes }

  init(_ executor: Executor, inputs: [AnyTensor]) throws(Failure) {
    self.executor = executor
    self.inputs = try CallMemory(inputs.map(\.count))
    outputs = try CallMemory(executor.outputShapes.map { $0.reduce(1, *) })
    for (index, input) in inputs.enumerated() {
      self.inputs.fill(index, with: input.converted(to: Float.self).elements)
    }
  }

  func run(times: Int) {
    let (inputs, outputs) = unsafe (inputs.constantPointers, outputs.pointers)
    for _ in 0..<times { unsafe executor.run(inputs: inputs, outputs: outputs) }
  }

  /// Runs once; the seconds of each step of the executor's plan.
  func profile() -> [Double] {
    unsafe executor.profile(inputs: inputs.constantPointers, outputs: outputs.pointers)
  }

  var checksum: Double { outputs.sum }
}

/// Runs of a float64 model.
final class DoubleRun: BenchmarkedWork {
  private let executor: Executor
  private let inputs: [AnyTensor]
  private var outputs: [AnyTensor] = []
  let threads = 1
  var arenaBytes: Int { executor.arenaBytes }

  init(_ executor: Executor, inputs: [AnyTensor]) {
    self.executor = executor
    self.inputs = inputs
  }

  func run(times: Int) throws(Failure) {
    do {
      for _ in 0..<times { outputs = try executor.run(inputs) }
    } catch {
      throw Failure(engine: error)
    }
  }

  var checksum: Double {
    outputs.reduce(0) { $0 + $1.converted(to: Double.self).elements.reduce(0, +) }
  }
}

/// Steps of training.
final class TrainingSteps: BenchmarkedWork {
  private let trainer: Trainer
  private var stepper: TrainingStepper
  private(set) var checksum = 0.0
  /// How often training diverged and began anew.
  private(set) var restarts = 0
  let threads: Int
  let arenaBytes = 0

  init(_ trainer: Trainer, threads: Int) throws(Failure) {
    self.trainer = trainer
    self.threads = threads
    stepper = try TrainingStepper(trainer)
    checksum = try stepper.step()
  }

  func run(times: Int) throws(Failure) {
    var rest = times
    while rest > 0 {
      let before = stepper.stepCount
      do throws(Failure) {
        checksum = try stepper.step(times: rest)
        return
      } catch {
        // The same batch again and again may lead anywhere; the time of a step is what is asked for.
        guard error.kind == .checkFailed else { throw error }
        rest -= max(stepper.stepCount - before, 1)
        restarts += 1
        stepper = try TrainingStepper(trainer)
        checksum = try stepper.step()
      }
    }
  }
}

/// Blocks of floats and the list of their addresses, as an executor takes them.
@safe
private final class CallMemory {
  let pointers: UnsafeMutablePointer<UnsafeMutablePointer<Float>>
  let constantPointers: UnsafeMutablePointer<UnsafePointer<Float>>
  private let counts: [Int]

  /// Throws where memory is short.
  init(_ counts: [Int]) throws(Failure) {
    for count in counts { try requireMemory(4 * count, for: "the benchmark's arrays") }
    self.counts = counts
    unsafe pointers = .allocate(capacity: counts.count + 1)
    unsafe constantPointers = .allocate(capacity: counts.count + 1)
    for (index, count) in counts.enumerated() {
      let block = UnsafeMutableRawPointer.allocate(byteCount: 4 * max(count, 1), alignment: 64)
      let floats = unsafe block.initializeMemory(as: Float.self, repeating: 0, count: count)
      unsafe (pointers + index).initialize(to: floats)
      unsafe (constantPointers + index).initialize(to: UnsafePointer(floats))
    }
  }

  deinit {
    for index in counts.indices { unsafe UnsafeMutableRawPointer(pointers[index]).deallocate() }
    unsafe pointers.deallocate()
    unsafe constantPointers.deallocate()
  }

  func fill(_ index: Int, with elements: [Float]) {
    for (place, element) in elements.prefix(counts[index]).enumerated() { unsafe pointers[index][place] = element }
  }

  var sum: Double {
    var sum = 0.0
    for (index, count) in counts.enumerated() {
      for place in 0..<count { sum += Double(unsafe pointers[index][place]) }
    }
    return sum
  }
}
