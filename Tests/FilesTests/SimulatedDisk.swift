import Files
import Glibc
import Synchronization

@testable import Files

/// A disk in memory that can fail, stop the process at any call, and lose power.
///
/// What is on the disk for good and what is only known to the running system are kept apart: contents are safe once the
/// file was flushed, names once their folder was flushed. A power cut keeps any part of what was not.
final class SimulatedDisk: SystemCalls {
  /// What befalls the call of a certain number.
  enum Fault: Sendable, Equatable {
    case error(Int32)
    /// Once, and the call is to be made again.
    case interruption
    /// A write takes only a byte.
    case shortWrite
    /// The process ends before the call does anything.
    case deathBefore
    /// The process ends when the call is done.
    case deathAfter
    /// The process ends when half of a write is done.
    case deathWithin
  }

  enum NameChange: Sendable {
    case add(String, Int)
    case remove(String)
    case rename(String, String)

    var folder: String {
      switch self {
      case .add(let path, _), .remove(let path), .rename(let path, _): parent(path)
      }
    }

    func apply(to names: inout [String: Int]) {
      switch self {
      case .add(let path, let inode): names[path] = inode
      case .remove(let path): names[path] = nil
      case .rename(let old, let new):
        if let inode = names[old] {
          names[old] = nil
          names[new] = inode
        }
      }
    }
  }

  struct Contents: Sendable {
    var bytes: [UInt8]
    var safe: [UInt8]
    var mode: UInt32 = 0o644
    var owner: UInt32 = 0
    var modified = 0
  }

  struct State: Sendable {
    var contents: [Int: Contents] = [:]
    var names: [String: Int] = [:]
    var safeNames: [String: Int] = [:]
    var pending: [NameChange] = []
    var folders: Set<String> = []
    var folderTimes: [String: Int] = [:]
    var open: [Int32: (inode: Int, folder: String?)] = [:]
    var locks: [Int: Int32] = [:]
    var clock = 1
    var calls = 0
    var isDead = false
    var fault: (call: Int, kind: Fault)?
    var log: [String] = []
  }

  private let state: Mutex<State>

  init(folders: [String]) { state = Mutex(State(folders: Set(folders))) }

  init(_ state: State) { self.state = Mutex(state) }

  /// Puts a file on the disk for good.
  func put(_ path: String, _ text: String, mode: UInt32 = 0o644, owner: UInt32 = 0) {
    state.withLock { state in
      let inode = state.clock
      state.clock += 1
      state.contents[inode] = Contents(
        bytes: Array(text.utf8), safe: Array(text.utf8), mode: mode, owner: owner, modified: state.clock)
      state.names[path] = inode
      state.safeNames[path] = inode
    }
  }

  /// All files by name.
  var files: [String: String] {
    state.withLock { state in
      state.names.mapValues { String(decoding: state.contents[$0]?.bytes ?? [], as: UTF8.self) }
    }
  }

  func mode(_ path: String) -> UInt32? {
    state.withLock { state in state.names[path].flatMap { state.contents[$0]?.mode } }
  }

  var callCount: Int { state.withLock { $0.calls } }
  var log: [String] { state.withLock { $0.log } }
  var isDead: Bool { state.withLock { $0.isDead } }

  func fail(at call: Int, _ kind: Fault) { state.withLock { $0.fault = ($0.calls + call, kind) } }

  /// The machine goes on, the process does not: another one finds this.
  func afterDeath() -> SimulatedDisk {
    state.withLock { state in
      var next = state
      next.open = [:]
      next.locks = [:]
      next.isDead = false
      next.fault = nil
      return SimulatedDisk(next)
    }
  }

  /// Every state in which a power cut can leave the disk now.
  func afterPowerCut() -> [SimulatedDisk] {
    let now = state.withLock { $0 }
    var results: [SimulatedDisk] = []
    let unsafeInodes = now.contents.keys.sorted().filter { now.contents[$0].map { $0.bytes != $0.safe } ?? false }
    var variants = 1
    for _ in unsafeInodes { variants *= 4 }
    for subset in 0..<(1 << now.pending.count) {
      for variant in 0..<variants {
        var next = now
        next.names = now.safeNames
        for (index, change) in now.pending.enumerated() where subset >> index & 1 == 1 { change.apply(to: &next.names) }
        var choice = variant
        for inode in unsafeInodes {
          guard var contents = next.contents[inode] else { continue }
          switch choice % 4 {
          case 0: contents.bytes = contents.safe
          case 1: contents.bytes = Array(contents.bytes.prefix(contents.bytes.count / 2))
          case 2:
            // The length came through, the bytes did not.
            let missing = max(0, contents.bytes.count - contents.safe.count)
            contents.bytes = contents.safe + [UInt8](repeating: 0, count: missing)
          default: break
          }
          choice /= 4
          next.contents[inode] = contents
        }
        next.contents = next.contents.mapValues { contents in
          var settled = contents
          settled.safe = contents.bytes
          return settled
        }
        next.safeNames = next.names
        next.pending = []
        next.open = [:]
        next.locks = [:]
        next.isDead = false
        next.fault = nil
        results.append(SimulatedDisk(next))
      }
    }
    return results
  }

  private func call<Result>(
    _ name: String, _ body: (inout State) throws(SystemError) -> Result
  ) throws(SystemError) -> Result {
    try state.withLock { state throws(SystemError) -> Result in
      if state.isDead { throw SystemError(code: EIO) }
      state.calls += 1
      state.log.append(name)
      guard let fault = state.fault, fault.call == state.calls - 1 else { return try body(&state) }
      switch fault.kind {
      case .error(let code): throw SystemError(code: code)
      case .interruption: throw .interrupted
      case .deathBefore: state.isDead = true
      case .deathAfter, .deathWithin:
        _ = try? body(&state)
        state.isDead = true
      case .shortWrite: return try body(&state)
      }
      throw SystemError(code: EIO)
    }
  }

  private func inode(_ descriptor: Int32, _ state: State) throws(SystemError) -> Int {
    guard let open = state.open[descriptor] else { throw SystemError(code: EBADF) }
    return open.inode
  }

  func open(_ path: FilePath, _ mode: OpenMode) throws(SystemError) -> Int32 {
    let path = String(decoding: path.bytes, as: UTF8.self)
    return try call("open \(mode) \(path)") { state throws(SystemError) in
      let descriptor = Int32(state.clock + 100)
      state.clock += 1
      switch mode {
      case .folder:
        guard state.folders.contains(path) else { throw .notFound }
        state.open[descriptor] = (-1, path)
      case .creating(let permissions):
        guard state.folders.contains(parent(path)) else { throw .notFound }
        guard state.names[path] == nil else { throw .exists }
        let inode = state.clock
        state.contents[inode] = Contents(bytes: [], safe: [], mode: permissions, modified: inode)
        change(.add(path, inode), &state)
        state.open[descriptor] = (inode, nil)
      default:
        guard let inode = state.names[path] else { throw .notFound }
        state.open[descriptor] = (inode, nil)
      }
      return descriptor
    }
  }

  private func change(_ change: NameChange, _ state: inout State) {
    change.apply(to: &state.names)
    state.pending.append(change)
    state.clock += 1
    state.folderTimes[change.folder] = state.clock
  }

  func close(_ descriptor: Int32) throws(SystemError) {
    try call("close") { state throws(SystemError) in
      state.open[descriptor] = nil
      state.locks = state.locks.filter { $0.value != descriptor }
    }
  }

  func read(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
    throw SystemError(code: EBADF)
  }

  func read(
    _ descriptor: Int32, at offset: Int, into buffer: UnsafeMutableRawBufferPointer
  ) throws(SystemError) -> Int {
    try call("read") { state throws(SystemError) in
      let bytes = state.contents[try inode(descriptor, state)]?.bytes ?? []
      let count = max(0, min(buffer.count, bytes.count - offset))
      for index in 0..<count { unsafe buffer[index] = bytes[offset + index] }
      return count
    }
  }

  func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int {
    throw SystemError(code: EBADF)
  }

  func write(_ descriptor: Int32, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int {
    try call("write") { state throws(SystemError) in
      let inode = try inode(descriptor, state)
      var count = bytes.count
      if let fault = state.fault, fault.call == state.calls - 1 {
        if fault.kind == .deathWithin { count /= 2 }
        if fault.kind == .shortWrite { count = min(1, count) }
      }
      var contents = state.contents[inode] ?? Contents(bytes: [], safe: [])
      while contents.bytes.count < offset + count { contents.bytes.append(0) }
      for index in 0..<count { contents.bytes[offset + index] = unsafe bytes[index] }
      state.clock += 1
      contents.modified = state.clock
      state.contents[inode] = contents
      return count
    }
  }

  private func status(_ inode: Int, _ state: State) throws(SystemError) -> FileStatus {
    guard let contents = state.contents[inode] else { throw .notFound }
    return FileStatus(
      kind: .regular, mode: contents.mode, owner: contents.owner, group: 0, size: contents.bytes.count, device: 1,
      inode: UInt64(inode), modified: contents.modified, changed: contents.modified)
  }

  func status(of descriptor: Int32) throws(SystemError) -> FileStatus {
    try call("status") { state throws(SystemError) in try status(inode(descriptor, state), state) }
  }

  func status(of path: FilePath, followingLinks: Bool) throws(SystemError) -> FileStatus {
    let path = String(decoding: path.bytes, as: UTF8.self)
    return try call("status \(path)") { state throws(SystemError) in
      if state.folders.contains(path) {
        let time = state.folderTimes[path] ?? 0
        return FileStatus(
          kind: .folder, mode: 0o755, owner: 0, group: 0, size: 0, device: 1, inode: 0, modified: time, changed: time)
      }
      guard let inode = state.names[path] else { throw .notFound }
      return try status(inode, state)
    }
  }

  func flush(_ descriptor: Int32) throws(SystemError) {
    try call("flush") { state throws(SystemError) in
      guard let open = state.open[descriptor] else { throw SystemError(code: EBADF) }
      if let folder = open.folder {
        for change in state.pending where change.folder == folder { change.apply(to: &state.safeNames) }
        state.pending.removeAll { $0.folder == folder }
      } else if let contents = state.contents[open.inode] {
        state.contents[open.inode]?.safe = contents.bytes
      }
    }
  }

  func setMode(_ descriptor: Int32, _ mode: UInt32) throws(SystemError) {
    try call("mode") { state throws(SystemError) in state.contents[try inode(descriptor, state)]?.mode = mode }
  }

  func setOwner(_ descriptor: Int32, owner: UInt32, group: UInt32) throws(SystemError) {
    try call("owner") { state throws(SystemError) in state.contents[try inode(descriptor, state)]?.owner = owner }
  }

  func rename(_ old: FilePath, to new: FilePath) throws(SystemError) {
    let (old, new) = (String(decoding: old.bytes, as: UTF8.self), String(decoding: new.bytes, as: UTF8.self))
    try call("rename \(old) \(new)") { state throws(SystemError) in
      guard state.names[old] != nil else { throw .notFound }
      change(.rename(old, new), &state)
    }
  }

  func renameWithoutReplacing(_ old: FilePath, to new: FilePath) throws(SystemError) {
    let (old, new) = (String(decoding: old.bytes, as: UTF8.self), String(decoding: new.bytes, as: UTF8.self))
    try call("renameWithoutReplacing \(old) \(new)") { state throws(SystemError) in
      guard state.names[old] != nil else { throw .notFound }
      guard state.names[new] == nil else { throw .exists }
      change(.rename(old, new), &state)
    }
  }

  func link(_ descriptor: Int32, as path: FilePath) throws(SystemError) { throw SystemError(code: EOPNOTSUPP) }

  func remove(_ path: FilePath) throws(SystemError) {
    let path = String(decoding: path.bytes, as: UTF8.self)
    try call("remove \(path)") { state throws(SystemError) in
      guard state.names[path] != nil else { throw .notFound }
      change(.remove(path), &state)
    }
  }

  func lock(_ descriptor: Int32) throws(SystemError) {
    try call("lock") { state throws(SystemError) in
      let inode = try inode(descriptor, state)
      if let holder = state.locks[inode], holder != descriptor { throw .wouldBlock }
      state.locks[inode] = descriptor
    }
  }

  func resolve(_ path: FilePath) throws(SystemError) -> FilePath {
    let text = String(decoding: path.bytes, as: UTF8.self)
    return try call("resolve \(text)") { state throws(SystemError) in
      guard state.folders.contains(text) || state.names[text] != nil else { throw .notFound }
      return path
    }
  }

  func readLink(_ path: FilePath) throws(SystemError) -> FilePath { throw SystemError(code: EINVAL) }
  func names(in folder: FilePath) throws(SystemError) -> [FilePath] { throw SystemError(code: EINVAL) }
  func randomNumber() -> UInt64 { state.withLock { UInt64($0.clock) } }
  func sleep(milliseconds: Int) {}
}

private func parent(_ path: String) -> String { String(decoding: FilePath(path).folder.bytes, as: UTF8.self) }
