import CKernels

/// Threads that share the pieces of a step with the caller. One caller at a time.
@safe
public final class ThreadPool: @unchecked Sendable {
  let pool: OpaquePointer
  /// The number of threads, the caller among them.
  public let threads: Int

  /// A pool of `threads` threads; nil when there cannot be so many.
  public init?(threads: Int) {
    guard let pool = unsafe nnPoolCreate(threads) else { return nil }
    unsafe self.pool = unsafe pool
    self.threads = threads
  }

  deinit { unsafe nnPoolDestroy(pool) }

  /// Calls `body` once for every task, with the number of the thread that runs it; returns when all are done.
  public func run(tasks: Int, _ body: @escaping @Sendable (_ task: Int, _ thread: Int) -> Void) {
    let region = Region(body)
    withExtendedLifetime(region) {
      // The threads' scratch is never touched: its address tells which thread it is.
      let origin = unsafe UnsafeMutablePointer<Float>(bitPattern: Region.origin)
      var step = unsafe NNStep(
        kernel: { arguments, task, scratch in
          let region = unsafe Unmanaged<Region>.fromOpaque(arguments).takeUnretainedValue()
          let address = UInt(bitPattern: scratch)
          region.body(task, Int(address - Region.origin) / MemoryLayout<Float>.stride)
        }, arguments: UnsafeRawPointer(Unmanaged.passUnretained(region).toOpaque()), tasks: tasks, together: 1)
      unsafe nnPoolRun(pool, &step, 1, origin, 1)
    }
  }

  private final class Region: Sendable {
    static let origin: UInt = 4096
    let body: @Sendable (Int, Int) -> Void

    init(_ body: @escaping @Sendable (Int, Int) -> Void) { self.body = body }
  }
}
