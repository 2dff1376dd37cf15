package import Diagnostics

/// A file that an update gives new contents.
package struct FileChange {
  /// Where; links are followed.
  package let path: FilePath
  /// What the system said of it when it was read; nil where it must not be there yet.
  package let original: FileStatus?
  /// Whether it may replace what is there, whatever that is.
  package let replacesAnything: Bool
  /// Writes the new contents.
  package let write: (any ByteSink) throws(Failure) -> Void

  package init(
    _ path: FilePath, original: FileStatus?, replacesAnything: Bool = false,
    write: @escaping (any ByteSink) throws(Failure) -> Void
  ) {
    self.path = path
    self.original = original
    self.replacesAnything = replacesAnything
    self.write = write
  }

  package init(_ path: FilePath, original: FileStatus?, replacesAnything: Bool = false, bytes: [UInt8]) {
    self.init(path, original: original, replacesAnything: replacesAnything) { sink throws(Failure) in
      try sink.write(bytes)
    }
  }
}

/// Replaces several files of a model together: whatever happens, all are new or all are old once the next command has
/// looked (`settle`).
///
///     journal announced ─▶ temporary files written, flushed, read again ─▶ journal committed ─▶ renamed ─▶ journal removed
///
/// Up to the commit, what is left of an interrupted update is removed; from there on, it is finished. Every step is
/// flushed to the disk before the next begins, so the same holds after a power cut.
package struct FileTransaction {
  private struct Step {
    let change: FileChange
    /// Absolute, without links.
    let target: FilePath
    let relative: FilePath
    let existing: FileStatus?
  }

  private let system: any SystemCalls
  private let model: FilePath
  private let folder: FilePath
  private let journalPath: FilePath

  /// The update of the model whose file is, or will be, at `model`.
  package init(model: FilePath, system: any SystemCalls = OperatingSystem()) throws(Failure) {
    self.system = system
    self.model = try Self.resolved(model, system)
    folder = self.model.folder
    journalPath = UpdateJournal.path(for: self.model)
  }

  /// The absolute path, without links, of a file that may not be there yet.
  private static func resolved(_ path: FilePath, _ system: any SystemCalls) throws(Failure) -> FilePath {
    do {
      return try system.resolve(path)
    } catch  where error == .notFound {
      do {
        return try system.resolve(path.folder).appending(FilePath(bytes: path.lastComponent))
      } catch {
        throw error.whileCreating(path.description)
      }
    } catch {
      throw error.whileReading(path.description)
    }
  }

  /// Makes the changes; all lie in the model's folder or below. The lock, where one is held, goes over to the new file.
  ///
  /// Throws `busy` where a file changed since it was read (the new contents are kept beside it), `cannotCreate` or
  /// `inputOutput` where something cannot be written; then the old files are in place, unless the message says that the
  /// next command will finish the update.
  package func commit(_ changes: [FileChange], lock: ModelLock? = nil) throws(Failure) {
    try Self.settle(model, system: system)
    let steps = try changes.map { change throws(Failure) in try step(change) }
    var journal = UpdateJournal(identifier: system.randomNumber(), targets: steps.map(\.relative))
    let journalFile = try createJournal(journal)
    var folders = [folder]
    for step in steps where !folders.contains(step.target.folder) { folders.append(step.target.folder) }
    var isCommitted = false
    var renamed = 0
    do {
      for (index, step) in steps.enumerated() {
        let (descriptor, contents) = try writeTemporary(step, journal.temporary(step.target))
        journal.targets[index].new = contents
        if step.target == model, let lock {
          try attempt(step.target) { () throws(SystemError) in try lock.prepareMove(to: descriptor) }
        }
      }
      for folder in folders { try flush(folder) }
      for (index, step) in steps.enumerated() { journal.targets[index].old = try unchangedContents(step) }
      try attempt(model) { () throws(SystemError) in
        try journalFile.write(at: journal.announcement.count, journal.commitment)
        // From here on the record may be on the disk, whether the flush succeeds or not.
        isCommitted = true
        try journalFile.flush()
      }
      for step in steps {
        try attempt(step.target) { () throws(SystemError) in
          try system.rename(journal.temporary(step.target), to: step.target)
        }
        renamed += 1
      }
      lock?.hasMoved()
      for folder in folders { try flush(folder) }
    } catch {
      if renamed > 0 {
        throw Failure(error.kind, error.message + "; the next command on \(model) will finish the update")
      }
      try undo(
        journal, journalFile, wasCommitted: isCommitted, keepingBeside: error.kind == .busy ? steps.map(\.target) : [])
      throw error
    }
    removeJournal()
  }

  private func step(_ change: FileChange) throws(Failure) -> Step {
    let target = try Self.resolved(change.path, system)
    guard let relative = target.relative(to: folder) else {
      throw Failure(.cannotCreate, "cannot write \(change.path): it is not in the folder of \(model) or below")
    }
    let existing = try? system.status(of: target, followingLinks: false)
    if let existing {
      guard existing.kind == .regular else {
        throw Failure(.cannotCreate, "cannot write \(change.path): it is not a regular file")
      }
      guard change.original != nil || change.replacesAnything else {
        throw Failure(.cannotCreate, "\(change.path) exists already; `--force` replaces it")
      }
    }
    return Step(change: change, target: target, relative: relative, existing: existing)
  }

  private func createJournal(_ journal: UpdateJournal) throws(Failure) -> FileDescriptor {
    let busy = Failure(.busy, "\(model) is being updated by another process")
    let file: FileDescriptor
    do {
      file = try FileDescriptor(journalPath, .creating(permissions: 0o644), system)
    } catch {
      throw error == .exists ? busy : error.whileCreating(journalPath.description)
    }
    do {
      // The lock says that the update is alive; without it, the next command clears up.
      let isLocked = try file.lock()
      let current = try system.status(of: journalPath, followingLinks: false)
      let status = try file.status()
      if isLocked, status.isSameFile(as: current) {
        try file.write(at: 0, journal.announcement)
        try file.flush()
        try FileDescriptor(folder, .folder, system).flush()
        return file
      }
    } catch {
      removeJournal()
      throw error.whileWriting(journalPath.description)
    }
    throw busy
  }

  /// Writes a new file beside its target, flushes it, and reads it again.
  private func writeTemporary(
    _ step: Step, _ path: FilePath
  ) throws(Failure) -> (FileDescriptor, UpdateJournal.Contents) {
    let descriptor: FileDescriptor
    do {
      descriptor = try FileDescriptor(path, .creating(permissions: step.existing == nil ? 0o666 : 0o600), system)
    } catch {
      throw error.whileCreating(step.change.path.description)
    }
    let sink = ChecksumSink(descriptor, name: step.change.path.description)
    try step.change.write(sink)
    try sink.flushPending()
    try attempt(step.change.path) { () throws(SystemError) in
      if let existing = step.existing {
        let own = try descriptor.status()
        if own.owner != existing.owner || own.group != existing.group {
          // Only root may give files away; a file of another's in one's own folder becomes one's own.
          try? descriptor.setOwner(existing.owner, group: existing.group)
        }
        try descriptor.setMode(existing.mode)
      }
      try descriptor.flush()
    }
    let written = UpdateJournal.Contents(size: sink.count, checksum: sink.checksum.value)
    guard try contents(of: descriptor, name: step.change.path.description) == written else {
      throw Failure(
        .inputOutput, "\(step.change.path): what was written reads back differently; the disk may be failing")
    }
    return (descriptor, written)
  }

  /// Size and checksum of what a change replaces; refuses where that is no longer what was read.
  private func unchangedContents(_ step: Step) throws(Failure) -> UpdateJournal.Contents? {
    let current: FileStatus?
    do {
      current = try system.status(of: step.target, followingLinks: false)
    } catch  where error == .notFound {
      current = nil
    } catch {
      throw error.whileReading(step.change.path.description)
    }
    if let original = step.change.original, !step.change.replacesAnything {
      guard let current, current.isSameFile(as: original), current.size == original.size,
        current.modified == original.modified
      else { throw Failure(.busy, "\(step.change.path) changed on disk meanwhile and was left as it is") }
    } else if current != nil, step.existing == nil {
      throw Failure(.busy, "\(step.change.path) was created by another meanwhile and was left as it is")
    }
    guard current != nil else { return nil }
    do {
      return try contents(of: FileDescriptor(step.target, .reading, system), name: step.change.path.description)
    } catch let failure as Failure {
      throw failure
    } catch {
      // A file that may be replaced but not read: its contents cannot tell a crash from an edit later.
      return nil
    }
  }

  private func contents(of descriptor: FileDescriptor, name: String) throws(Failure) -> UpdateJournal.Contents {
    try UpdateJournal.Contents(of: descriptor, name: name)
  }

  private func undo(
    _ journal: UpdateJournal, _ journalFile: FileDescriptor, wasCommitted: Bool, keepingBeside targets: [FilePath]
  ) throws(Failure) {
    do {
      if wasCommitted {
        try journalFile.write(at: journal.announcement.count + journal.commitment.count, UpdateJournal.abandonment)
        try journalFile.flush()
      }
    } catch {
      throw Failure(
        .inputOutput,
        "cannot write \(journalPath): \(error.reason); the next command on \(model) will finish or undo the update")
    }
    var kept: [String] = []
    for target in targets {
      if let place = keepBeside(journal.temporary(target), target, system) { kept.append(place.description) }
    }
    var folders: Set<FilePath> = []
    for target in journal.targets {
      let temporary = journal.temporary(folder.appending(target.path))
      try? system.remove(temporary)
      folders.insert(temporary.folder)
    }
    // On the disk before the journal goes: after a power cut, nothing else would know of them.
    for folder in folders { try? flush(folder) }
    removeJournal()
    if !kept.isEmpty {
      throw Failure(
        .busy,
        "\(model) or a file of its weights changed on disk meanwhile and was left as it is; "
          + "the new version is in \(kept.joined(separator: ", "))")
    }
  }

  private func removeJournal() {
    // A journal that stays is finished by the next command, which finds nothing left to do.
    try? system.remove(journalPath)
    try? flush(folder)
  }

  private func flush(_ folder: FilePath) throws(Failure) { try flushFolder(folder, system) }

  private func attempt(_ path: FilePath, _ body: () throws(SystemError) -> Void) throws(Failure) {
    do { try body() } catch { throw error.whileWriting(path.description) }
  }
}

/// Puts the names in a folder on the disk.
func flushFolder(_ folder: FilePath, _ system: any SystemCalls) throws(Failure) {
  do {
    try FileDescriptor(folder, .folder, system).flush()
  } catch {
    throw error.whileWriting(folder.description)
  }
}

/// Puts a new version beside the file that it was to replace, as `NAME.new`; where that is, nil where it failed.
func keepBeside(_ temporary: FilePath, _ target: FilePath, _ system: any SystemCalls) -> FilePath? {
  for number in 1...99 {
    let place = FilePath(bytes: target.bytes + Array((number == 1 ? ".new" : ".new\(number)").utf8))
    do {
      try system.renameWithoutReplacing(temporary, to: place)
      return place
    } catch  where error == .exists {
      continue
    } catch {
      return nil
    }
  }
  return nil
}

/// A new file as it is written, with its checksum.
private final class ChecksumSink: ByteSink {
  private let descriptor: FileDescriptor
  private let name: String
  private var pending: [UInt8] = []
  private(set) var count = 0
  private(set) var checksum = CRC32()

  init(_ descriptor: FileDescriptor, name: String) {
    self.descriptor = descriptor
    self.name = name
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
    unsafe checksum.update(bytes)
    count += bytes.count
    unsafe pending.append(contentsOf: bytes)
    if pending.count >= 1 << 18 { try flushPending() }
  }

  func flushPending() throws(Failure) {
    do {
      try descriptor.write(at: count - pending.count, pending)
    } catch {
      throw error.whileWriting(name)
    }
    pending.removeAll(keepingCapacity: true)
  }
}

extension UpdateJournal.Contents {
  /// Size and checksum of an open file.
  init(of descriptor: FileDescriptor, name: String) throws(Failure) {
    var checksum = CRC32()
    var position = 0
    while true {
      let piece: [UInt8]
      do {
        piece = try descriptor.read(at: position, upTo: 1 << 18)
      } catch {
        throw error.whileReading(name, kind: .inputOutput)
      }
      if piece.isEmpty { break }
      checksum.update(piece)
      position += piece.count
    }
    self.init(size: position, checksum: checksum.value)
  }
}
