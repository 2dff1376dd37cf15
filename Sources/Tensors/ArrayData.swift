import Diagnostics
import Files
import Synchronization

/// The bytes of one stored array, read where they are or, when packed, unpacked once and kept.
package final class ArrayData: Sendable {
  private enum Storage {
    case file(InputFile, offset: Int, verify: (@Sendable () throws(Failure) -> Void)?)
    case deferred(@Sendable () throws(Failure) -> [UInt8])
  }

  private enum State {
    case untouched
    case verified
    case loaded([UInt8])
  }

  /// The number of bytes.
  let count: Int
  private let storage: Storage
  private let state = Mutex(State.untouched)

  /// Bytes that lie in a file; `verify` checks them all before the first is handed out.
  init(_ file: InputFile, offset: Int, count: Int, verify: (@Sendable () throws(Failure) -> Void)? = nil) {
    self.count = count
    storage = .file(file, offset: offset, verify: verify)
  }

  /// `count` bytes that are made when they are wanted first.
  init(count: Int, load: @escaping @Sendable () throws(Failure) -> [UInt8]) {
    self.count = count
    storage = .deferred(load)
  }

  /// The same bytes, held in memory once they are wanted.
  func cached() -> ArrayData {
    ArrayData(count: count) { () throws(Failure) in try self.read(at: 0, count: self.count) }
  }

  /// Fills `buffer` from the bytes at `offset`.
  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(Failure) {
    switch storage {
    case .file(let file, let start, let verify):
      if let verify {
        try state.withLock { state throws(Failure) in
          guard case .untouched = state else { return }
          try verify()
          state = .verified
        }
      }
      try unsafe file.read(at: start + offset, into: buffer)
    case .deferred(let load):
      let bytes = try loaded(load)
      unsafe bytes.withUnsafeBytes { source in
        unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[offset..<(offset + buffer.count)]))
      }
    }
  }

  /// The `count` bytes at `offset`.
  func read(at offset: Int, count: Int) throws(Failure) -> [UInt8] {
    if case .deferred(let load) = storage, offset == 0, count == self.count { return try loaded(load) }
    try requireMemory(count, for: "the array")
    var bytes = [UInt8](repeating: 0, count: count)
    var failure: Failure?
    unsafe bytes.withUnsafeMutableBytes { buffer in
      do throws(Failure) { try unsafe read(at: offset, into: buffer) } catch { failure = error }
    }
    if let failure { throw failure }
    return bytes
  }

  private func loaded(_ load: @Sendable () throws(Failure) -> [UInt8]) throws(Failure) -> [UInt8] {
    try state.withLock { state throws(Failure) -> [UInt8] in
      if case .loaded(let bytes) = state { return bytes }
      let bytes = try load()
      state = .loaded(bytes)
      return bytes
    }
  }
}
