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
}
