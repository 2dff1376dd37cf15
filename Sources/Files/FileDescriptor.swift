import Synchronization

/// An open file; closed when nobody holds it any more.
///
/// Short reads and writes are continued.
package final class FileDescriptor: Sendable {
  private let number: Atomic<Int32>
  private let ownsNumber: Bool
  private let system: any SystemCalls

  /// Opens `path`.
  package init(_ path: FilePath, _ mode: OpenMode, _ system: any SystemCalls) throws(SystemError) {
    let opened = try system.open(path, mode)
    number = Atomic(opened)
    ownsNumber = true
    self.system = system
  }

  /// A descriptor that others opened and will close, such as standard output.
  package init(borrowing number: Int32, _ system: any SystemCalls = OperatingSystem()) {
    self.number = Atomic(number)
    ownsNumber = false
    self.system = system
  }

  deinit {
    let open = number.load(ordering: .relaxed)
    if ownsNumber, open >= 0 { try? system.close(open) }
  }

  private var current: Int32 { number.load(ordering: .relaxed) }

  /// Closes it now, so that an error which the system kept for the end is heard.
  package func close() throws(SystemError) {
    let open = number.exchange(-1, ordering: .relaxed)
    guard ownsNumber, open >= 0 else { return }
    try system.close(open)
  }

  /// What the system says of it.
  package func status() throws(SystemError) -> FileStatus {
    try system.status(of: current)
  }

  /// Reads as many bytes as fit, fewer only at the end of the file; returns how many.
  package func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
    var done = 0
    while done < buffer.count {
      let count = try unsafe system.read(
        current, at: offset + done, into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]))
      if count == 0 { break }
      done += count
    }
    return done
  }

  /// Reads what comes next, at most the buffer's size; 0 at the end.
  package func readSome(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
    try unsafe system.read(current, into: buffer)
  }

  /// Writes all the bytes at the current place.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
    var done = 0
    while done < bytes.count {
      done += try unsafe system.write(current, UnsafeRawBufferPointer(rebasing: bytes[done...]))
    }
  }

  /// Writes all the bytes at `offset`.
  package func write(at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(SystemError) {
    var done = 0
    while done < bytes.count {
      done += try unsafe system.write(current, at: offset + done, UnsafeRawBufferPointer(rebasing: bytes[done...]))
    }
  }

  /// Writes all the bytes at `offset`.
  package func write(at offset: Int, _ bytes: [UInt8]) throws(SystemError) {
    var failure: SystemError?
    unsafe bytes.withUnsafeBytes { buffer in
      do throws(SystemError) { try unsafe write(at: offset, buffer) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// The bytes at `offset`, at most `count`, fewer only at the end of the file.
  package func read(at offset: Int, upTo count: Int) throws(SystemError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var result: Result<Int, SystemError> = .success(0)
    unsafe bytes.withUnsafeMutableBytes { buffer in
      result = Result { () throws(SystemError) in try unsafe read(at: offset, into: buffer) }
    }
    bytes.removeLast(count - (try result.get()))
    return bytes
  }

  package func flush() throws(SystemError) {
    try system.flush(current)
  }

  package func setMode(_ mode: UInt32) throws(SystemError) {
    try system.setMode(current, mode)
  }

  package func setOwner(_ owner: UInt32, group: UInt32) throws(SystemError) {
    try system.setOwner(current, owner: owner, group: group)
  }

  /// Takes the file's lock, held until it is closed; false where another process holds it.
  package func lock() throws(SystemError) -> Bool {
    do {
      try system.lock(current)
      return true
    } catch  where error == .wouldBlock {
      return false
    }
  }

  /// Gives a file that was opened as unnamed a name that nothing has yet.
  package func link(as path: FilePath) throws(SystemError) {
    try system.link(current, as: path)
  }
}
