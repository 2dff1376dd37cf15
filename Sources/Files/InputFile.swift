package import Diagnostics
import Memory

/// Bytes to read in any order: a regular file, or what came in by a pipe.
///
/// Files are read where they are, never mapped: one that shrinks meanwhile is an error like any other.
package final class InputFile: Sendable {
  private enum Storage {
    case file(FileDescriptor, base: Int)
    case memory([UInt8])
  }

  /// The name for messages.
  package let name: String
  /// The number of bytes.
  package let count: Int
  /// What the system said of the file when it was opened; nil for bytes in memory.
  package let status: FileStatus?
  private let storage: Storage

  /// Opens a regular file.
  package init(_ path: FilePath, system: any SystemCalls = OperatingSystem()) throws(Failure) {
    name = path.description
    do {
      let descriptor = try FileDescriptor(path, .reading, system)
      let status = try descriptor.status()
      try status.checkReadable(path)
      self.status = status
      count = status.size
      storage = .file(descriptor, base: 0)
    } catch let error as Failure {
      throw error
    } catch let error as SystemError {
      throw error.whileReading(path.description)
    } catch {
      throw Failure(.cannotRead, "cannot read \(path)")
    }
  }

  /// Bytes that are in memory already.
  package init(name: String, bytes: [UInt8]) {
    self.name = name
    count = bytes.count
    status = nil
    storage = .memory(bytes)
  }

  /// The whole of standard input.
  package static func standardInput(
    limit: Int = .max, system: any SystemCalls = OperatingSystem()
  ) throws(Failure) -> InputFile {
    let name = "standard input"
    let descriptor = FileDescriptor(borrowing: 0, system)
    return InputFile(name: name, bytes: try readToEnd(descriptor, name: name, limit: limit))
  }

  /// Fills `buffer` from the bytes at `offset`.
  package func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(Failure) {
    guard offset >= 0, offset <= count, buffer.count <= count - offset else {
      throw Failure(.invalidData, "\(name): it ends where more should follow")
    }
    switch storage {
    case .memory(let bytes):
      unsafe bytes.withUnsafeBytes { source in
        unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[offset..<(offset + buffer.count)]))
      }
    case .file(let descriptor, let base):
      let read: Int
      do {
        read = try unsafe descriptor.read(at: base + offset, into: buffer)
      } catch {
        throw error.whileReading(name, kind: .inputOutput)
      }
      if read < buffer.count {
        throw Failure(.invalidData, "\(name): the file became shorter while it was read")
      }
    }
  }

  /// The `count` bytes at `offset`.
  package func read(at offset: Int, count: Int) throws(Failure) -> [UInt8] {
    guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else {
      throw Failure(.invalidData, "\(name): it ends where more should follow")
    }
    try requireMemory(count, for: name)
    if case .memory(let bytes) = storage, offset == 0, count == bytes.count { return bytes }
    var result: Result<Void, Failure> = .success(())
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      unsafe buffer.initialize(repeating: 0)
      initialized = count
      do throws(Failure) {
        try unsafe read(at: offset, into: UnsafeMutableRawBufferPointer(buffer))
      } catch {
        result = .failure(error)
      }
    }
    try result.get()
    return bytes
  }
}

/// The whole of a regular file; over `limit` bytes, or not a regular file, it is refused.
package func readWholeFile(
  _ path: FilePath, limit: Int, system: any SystemCalls = OperatingSystem()
) throws(Failure) -> [UInt8] {
  try readWholeFileWithStatus(path, limit: limit, system: system).bytes
}

/// The whole of a regular file and what the system said of it, by which a later change is found.
package func readWholeFileWithStatus(
  _ path: FilePath, limit: Int, system: any SystemCalls = OperatingSystem()
) throws(Failure) -> (bytes: [UInt8], status: FileStatus) {
  let descriptor: FileDescriptor
  let status: FileStatus
  do {
    descriptor = try FileDescriptor(path, .reading, system)
    status = try descriptor.status()
  } catch {
    throw error.whileReading(path.description)
  }
  try status.checkReadable(path)
  let bytes = try readToEnd(descriptor, name: path.description, limit: limit, expected: status.size)
  return (bytes, status)
}

/// Reads on to the end; what is over `limit` is refused.
private func readToEnd(
  _ descriptor: FileDescriptor, name: String, limit: Int, expected: Int = 0
) throws(Failure) -> [UInt8] {
  func tooLarge() -> Failure { Failure(.invalidData, "\(name): larger than the limit of \(limit) bytes") }
  if expected > limit { throw tooLarge() }
  try requireMemory(expected + 1 << 18, for: name)
  var bytes: [UInt8] = []
  // A piece more than expected, so that the end is seen without growing.
  bytes.reserveCapacity(expected + 1 << 18)
  var chunkSize = max(1 << 16, expected + 1)
  while true {
    // Growing copies; the standard library would end the process where there is no room.
    let wanted = bytes.count + min(chunkSize, 1 << 18)
    if wanted > bytes.capacity {
      try requireMemory(2 * wanted, for: name)
      bytes.reserveCapacity(2 * wanted)
    }
    var failure: SystemError?
    let read = unsafe withUnsafeTemporaryAllocation(byteCount: min(chunkSize, 1 << 18), alignment: 16) { buffer in
      do throws(SystemError) {
        let count = try unsafe descriptor.readSome(into: buffer)
        unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        return count
      } catch {
        failure = error
        return 0
      }
    }
    if let failure { throw failure.whileReading(name) }
    if read == 0 { return bytes }
    if bytes.count > limit { throw tooLarge() }
    chunkSize = 1 << 18
  }
}

/// Refuses what memory cannot hold, before the standard library would end the process over it.
package func requireMemory(_ bytes: Int, for name: String) throws(Failure) {
  guard MemoryLimit.allows(bytes) else {
    throw Failure(
      .invalidData, "\(name): \(bytes) bytes of memory are needed, more than is free or `--max-memory` allows")
  }
}

extension FileStatus {
  fileprivate func checkReadable(_ path: FilePath) throws(Failure) {
    switch kind {
    case .regular: return
    case .folder: throw Failure(.cannotRead, "cannot read \(path): it is a folder, not a file")
    case .pipe:
      throw Failure(.cannotRead, "cannot read \(path): it is a pipe; data can be piped into standard input, called `-`")
    case .socket, .device, .link:
      throw Failure(.cannotRead, "cannot read \(path): it is a device or a socket, not a file")
    }
  }
}

extension SystemError {
  /// The failure of reading `name`.
  package func whileReading(_ name: String, kind: Failure.Kind = .cannotRead) -> Failure {
    Failure(kind, "cannot read \(name): \(reason)")
  }

  /// The failure of creating `name`.
  package func whileCreating(_ name: String) -> Failure {
    Failure(.cannotCreate, "cannot create \(name): \(reason)")
  }

  /// The failure of writing to `name`.
  package func whileWriting(_ name: String) -> Failure {
    Failure(.inputOutput, "cannot write \(name): \(reason)")
  }
}
