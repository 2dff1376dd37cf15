package import Diagnostics

/// A file of results: what was there is replaced at once and only when the new file is whole.
///
/// Until then the bytes are in a file without a name, which vanishes with the process; where the file system has no
/// such thing, in a hidden one beside the target. A target that is not a regular file, and `-`, standard output, is
/// written to straight.
package final class OutputFile: ByteSink {
  private enum Place {
    /// Written straight to where it goes.
    case direct
    case unnamed(target: FilePath)
    case temporary(FilePath, target: FilePath)
    /// The temporary file of another process, which will put it in its place.
    case joined(FilePath)
  }

  /// The name for messages.
  package let name: String
  private let descriptor: FileDescriptor
  private let system: any SystemCalls
  private let replaces: Bool
  private var place: Place
  private var pending: [UInt8] = []
  private static let pieceSize = 1 << 16

  /// Opens a file for writing. Throws `cannotCreate`, also where `path` exists and `replaces` is false.
  ///
  /// Other processes can write to a file that `isShared`, by its `sharedPath`. One that `isKept`, to be read again, is not
  /// standard output, a pipe or a device.
  package init(
    _ path: FilePath, replaces: Bool = true, isShared: Bool = false, isKept: Bool = false,
    system: any SystemCalls = OperatingSystem()
  ) throws(Failure) {
    self.system = system
    self.replaces = replaces
    func refuseIfKept(_ what: String) throws(Failure) {
      guard !isKept else { throw Failure(.cannotCreate, "cannot create \(path): it is \(what), and a file is needed") }
    }
    if path == "-" {
      try refuseIfKept("standard output")
      name = "standard output"
      descriptor = FileDescriptor(borrowing: 1, system)
      place = .direct
      return
    }
    name = path.description
    let existing: FileStatus?
    do {
      existing = try system.status(of: path, followingLinks: true)
    } catch  where error == .notFound {
      existing = nil
    } catch {
      throw error.whileCreating(path.description)
    }
    do {
      if let existing, existing.kind != .regular {
        guard existing.kind != .folder else {
          throw Failure(.cannotCreate, "cannot create \(path): it is a folder")
        }
        try refuseIfKept("a pipe or a device")
        descriptor = try FileDescriptor(path, .writing, system)
        place = .direct
        return
      }
      if existing != nil, !replaces { throw Self.alreadyThere(path) }
      (descriptor, place) = try Self.open(path, existing, isShared: isShared, system)
    } catch let failure as Failure {
      throw failure
    } catch let error as SystemError {
      throw error.whileCreating(path.description)
    } catch {
      throw Failure(.cannotCreate, "cannot create \(path)")
    }
  }

  deinit {
    switch place {
    case .temporary(let path, _), .joined(let path): try? system.remove(path)
    case .direct, .unnamed: break
    }
  }

  /// Opens the file that another process shares, to write at places of it. Where this is not finished, it is removed.
  package init(joining shared: FilePath, system: any SystemCalls = OperatingSystem()) throws(Failure) {
    self.system = system
    replaces = true
    name = shared.description
    do {
      descriptor = try FileDescriptor(shared, .writing, system)
    } catch {
      throw error.whileCreating(name)
    }
    place = .joined(shared)
  }

  /// Where other processes can write the file before it is finished; nil where they cannot.
  package var sharedPath: FilePath? { if case .temporary(let path, _) = place { path } else { nil } }

  private static func alreadyThere(_ path: some CustomStringConvertible) -> Failure {
    Failure(.cannotCreate, "\(path) exists already; `--force` replaces it")
  }

  private static func open(
    _ path: FilePath, _ existing: FileStatus?, isShared: Bool, _ system: any SystemCalls
  ) throws(SystemError) -> (FileDescriptor, Place) {
    let target = try existing == nil ? followingDanglingLinks(path, system) : system.resolve(path)
    // Nobody but the owner may look before the final mode is set; a new file's mode is the system's business.
    let permissions: UInt32 = existing == nil ? 0o666 : 0o600
    removeLeftovers(of: target, system)
    let descriptor: FileDescriptor
    let place: Place
    if !isShared, let unnamed = try? FileDescriptor(target.folder, .unnamed(permissions: permissions), system),
      (try? system.status(of: "/proc/self/fd", followingLinks: true)) != nil
    {
      descriptor = unnamed
      place = .unnamed(target: target)
    } else {
      let temporary = temporaryPath(for: target, system)
      do {
        descriptor = try FileDescriptor(temporary, .creating(permissions: permissions), system)
        place = .temporary(temporary, target: target)
      } catch  where existing != nil && [.denied, .notPermitted, .readOnly].contains(error) {
        // The folder takes no new file, but the file itself may be writable.
        return (try FileDescriptor(target, .truncating, system), .direct)
      }
    }
    // The lock says that the writer lives; a hidden file without it is a leftover.
    _ = try? descriptor.lock()
    if let existing {
      // As before, as far as one may: another's file becomes the writer's own.
      try? descriptor.setOwner(existing.owner, group: existing.group)
      try? descriptor.setMode(existing.mode)
    }
    return (descriptor, place)
  }

  /// Removes the hidden files that writers of `target` left which were killed.
  private static func removeLeftovers(of target: FilePath, _ system: any SystemCalls) {
    let prefix = temporaryPath(for: target, mark: resultMark).lastComponent
    let digits = Set("0123456789abcdef".utf8)
    for name in (try? system.names(in: target.folder)) ?? [] {
      guard name.bytes.starts(with: prefix), name.bytes.count > prefix.count,
        name.bytes.dropFirst(prefix.count).allSatisfy(digits.contains)
      else { continue }
      let path = target.sibling(name)
      guard (try? system.status(of: path, followingLinks: false))?.kind == .regular,
        let file = try? FileDescriptor(path, .reading, system), (try? file.lock()) == true
      else { continue }
      try? system.remove(path)
    }
  }

  private static func followingDanglingLinks(
    _ path: FilePath, _ system: any SystemCalls
  ) throws(SystemError) -> FilePath {
    var target = path
    for _ in 0..<40 {
      guard let link = try? system.readLink(target) else { return target }
      target = target.sibling(link)
    }
    return target
  }

  /// Writes the bytes after those before.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
    if pending.count + bytes.count < Self.pieceSize {
      unsafe pending.append(contentsOf: bytes)
      return
    }
    try flushPending()
    do {
      try unsafe descriptor.write(bytes)
    } catch {
      throw error.whileWriting(name)
    }
  }

  /// Whether bytes can also be written at a place of one's choice.
  package var isSeekable: Bool { if case .direct = place { false } else { true } }

  /// Writes bytes at a place of a seekable file; what is written one after the other goes on where it was.
  package func write(at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(Failure) {
    do {
      try unsafe descriptor.write(at: offset, bytes)
    } catch {
      throw error.whileWriting(name)
    }
  }

  /// Writes bytes at a place of a seekable file.
  package func write(_ bytes: [UInt8], at offset: Int) throws(Failure) {
    var failure: Failure?
    unsafe bytes.withUnsafeBytes { buffer in
      do throws(Failure) { try unsafe write(at: offset, buffer) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  private func flushPending() throws(Failure) {
    if pending.isEmpty { return }
    let bytes = pending
    pending.removeAll(keepingCapacity: true)
    var failure: SystemError?
    unsafe bytes.withUnsafeBytes { buffer in
      do throws(SystemError) { try unsafe descriptor.write(buffer) } catch { failure = error }
    }
    if let failure { throw failure.whileWriting(name) }
  }

  /// Writes what is left and puts the file in its place. Without this call nothing is replaced.
  ///
  /// With `flushing`, it outlasts a power cut: the file is on the disk before it takes the old one's place, and its name
  /// is before this returns.
  package func finish(flushing: Bool = false) throws(Failure) {
    try flushPending()
    let folder: FilePath? =
      switch place {
      case .direct, .joined: nil
      case .unnamed(let target), .temporary(_, let target): target.folder
      }
    do {
      if flushing, folder != nil { try descriptor.flush() }
      switch place {
      case .direct, .joined: break
      case .unnamed(let target):
        if replaces {
          let temporary = temporaryPath(for: target, system)
          try descriptor.link(as: temporary)
          place = .temporary(temporary, target: target)
          try system.rename(temporary, to: target)
        } else {
          try descriptor.link(as: target)
        }
      case .temporary(let temporary, let target):
        if replaces {
          try system.rename(temporary, to: target)
        } else {
          try system.renameWithoutReplacing(temporary, to: target)
        }
      }
      place = .direct
      try descriptor.close()
      if flushing, let folder { try FileDescriptor(folder, .folder, system).flush() }
    } catch  where error == .exists {
      throw Self.alreadyThere(name)
    } catch {
      throw error.whileWriting(name)
    }
  }
}

/// The path of a hidden file beside `target` that nothing else uses.
package func temporaryPath(for target: FilePath, _ system: any SystemCalls) -> FilePath {
  temporaryPath(for: target, mark: resultMark + String(system.randomNumber(), radix: 16))
}

/// What tells the hidden files of results from those of updates, which a journal knows.
private let resultMark = "result-"

/// The path of a hidden file beside `target` that belongs to the write with that identifier.
package func temporaryPath(for target: FilePath, identifier: UInt64) -> FilePath {
  temporaryPath(for: target, mark: String(identifier, radix: 16))
}

private func temporaryPath(for target: FilePath, mark: String) -> FilePath {
  let mark = ".nnrun-" + mark
  // A name has 255 bytes at most; the longest ones are cut, their end kept apart by the checksum.
  var name = target.lastComponent
  if name.count > 200 {
    var checksum = CRC32()
    checksum.update(name)
    name = Array(name.prefix(150)) + Array(("-" + String(checksum.value, radix: 16)).utf8)
  }
  return target.sibling(FilePath(bytes: [UInt8(ascii: ".")] + name + Array(mark.utf8)))
}
