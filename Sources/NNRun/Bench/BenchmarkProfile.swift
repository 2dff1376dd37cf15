import Engine

/// Where the time of a run goes: a row for each step of the plan.
public struct BenchmarkProfile: Sendable {
  /// One step: a layer, and those fused into it.
  public struct Row: Sendable {
    /// The path of the layer, the last one where several are fused; empty for what belongs to none.
    public let path: String
    /// What it computes, the fused operations joined by `+`.
    public let operations: String
    /// How it is computed.
    public let algorithm: String
    /// The shape of what it computes.
    public let shape: [Int]
    /// Multiply-adds, counted as a direct computation does.
    public let multiplyAdds: Int
    /// The bytes that it reads and writes at least.
    public let bytes: Int
    /// The median of its times.
    public let seconds: Double
    /// The least that it could take on this machine, as a share of what it takes; above 1 where an algorithm saves
    /// multiply-adds.
    public let limitShare: Double
    /// Whether it is the arithmetic that sets that limit, and not the memory.
    public let isBoundByArithmetic: Bool

    /// Floating-point operations a second, two for each multiply-add.
    public var flopsPerSecond: Double { seconds > 0 ? 2 * Double(multiplyAdds) / seconds : 0 }
  }

  /// The steps in the order in which they run.
  public let rows: [Row]
  /// The threads that each step was timed on.
  public let threads: Int
  /// The fused multiply-adds that the machine does on so many threads, as floating-point operations a second.
  public let machineFlopsPerSecond: Double

  /// The seconds of all rows.
  public var seconds: Double { rows.reduce(0) { $0 + $1.seconds } }

  init(_ executor: Executor, samples: [[Double]]) {
    threads = executor.profilesOnOneThread ? 1 : executor.threads
    let limits = MachineLimits(threads: threads)
    machineFlopsPerSecond = limits.flopsPerSecond
    rows = executor.plan.enumerated().map { index, step in
      let times = samples.map { $0[index] }.sorted()
      let seconds = times[times.count / 2]
      let least = limits.leastSeconds(flops: 2 * Double(step.multiplyAdds), bytes: step.bytes)
      return Row(
        path: step.label, operations: step.operations, algorithm: step.algorithm, shape: step.shape,
        multiplyAdds: step.multiplyAdds, bytes: step.bytes, seconds: seconds,
        limitShare: seconds > 0 ? least.seconds / seconds : 0, isBoundByArithmetic: least.isArithmetic)
    }
  }
}
