package import Diagnostics

extension FileTransaction {
  /// Finishes or undoes what an interrupted update of the model at `path` left; to be called before the model is read.
  ///
  /// Where there is nothing to do, this costs one or two system calls. An update that is alive is waited for once it is
  /// committed; before that the old model is whole and can be read. Throws `busy` where a file was edited after an
  /// update was cut off (the new version is kept beside it), `inputOutput` where an update cannot be finished.
  package static func settle(_ path: FilePath, system: any SystemCalls = OperatingSystem()) throws(Failure) {
    let model: FilePath
    if let resolved = try? system.resolve(path) {
      model = resolved
    } else if let folder = try? system.resolve(path.folder) {
      model = folder.appending(FilePath(bytes: path.lastComponent))
    } else {
      return
    }
    let journalPath = UpdateJournal.path(for: model)
    // A live update that is committed takes as long as its renames; a minute is beyond all measure.
    for _ in 0..<6000 {
      guard let file = try? FileDescriptor(journalPath, .reading, system) else { return }
      do {
        let status = try file.status()
        guard status.kind == .regular, status.size <= 1 << 20 else { return }
        let bytes = try file.read(at: 0, upTo: status.size)
        let isMine = try file.lock()
        if !isMine {
          guard let journal = UpdateJournal(bytes), journal.isCommitted else { return }
          system.sleep(milliseconds: 10)
          continue
        }
        guard let current = try? system.status(of: journalPath, followingLinks: false), current.isSameFile(as: status)
        else { continue }
        // Once more, now that nobody else writes.
        let final = try file.read(at: 0, upTo: 1 << 20)
        // What is done by the journal must not reach the disk before what it says: its writer may have been killed
        // before it was flushed.
        try file.flush()
        try Recovery(model: model, journalPath: journalPath, system: system).run(UpdateJournal(final))
        return
      } catch let failure as Failure {
        throw failure
      } catch let error as SystemError {
        throw error.whileReading(journalPath.description)
      } catch {
        return
      }
    }
    throw Failure(.busy, "\(model) is being updated by another process")
  }

  /// Reads a model of several files such that all belong to the same update: `body` is called again where another
  /// process updated the model meanwhile.
  package static func reading<Result>(
    _ model: FilePath, system: any SystemCalls = OperatingSystem(), _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var attempt = 0
    while true {
      try settle(model, system: system)
      let before = folderStatus(model, system)
      let outcome = Swift.Result { () throws(Failure) in try body() }
      attempt += 1
      // Every update makes and removes a journal, which changes the folder.
      if attempt == 5 || before == folderStatus(model, system) { return try outcome.get() }
    }
  }

  private static func folderStatus(_ model: FilePath, _ system: any SystemCalls) -> Int? {
    guard let resolved = try? system.resolve(model) else { return nil }
    return try? system.status(of: resolved.folder, followingLinks: true).modified
  }
}

/// What the next command does with what an interrupted update left.
private struct Recovery {
  let model: FilePath
  let journalPath: FilePath
  let system: any SystemCalls

  private var folder: FilePath { model.folder }

  func run(_ journal: UpdateJournal?) throws(Failure) {
    if let journal {
      if journal.isCommitted { try finish(journal) } else { undo(journal) }
    }
    try? system.remove(journalPath)
    try? flushFolder(folder, system)
  }

  /// Removes the temporary files. In a folder that one may not write to they stay, and do no harm.
  private func undo(_ journal: UpdateJournal) {
    var folders: Set<FilePath> = []
    for target in journal.targets {
      guard let path = place(target) else { continue }
      let temporary = journal.temporary(path)
      folders.insert(path.folder)
      if (try? system.status(of: temporary, followingLinks: false))?.kind == .regular { try? system.remove(temporary) }
    }
    // On the disk before the journal goes: after a power cut, nothing else would know of them.
    for folder in folders { try? flushFolder(folder, system) }
  }

  private func finish(_ journal: UpdateJournal) throws(Failure) {
    var conflicts: [String] = []
    var folders: Set<FilePath> = []
    for target in journal.targets {
      guard let path = place(target), let new = target.new else { continue }
      let temporary = journal.temporary(path)
      folders.insert(path.folder)
      // A temporary file that is gone has been renamed, perhaps by a process that was killed before it flushed that.
      guard (try? system.status(of: temporary, followingLinks: false))?.kind == .regular else { continue }
      guard try contents(temporary) == new else {
        throw Failure(
          .inputOutput, "an interrupted update of \(model) cannot be finished: \(temporary) is damaged")
      }
      let current = try contents(path)
      if current == target.old || current == new || (target.old == nil && current == nil) {
        do {
          try system.rename(temporary, to: path)
        } catch {
          throw Failure(
            .inputOutput, "an interrupted update of \(model) cannot be finished: \(path): \(error.reason)")
        }
        // Two names of one file are left by the rename of one to the other.
        try? system.remove(temporary)
      } else if let kept = keepBeside(temporary, path, system) {
        conflicts.append("\(path) (the new version is in \(kept))")
      } else {
        throw Failure(.inputOutput, "an interrupted update of \(model) cannot be finished: \(path) was edited")
      }
    }
    for folder in folders { try flushFolder(folder, system) }
    if !conflicts.isEmpty {
      try? system.remove(journalPath)
      throw Failure(
        .busy,
        "an update of \(model) was interrupted, and since then another changed "
          + conflicts.joined(separator: ", "))
    }
  }

  /// Size and checksum of a file; nil where it is not there or no regular file.
  private func contents(_ path: FilePath) throws(Failure) -> UpdateJournal.Contents? {
    guard (try? system.status(of: path, followingLinks: false))?.kind == .regular,
      let descriptor = try? FileDescriptor(path, .reading, system)
    else { return nil }
    return try UpdateJournal.Contents(of: descriptor, name: path.description)
  }

  /// Where a journal's target is; nil where a link leads it out of the folder, as only a foreign journal would.
  private func place(_ target: UpdateJournal.Target) -> FilePath? {
    let path = folder.appending(target.path)
    guard let parent = try? system.resolve(path.folder),
      parent == folder || parent.relative(to: folder) != nil
    else { return nil }
    return parent.appending(FilePath(bytes: path.lastComponent))
  }
}
