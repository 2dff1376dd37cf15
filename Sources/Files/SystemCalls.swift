/// An error number of the operating system.
package struct SystemError: Error, Equatable, Sendable {
  /// The number, such as `ENOENT`.
  package let code: Int32

  package init(code: Int32) { self.code = code }
}

/// What the system says of a file.
package struct FileStatus: Sendable, Equatable {
  /// The kinds of file that are told apart.
  package enum Kind: Sendable, Equatable {
    case regular, folder, link, pipe, socket, device
  }

  package let kind: Kind
  /// The permission bits.
  package let mode: UInt32
  package let owner: UInt32
  package let group: UInt32
  package let size: Int
  package let device: UInt64
  package let inode: UInt64
  /// Nanoseconds since 1970 of the last change of the contents.
  package let modified: Int
  /// Nanoseconds since 1970 of the last change of contents, mode, owner or links.
  package let changed: Int

  package init(
    kind: Kind, mode: UInt32, owner: UInt32, group: UInt32, size: Int, device: UInt64, inode: UInt64, modified: Int,
    changed: Int
  ) {
    self.kind = kind
    self.mode = mode
    self.owner = owner
    self.group = group
    self.size = size
    self.device = device
    self.inode = inode
    self.modified = modified
    self.changed = changed
  }

  /// Whether both are the same file, whatever it holds.
  package func isSameFile(as other: FileStatus) -> Bool { device == other.device && inode == other.inode }
}

/// How a file is opened.
package enum OpenMode: Sendable, Equatable {
  /// For reading; never waits for the other end of a pipe.
  case reading
  /// For writing to what is there and is not a regular file; may wait for a pipe's reader.
  case writing
  /// For writing to the regular file that is there, emptied.
  case truncating
  /// For reading and writing a file that must not be there yet.
  case creating(permissions: UInt32)
  /// For reading and writing a file without a name in the folder that the path names.
  case unnamed(permissions: UInt32)
  /// A folder, to flush it.
  case folder
}

/// The system calls that reading and saving are made of, each as the system has it: a call may be interrupted
/// (`EINTR`), may write less than it was given, and may fail.
///
/// All but the lowest level use them through `UninterruptedCalls`. Tests stand other calls in their place to let any one
/// fail, or to end the "process" at any one.
package protocol SystemCalls: Sendable {
  func open(_ path: FilePath, _ mode: OpenMode) throws(SystemError) -> Int32
  func close(_ descriptor: Int32) throws(SystemError)
  func read(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int
  func read(_ descriptor: Int32, at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int
  func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int
  func write(_ descriptor: Int32, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int
  func status(of descriptor: Int32) throws(SystemError) -> FileStatus
  func status(of path: FilePath, followingLinks: Bool) throws(SystemError) -> FileStatus
  /// Puts contents and metadata on the disk (fsync).
  func flush(_ descriptor: Int32) throws(SystemError)
  func setMode(_ descriptor: Int32, _ mode: UInt32) throws(SystemError)
  func setOwner(_ descriptor: Int32, owner: UInt32, group: UInt32) throws(SystemError)
  /// Replaces what `new` names.
  func rename(_ old: FilePath, to new: FilePath) throws(SystemError)
  /// Fails with `EEXIST` where `new` names something.
  func renameWithoutReplacing(_ old: FilePath, to new: FilePath) throws(SystemError)
  /// Gives a file opened as `unnamed` a name; fails with `EEXIST` where there is one.
  func link(_ descriptor: Int32, as path: FilePath) throws(SystemError)
  func remove(_ path: FilePath) throws(SystemError)
  /// Takes the lock of the open file without waiting; fails with `EWOULDBLOCK` where another holds it.
  func lock(_ descriptor: Int32) throws(SystemError)
  /// The absolute path without links of something that exists.
  func resolve(_ path: FilePath) throws(SystemError) -> FilePath
  /// Where a link points to.
  func readLink(_ path: FilePath) throws(SystemError) -> FilePath
  /// The names in a folder, but for `.` and `..`, in no order.
  func names(in folder: FilePath) throws(SystemError) -> [FilePath]
  func randomNumber() -> UInt64
  func sleep(milliseconds: Int)
}
