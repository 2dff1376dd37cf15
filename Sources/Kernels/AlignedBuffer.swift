import Memory

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A block of floats on a cache line's boundary, freed with its owner.
@safe
public final class AlignedBuffer: @unchecked Sendable {
  /// The number of floats.
  public let count: Int
  /// The first float. Whoever writes through it makes sure that nobody reads meanwhile.
  public let pointer: UnsafeMutablePointer<Float>

  /// `count` zeros, or, with `zeroed` false, numbers that are to be overwritten. Throws when memory is short.
  public init(count: Int, zeroed: Bool = true) throws(OutOfMemory) {
    let (bytes, overflow) = max(count, 16).multipliedReportingOverflow(by: 4)
    guard !overflow, count >= 0 else { throw OutOfMemory(bytes: .max) }
    guard MemoryLimit.allows(bytes) else { throw OutOfMemory(bytes: bytes) }
    var memory: UnsafeMutableRawPointer?
    // Large blocks on large pages: the kernels stream through megabytes, and each page has to be fetched and cleared.
    let isLarge = bytes >= 2 << 20
    guard unsafe posix_memalign(&memory, isLarge ? 2 << 20 : 64, bytes) == 0, let memory = unsafe memory else {
      throw OutOfMemory(bytes: bytes)
    }
    #if os(Linux)
      if isLarge { unsafe madvise(memory, bytes, 14) }  // MADV_HUGEPAGE
    #endif
    if zeroed { unsafe memset(memory, 0, bytes) }
    self.count = count
    unsafe pointer = memory.assumingMemoryBound(to: Float.self)
  }

  deinit { unsafe free(pointer) }
}

/// Memory is short.
public struct OutOfMemory: Error, Sendable {
  /// What was asked for.
  public let bytes: Int
}
