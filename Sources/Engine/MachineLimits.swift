import Kernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What this machine can do at best, measured in a fraction of a second: the roofline that profiles are held against
/// (Williams, Waterman and Patterson, "Roofline", CACM 2009).
public struct MachineLimits: Sendable {
  /// A level of memory.
  struct Level: Sendable {
    /// The bytes that were moved; what is no larger is taken to move as fast.
    let bytes: Int
    let bytesPerSecond: Double
  }

  /// Floating-point operations a second, all in fused multiply-adds of float32, over all threads.
  public let flopsPerSecond: Double
  private let levels: [Level]

  /// Measures with so many threads. Nothing else should run meanwhile.
  public init(threads: Int) {
    let pool = threads > 1 ? ThreadPool(threads: threads) : nil
    let threads = pool?.threads ?? 1
    /// The least seconds of a task on every thread at once.
    func best(of repeats: Int, _ task: @escaping @Sendable (Int) -> Void) -> Double {
      (0..<repeats).map { _ in
        let start = secondsNow()
        if let pool { pool.run(tasks: threads) { index, _ in task(index) } } else { task(0) }
        return secondsNow() - start
      }.min() ?? 0
    }
    let iterations = 1_000_000
    let instructions = InstructionSet.current
    let seconds = best(of: 5) { _ in _ = instructions.peak(iterations: iterations) }
    flopsPerSecond = Double(threads * instructions.peak(iterations: 1)) * Double(iterations) / max(seconds, 1e-9)
    var levels: [Level] = []
    for bytes in [256 << 10, 8 << 20, 64 << 20] {
      // Half is read, half is written, each thread in a share of its own.
      guard let memory = try? AlignedBuffer(count: bytes / 4) else { break }
      let share = bytes / threads / 128 * 64
      let rounds = max(1, (4 << 20) / bytes)
      let seconds = best(of: 5) { index in
        let start = unsafe UnsafeMutableRawPointer(memory.pointer) + index * 2 * share
        for _ in 0..<rounds { unsafe (start + share).copyMemory(from: start, byteCount: share) }
      }
      levels.append(Level(bytes: bytes, bytesPerSecond: Double(rounds * threads * 2 * share) / max(seconds, 1e-9)))
    }
    self.levels = levels
  }

  /// The least seconds that so many operations and bytes can take, and whether it is the operations that bound them.
  public func leastSeconds(flops: Double, bytes: Int) -> (seconds: Double, isArithmetic: Bool) {
    let arithmetic = flops / flopsPerSecond
    guard let level = levels.first(where: { bytes <= $0.bytes }) ?? levels.last else { return (arithmetic, true) }
    let memory = Double(bytes) / level.bytesPerSecond
    return arithmetic >= memory ? (arithmetic, true) : (memory, false)
  }
}

/// A clock for intervals, in seconds.
package func secondsNow() -> Double {
  var time = timespec()
  unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
