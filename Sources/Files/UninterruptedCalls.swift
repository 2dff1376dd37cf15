/// System calls that are repeated for as long as a signal interrupts them.
package struct UninterruptedCalls<Base: SystemCalls>: SystemCalls {
  private let base: Base

  package init(_ base: Base) { self.base = base }

  package func open(_ path: FilePath, _ mode: OpenMode) throws(SystemError) -> Int32 {
    try repeated { () throws(SystemError) in try base.open(path, mode) }
  }

  package func close(_ descriptor: Int32) throws(SystemError) {
    // Linux has closed it all the same; a second close could hit another file.
    do { try base.close(descriptor) } catch  where error == .interrupted {}
  }

  package func read(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
    try repeated { () throws(SystemError) in try unsafe base.read(descriptor, into: buffer) }
  }

  package func read(_ descriptor: Int32, at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(SystemError)
    -> Int
  {
    try repeated { () throws(SystemError) in try unsafe base.read(descriptor, at: offset, into: buffer) }
  }

  package func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int {
    try repeated { () throws(SystemError) in try unsafe base.write(descriptor, bytes) }
  }

  package func write(_ descriptor: Int32, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int {
    try repeated { () throws(SystemError) in try unsafe base.write(descriptor, at: offset, bytes) }
  }

  package func status(of descriptor: Int32) throws(SystemError) -> FileStatus {
    try repeated { () throws(SystemError) in try base.status(of: descriptor) }
  }

  package func status(of path: FilePath, followingLinks: Bool) throws(SystemError) -> FileStatus {
    try repeated { () throws(SystemError) in try base.status(of: path, followingLinks: followingLinks) }
  }

  package func flush(_ descriptor: Int32) throws(SystemError) {
    try repeated { () throws(SystemError) in try base.flush(descriptor) }
  }

  package func setMode(_ descriptor: Int32, _ mode: UInt32) throws(SystemError) {
    try repeated { () throws(SystemError) in try base.setMode(descriptor, mode) }
  }

  package func setOwner(_ descriptor: Int32, owner: UInt32, group: UInt32) throws(SystemError) {
    try repeated { () throws(SystemError) in try base.setOwner(descriptor, owner: owner, group: group) }
  }

  package func rename(_ old: FilePath, to new: FilePath) throws(SystemError) {
    try repeated { () throws(SystemError) in try base.rename(old, to: new) }
  }

  package func renameWithoutReplacing(_ old: FilePath, to new: FilePath) throws(SystemError) {
    try repeated { () throws(SystemError) in try base.renameWithoutReplacing(old, to: new) }
  }

  package func link(_ descriptor: Int32, as path: FilePath) throws(SystemError) {
    try repeated { () throws(SystemError) in try base.link(descriptor, as: path) }
  }

  package func remove(_ path: FilePath) throws(SystemError) {
    try repeated { () throws(SystemError) in try base.remove(path) }
  }

  package func lock(_ descriptor: Int32) throws(SystemError) {
    try repeated { () throws(SystemError) in try base.lock(descriptor) }
  }

  package func resolve(_ path: FilePath) throws(SystemError) -> FilePath {
    try repeated { () throws(SystemError) in try base.resolve(path) }
  }

  package func readLink(_ path: FilePath) throws(SystemError) -> FilePath {
    try repeated { () throws(SystemError) in try base.readLink(path) }
  }

  package func names(in folder: FilePath) throws(SystemError) -> [FilePath] {
    try repeated { () throws(SystemError) in try base.names(in: folder) }
  }

  package func randomNumber() -> UInt64 { base.randomNumber() }

  package func sleep(milliseconds: Int) { base.sleep(milliseconds: milliseconds) }

  private func repeated<Result>(_ call: () throws(SystemError) -> Result) throws(SystemError) -> Result {
    while true {
      do {
        return try call()
      } catch  where error == .interrupted {
        continue
      }
    }
  }
}
