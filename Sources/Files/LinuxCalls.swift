#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The system as the program uses it.
package typealias OperatingSystem = UninterruptedCalls<LinuxCalls>

extension OperatingSystem {
  package init() { self.init(LinuxCalls()) }
}

/// The system calls of Linux.
package struct LinuxCalls: SystemCalls {
  package init() {}

  package func open(_ path: FilePath, _ mode: OpenMode) throws(SystemError) -> Int32 {
    let flags: Int32
    var permissions: UInt32 = 0
    switch mode {
    case .reading: flags = O_RDONLY | O_NONBLOCK
    case .writing: flags = O_WRONLY
    case .truncating: flags = O_WRONLY | O_TRUNC
    case .creating(let wanted):
      flags = O_RDWR | O_CREAT | O_EXCL
      permissions = wanted
    case .unnamed(let wanted):
      // O_TMPFILE, which the C library's Swift overlay does not show.
      flags = O_RDWR | O_DIRECTORY | 0o20_000_000
      permissions = wanted
    case .folder: flags = O_RDONLY | O_DIRECTORY
    }
    return try unsafe withCString(path) { name throws(SystemError) in
      try check(unsafe Self.openFile(name, flags | O_CLOEXEC | O_NOCTTY, permissions))
    }
  }

  private static func openFile(_ name: UnsafePointer<CChar>, _ flags: Int32, _ permissions: UInt32) -> Int32 {
    #if canImport(Glibc)
      unsafe Glibc.open(name, flags, permissions)
    #else
      unsafe Musl.open(name, flags, permissions)
    #endif
  }

  package func close(_ descriptor: Int32) throws(SystemError) {
    #if canImport(Glibc)
      _ = try check(Glibc.close(descriptor))
    #else
      _ = try check(Musl.close(descriptor))
    #endif
  }

  package func read(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
    #if canImport(Glibc)
      try check(unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count))
    #else
      try check(unsafe Musl.read(descriptor, buffer.baseAddress, buffer.count))
    #endif
  }

  package func read(
    _ descriptor: Int32, at offset: Int, into buffer: UnsafeMutableRawBufferPointer
  ) throws(SystemError) -> Int {
    try check(unsafe pread(descriptor, buffer.baseAddress, buffer.count, offset))
  }

  package func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int {
    #if canImport(Glibc)
      try check(unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count))
    #else
      try check(unsafe Musl.write(descriptor, bytes.baseAddress, bytes.count))
    #endif
  }

  package func write(
    _ descriptor: Int32, at offset: Int, _ bytes: UnsafeRawBufferPointer
  ) throws(SystemError) -> Int {
    try check(unsafe pwrite(descriptor, bytes.baseAddress, bytes.count, offset))
  }

  package func status(of descriptor: Int32) throws(SystemError) -> FileStatus {
    var raw = stat()
    _ = try check(unsafe fstat(descriptor, &raw))
    return FileStatus(raw)
  }

  package func status(of path: FilePath, followingLinks: Bool) throws(SystemError) -> FileStatus {
    try unsafe withCString(path) { name throws(SystemError) in
      var raw = stat()
      _ = try check(unsafe followingLinks ? stat(name, &raw) : lstat(name, &raw))
      return FileStatus(raw)
    }
  }

  package func flush(_ descriptor: Int32) throws(SystemError) { _ = try check(fsync(descriptor)) }

  package func setMode(_ descriptor: Int32, _ mode: UInt32) throws(SystemError) {
    _ = try check(fchmod(descriptor, mode))
  }

  package func setOwner(_ descriptor: Int32, owner: UInt32, group: UInt32) throws(SystemError) {
    _ = try check(fchown(descriptor, owner, group))
  }

  package func rename(_ old: FilePath, to new: FilePath) throws(SystemError) {
    try unsafe withCString(old) { old throws(SystemError) in
      try unsafe withCString(new) { new throws(SystemError) in
        #if canImport(Glibc)
          _ = try check(unsafe Glibc.rename(old, new))
        #else
          _ = try check(unsafe Musl.rename(old, new))
        #endif
      }
    }
  }

  package func renameWithoutReplacing(_ old: FilePath, to new: FilePath) throws(SystemError) {
    // A second name, then the first one away: renameat2 is not known to every file system.
    try unsafe withCString(old) { oldName throws(SystemError) in
      try unsafe withCString(new) { newName throws(SystemError) in
        _ = try check(unsafe linkat(AT_FDCWD, oldName, AT_FDCWD, newName, 0))
        _ = try check(unsafe unlink(oldName))
      }
    }
  }

  package func link(_ descriptor: Int32, as path: FilePath) throws(SystemError) {
    try unsafe withCString(FilePath("/proc/self/fd/\(descriptor)")) { old throws(SystemError) in
      try unsafe withCString(path) { new throws(SystemError) in
        _ = try check(unsafe linkat(AT_FDCWD, old, AT_FDCWD, new, AT_SYMLINK_FOLLOW))
      }
    }
  }

  package func remove(_ path: FilePath) throws(SystemError) {
    try unsafe withCString(path) { name throws(SystemError) in _ = try check(unsafe unlink(name)) }
  }

  package func lock(_ descriptor: Int32) throws(SystemError) { _ = try check(flock(descriptor, LOCK_EX | LOCK_NB)) }

  package func resolve(_ path: FilePath) throws(SystemError) -> FilePath {
    try unsafe withCString(path) { name throws(SystemError) in
      guard let resolved = unsafe realpath(name, nil) else { throw SystemError(code: errno) }
      defer { unsafe free(resolved) }
      return unsafe FilePath(bytes: Array(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved))))
    }
  }

  package func readLink(_ path: FilePath) throws(SystemError) -> FilePath {
    try unsafe withCString(path) { name throws(SystemError) in
      var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
      let count = unsafe buffer.withUnsafeMutableBytes { bytes -> Int in
        guard let start = bytes.baseAddress else { return 0 }
        return unsafe readlink(name, start.assumingMemoryBound(to: CChar.self), bytes.count)
      }
      return FilePath(bytes: Array(buffer.prefix(try check(count))))
    }
  }

  package func names(in folder: FilePath) throws(SystemError) -> [FilePath] {
    try unsafe withCString(folder) { name throws(SystemError) in
      guard let stream = unsafe opendir(name) else { throw SystemError(code: errno) }
      defer { unsafe _ = closedir(stream) }
      var names: [FilePath] = []
      while let entry = unsafe readdir(stream) {
        let bytes = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { unsafe Array($0.prefix { $0 != 0 }) }
        if bytes != [UInt8(ascii: ".")], bytes != Array("..".utf8) { names.append(FilePath(bytes: bytes)) }
      }
      return names
    }
  }

  package func randomNumber() -> UInt64 {
    var generator = SystemRandomNumberGenerator()
    return generator.next()
  }

  package func sleep(milliseconds: Int) { usleep(UInt32(milliseconds * 1000)) }

  private func check<Result: SignedInteger>(_ result: Result) throws(SystemError) -> Result {
    if result < 0 { throw SystemError(code: errno) }
    return result
  }

  private func withCString<Result>(
    _ path: FilePath, _ body: (UnsafePointer<CChar>) throws(SystemError) -> Result
  ) throws(SystemError) -> Result {
    // A zero would end the name early and reach another file.
    if path.bytes.contains(0) { throw SystemError(code: EINVAL) }
    if path.bytes.isEmpty { throw SystemError(code: ENOENT) }
    let name = path.bytes.map { CChar(bitPattern: $0) } + [0]
    return try unsafe name.withUnsafeBufferPointer { buffer throws(SystemError) in
      guard let start = buffer.baseAddress else { throw SystemError(code: EINVAL) }
      return try unsafe body(start)
    }
  }
}

extension FileStatus {
  fileprivate init(_ raw: stat) {
    let kind: Kind =
      switch raw.st_mode & S_IFMT {
      case S_IFREG: .regular
      case S_IFDIR: .folder
      case S_IFLNK: .link
      case S_IFIFO: .pipe
      case S_IFSOCK: .socket
      default: .device
      }
    self.init(
      kind: kind, mode: UInt32(raw.st_mode & 0o7777), owner: raw.st_uid, group: raw.st_gid, size: Int(raw.st_size),
      device: UInt64(raw.st_dev), inode: UInt64(raw.st_ino),
      modified: raw.st_mtim.tv_sec &* 1_000_000_000 &+ raw.st_mtim.tv_nsec,
      changed: raw.st_ctim.tv_sec &* 1_000_000_000 &+ raw.st_ctim.tv_nsec)
  }
}

extension SystemError {
  /// What went wrong, in words.
  package var reason: String {
    switch code {
    case ENOENT: "no such file or folder"
    case ENOTDIR: "a part of the path is not a folder"
    case EISDIR: "it is a folder"
    case EACCES, EPERM: "permission denied"
    case EROFS: "the file system is read-only"
    case ENOSPC: "no space left on the disk"
    case EDQUOT: "the disk quota is used up"
    case EFBIG: "the file would be larger than is allowed (ulimit -f)"
    case EMFILE, ENFILE: "too many open files"
    case ENAMETOOLONG: "the name is too long"
    case ELOOP: "too many links"
    case EIO: "the device reports an error"
    case EPIPE: "the reader has gone"
    case EEXIST: "it exists already"
    case EINVAL: "the system does not take it (invalid argument)"
    case EBADF: "the stream is closed"
    default: unsafe String(cString: strerror(code))
    }
  }

  package static let interrupted = SystemError(code: EINTR)
  package static let notFound = SystemError(code: ENOENT)
  package static let exists = SystemError(code: EEXIST)
  package static let wouldBlock = SystemError(code: EWOULDBLOCK)
  package static let brokenPipe = SystemError(code: EPIPE)
  package static let noSpace = SystemError(code: ENOSPC)
  package static let device = SystemError(code: EIO)
  package static let denied = SystemError(code: EACCES)
  package static let notPermitted = SystemError(code: EPERM)
  package static let readOnly = SystemError(code: EROFS)
  package static let notADirectory = SystemError(code: ENOTDIR)
}
