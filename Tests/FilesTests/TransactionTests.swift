import Diagnostics
import Glibc
import Testing

@testable import Files

/// A model of three files in two folders, one of them new, and an update of it on a simulated disk.
private struct Update {
  static let old = ["/m/a.yaml": "old model", "/m/w/w.npz": "old weights"]
  static let new = ["/m/a.yaml": "new model!", "/m/w/w.npz": "new weights!", "/m/n.npy": "a new file"]

  let disk: SimulatedDisk

  init() {
    disk = SimulatedDisk(folders: ["/", "/m", "/m/w"])
    for (path, text) in Self.old { disk.put(path, text, mode: path.hasSuffix("yaml") ? 0o444 : 0o600, owner: 7) }
  }

  /// The changes that a training makes, as it saw the files when it read them.
  func changes() throws -> [FileChange] {
    try Self.new.keys.sorted().map { path in
      let original = Self.old[path] == nil ? nil : try disk.status(of: FilePath(path), followingLinks: true)
      return FileChange(FilePath(path), original: original, bytes: Array((Self.new[path] ?? "").utf8))
    }
  }

  func commit(_ changes: [FileChange], lock: ModelLock? = nil) throws {
    try FileTransaction(model: "/m/a.yaml", system: UninterruptedCalls(disk)).commit(changes, lock: lock)
  }

  /// The calls of an update without faults.
  static func callCount() throws -> Int {
    let update = Update()
    let changes = try update.changes()
    let before = update.disk.callCount
    try update.commit(changes)
    return update.disk.callCount - before
  }
}

/// Whether the disk holds the old model or the new one, and nothing besides, once the next command has looked.
private func isOldOrNew(_ disk: SimulatedDisk) throws -> [String: String] {
  try FileTransaction.settle("/m/a.yaml", system: UninterruptedCalls(disk))
  let files = disk.files
  #expect(files == Update.old || files == Update.new, "\(files)")
  return files
}

@Suite("Files of a model that are replaced together")
struct TransactionTests {
  @Test("all files are replaced, modes and owners stay, nothing is left beside")
  func plain() throws {
    let update = Update()
    try update.commit(update.changes())
    #expect(update.disk.files == Update.new)
    #expect(update.disk.mode("/m/a.yaml") == 0o444)
    #expect(update.disk.mode("/m/w/w.npz") == 0o600)
    #expect(try Update.callCount() > 40)
  }

  @Test(
    "ended at any call: the old model or the new one",
    arguments: [SimulatedDisk.Fault.deathBefore, .deathAfter, .deathWithin])
  func death(_ kind: SimulatedDisk.Fault) throws {
    var outcomes: Set<[String: String]> = []
    for call in 0..<(try Update.callCount()) {
      let update = Update()
      let changes = try update.changes()
      update.disk.fail(at: call, kind)
      try? update.commit(changes)
      #expect(update.disk.isDead)
      outcomes.insert(try isOldOrNew(update.disk.afterDeath()))
    }
    #expect(outcomes == [Update.old, Update.new])
  }

  @Test("ended at any call of the repair as well")
  func deathInRecovery() throws {
    for call in 0..<(try Update.callCount()) {
      let update = Update()
      let changes = try update.changes()
      update.disk.fail(at: call, .deathAfter)
      try? update.commit(changes)
      for second in 0..<40 {
        let disk = update.disk.afterDeath()
        disk.fail(at: second, .deathAfter)
        try? FileTransaction.settle("/m/a.yaml", system: UninterruptedCalls(disk))
        if !disk.isDead { break }
        _ = try isOldOrNew(disk.afterDeath())
      }
    }
  }

  @Test("a power cut at any call: the old model or the new one, in every state that the disk can be in")
  func powerCut() throws {
    var states = 0
    for call in 0...(try Update.callCount()) {
      let update = Update()
      let changes = try update.changes()
      update.disk.fail(at: call, .deathBefore)
      try? update.commit(changes)
      for disk in update.disk.afterPowerCut() {
        let files = try isOldOrNew(disk)
        // Once the command has ended well, the new model is there for good.
        if !update.disk.isDead { #expect(files == Update.new) }
        states += 1
      }
    }
    #expect(states > 200)
  }

  @Test("a power cut while an interrupted update is repaired: the old model or the new one")
  func powerCutInRecovery() throws {
    for call in stride(from: 0, to: try Update.callCount(), by: 3) {
      let update = Update()
      let changes = try update.changes()
      update.disk.fail(at: call, .deathAfter)
      try? update.commit(changes)
      for second in stride(from: 0, to: 60, by: 2) {
        let disk = update.disk.afterDeath()
        disk.fail(at: second, .deathBefore)
        try? FileTransaction.settle("/m/a.yaml", system: UninterruptedCalls(disk))
        if !disk.isDead { break }
        for state in disk.afterPowerCut() { _ = try isOldOrNew(state) }
      }
    }
  }

  @Test("a failing call: said, and the old model or the new one", arguments: [ENOSPC, EIO, EACCES, EROFS])
  func errors(_ code: Int32) throws {
    for call in 0..<(try Update.callCount()) {
      let update = Update()
      let changes = try update.changes()
      update.disk.fail(at: call, .error(code))
      var failed = false
      do {
        try update.commit(changes)
      } catch let failure as Failure {
        failed = true
        #expect([.cannotRead, .cannotCreate, .inputOutput].contains(failure.kind), "\(failure.message)")
        if !failure.message.contains("next command") {
          #expect(update.disk.files == Update.old, "call \(call): \(update.disk.log.last ?? "")")
        }
      }
      let files = try isOldOrNew(update.disk.afterDeath())
      if !failed { #expect(files == Update.new) }
    }
  }

  @Test(
    "interrupted calls and short writes are gone on with", arguments: [SimulatedDisk.Fault.interruption, .shortWrite])
  func interruptions(_ kind: SimulatedDisk.Fault) throws {
    for call in 0..<(try Update.callCount()) {
      let update = Update()
      let changes = try update.changes()
      update.disk.fail(at: call, kind)
      try update.commit(changes)
      #expect(update.disk.files == Update.new)
    }
  }

  @Test("a file that changed since it was read is left as it is, and the new version is kept beside it")
  func changed() throws {
    let update = Update()
    let changes = try update.changes()
    update.disk.put("/m/w/w.npz", "edited")
    #expect(throws: Failure.self) { try update.commit(changes) }
    do { try update.commit(changes) } catch let failure as Failure {
      #expect(failure.kind == .busy)
      #expect(failure.message.contains("/m/a.yaml.new2"))
    }
    #expect(update.disk.files["/m/w/w.npz"] == "edited")
    #expect(update.disk.files["/m/a.yaml"] == "old model")
    #expect(update.disk.files["/m/a.yaml.new"] == "new model!")
    #expect(update.disk.files["/m/w/w.npz.new"] == "new weights!")
    #expect(update.disk.files.keys.allSatisfy { !$0.contains("/.") })
  }

  @Test("an edit after an interrupted update is not overwritten")
  func editedAfterCrash() throws {
    let update = Update()
    let changes = try update.changes()
    let renames = try { () throws -> Int in
      let probe = Update()
      let changes = try probe.changes()
      let before = probe.disk.callCount
      try probe.commit(changes)
      return (probe.disk.log.dropFirst(before).firstIndex { $0.hasPrefix("rename") } ?? 0) - before
    }()
    update.disk.fail(at: renames, .deathAfter)
    try? update.commit(changes)
    let disk = update.disk.afterDeath()
    disk.put("/m/w/w.npz", "edited by hand")
    #expect(throws: Failure.self) { try FileTransaction.settle("/m/a.yaml", system: UninterruptedCalls(disk)) }
    #expect(disk.files["/m/w/w.npz"] == "edited by hand")
    #expect(disk.files["/m/w/w.npz.new"] == "new weights!")
    try FileTransaction.settle("/m/a.yaml", system: UninterruptedCalls(disk))
  }

  @Test("a file that must be new replaces nothing")
  func newFiles() throws {
    let update = Update()
    let change = FileChange("/m/w/w.npz", original: nil, bytes: [1])
    #expect(throws: Failure.self) { try update.commit([change]) }
    #expect(update.disk.files == Update.old)
    try update.commit([FileChange("/m/w/w.npz", original: nil, replacesAnything: true, bytes: Array("x".utf8))])
    #expect(update.disk.files["/m/w/w.npz"] == "x")
    let outside = FileChange("/elsewhere", original: nil, bytes: [1])
    #expect(throws: Failure.self) { try update.commit([outside]) }
  }

  @Test("a model in training is locked for others, over its updates too")
  func lock() throws {
    let update = Update()
    let changes = try update.changes()
    let lock = try ModelLock("/m/a.yaml", system: UninterruptedCalls(update.disk))
    func isLocked() -> Bool { (try? ModelLock("/m/a.yaml", system: UninterruptedCalls(update.disk))) == nil }
    #expect(isLocked())
    update.disk.fail(at: try Update.callCount() / 2, .error(ENOSPC))
    #expect(throws: Failure.self) { try update.commit(changes, lock: lock) }
    #expect(isLocked())
    try update.commit(changes, lock: lock)
    #expect(update.disk.files == Update.new)
    #expect(isLocked())
    withExtendedLifetime(lock) {}
  }

  @Test("a foreign journal moves nothing outside of the model's folder")
  func foreignJournal() throws {
    for path in ["../x", "/x", "a/../../x", ""] {
      let journal = UpdateJournal(identifier: 5, targets: [FilePath(path)])
      #expect(UpdateJournal(journal.announcement) == nil)
    }
    let good = UpdateJournal(identifier: 5, targets: ["w/x", FilePath(bytes: [0xFF, 0x0A])])
    #expect(UpdateJournal(good.announcement) == good)
    for length in 0..<good.announcement.count { #expect(UpdateJournal(Array(good.announcement[..<length])) == nil) }
    let disk = SimulatedDisk(folders: ["/", "/m"])
    disk.put("/m/a.yaml", "old")
    disk.put("/m/.a.yaml.nnrun-update", "nonsense")
    try FileTransaction.settle("/m/a.yaml", system: UninterruptedCalls(disk))
    #expect(disk.files == ["/m/a.yaml": "old"])
  }
}
