import Kernels

/// A plan for a part of a batch, run for every part: side by side on the threads when there are parts enough for them.
@safe
final class BatchedPlan: @unchecked Sendable {
  let descriptions: [PlanStep]
  let bytes: Int
  /// The bytes of activations that are alive during each step, over all threads.
  let liveBytes: [Int]
  /// The bytes of packed weights, which all threads share.
  let weightBytes: Int
  let threads: Int
  /// One for each thread that runs parts; they share their weights.
  private let plans: [CompiledPlan]
  private let pool: ThreadPool?
  private let parts: Int
  /// The elements of a part of each input and output.
  private let inputCounts: [Int]
  private let outputCounts: [Int]
  /// Each plan's list of pointers, so that a run allocates nothing.
  private let inputPointers: [UnsafeMutablePointer<UnsafePointer<Float>>]
  private let outputPointers: [UnsafeMutablePointer<UnsafeMutablePointer<Float>>]

  /// Whether each thread takes parts of its own.
  var spreadsParts: Bool { pool != nil }

  /// How the parts of a batch are spread: each thread takes whole parts, or all threads share every part.
  static func sharesParts(_ parts: Int, threads: Int) -> Bool {
    // Whole parts, unless the last round would leave much idle.
    let rounds = (parts + threads - 1) / threads
    return threads > 1 && Double(rounds * threads) > 1.2 * Double(parts)
  }

  /// Plans for `steps`, which were lowered for one thread unless `sharesParts`.
  init(
    steps: [PlannedStep], buffers: [Buffer], parts: Int, threads: Int, inputCounts: [Int], outputCounts: [Int]
  ) throws(EngineError) {
    self.parts = parts
    self.inputCounts = inputCounts
    self.outputCounts = outputCounts
    let spreads = threads > 1 && !Self.sharesParts(parts, threads: threads)
    pool = spreads ? ThreadPool(threads: threads) : nil
    var plans = [try CompiledPlan(steps: steps, buffers: buffers, threads: spreads ? 1 : threads)]
    for _ in 1..<max(pool?.threads ?? 1, 1) {
      plans.append(try CompiledPlan(steps: steps.map { $0.copy() }, buffers: buffers, threads: 1))
    }
    self.plans = plans
    self.threads = pool?.threads ?? plans[0].threads
    bytes = plans.reduce(0) { $0 + $1.bytes }
    let count = plans.count
    liveBytes = plans[0].liveBytes.map { $0 * count }
    weightBytes = plans[0].weightBytes
    descriptions = plans[0].descriptions.map { $0.times(parts) }
    unsafe inputPointers = plans.map { _ in .allocate(capacity: inputCounts.count + 1) }
    unsafe outputPointers = plans.map { _ in .allocate(capacity: outputCounts.count + 1) }
  }

  deinit {
    for thread in plans.indices {
      unsafe inputPointers[thread].deallocate()
      unsafe outputPointers[thread].deallocate()
    }
  }

  /// Runs all parts on the caller's memory.
  @unsafe
  func run(inputs: UnsafePointer<UnsafePointer<Float>>, outputs: UnsafePointer<UnsafeMutablePointer<Float>>) {
    guard let pool else {
      for part in 0..<parts { unsafe run(part, on: 0, inputs: inputs, outputs: outputs) }
      return
    }
    // The pointers outlive the region: it ends before this returns.
    nonisolated(unsafe) let (inputs, outputs) = unsafe (inputs, outputs)
    pool.run(tasks: parts) { part, thread in unsafe self.run(part, on: thread, inputs: inputs, outputs: outputs) }
  }

  private func run(
    _ part: Int, on thread: Int, inputs: UnsafePointer<UnsafePointer<Float>>,
    outputs: UnsafePointer<UnsafeMutablePointer<Float>>
  ) {
    unsafe point(part, on: thread, inputs: inputs, outputs: outputs)
    unsafe plans[thread].run(inputs: inputPointers[thread], outputs: outputPointers[thread])
  }

  private func point(
    _ part: Int, on thread: Int, inputs: UnsafePointer<UnsafePointer<Float>>,
    outputs: UnsafePointer<UnsafeMutablePointer<Float>>
  ) {
    for (index, count) in inputCounts.enumerated() {
      unsafe (inputPointers[thread] + index).initialize(to: inputs[index] + part * count)
    }
    for (index, count) in outputCounts.enumerated() {
      unsafe (outputPointers[thread] + index).initialize(to: outputs[index] + part * count)
    }
  }

  /// Runs on the caller alone, step by step; the seconds of each step over all parts.
  @unsafe
  func profile(inputs: UnsafePointer<UnsafePointer<Float>>, outputs: UnsafePointer<UnsafeMutablePointer<Float>>)
    -> [Double]
  {
    var seconds = [Double](repeating: 0, count: descriptions.count)
    for part in 0..<parts {
      unsafe point(part, on: 0, inputs: inputs, outputs: outputs)
      let times = unsafe plans[0].profile(inputs: inputPointers[0], outputs: outputPointers[0])
      for (step, time) in times.enumerated() { seconds[step] += time }
    }
    return seconds
  }
}

extension PlannedStep {
  /// The same step, to be bound to other memory.
  func copy() -> PlannedStep {
    switch body {
    case .kernel(let call, let reads, let writes):
      PlannedStep(description: description, body: .kernel(call.copy(), reads: reads, writes: writes))
    case .evaluation, .begin, .finish: self
    }
  }
}
