import Diagnostics
import Files
import NNRun
import YAML

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A build of nnrun, run as a process of its own.
struct OtherBuild {
  let path: String

  /// The program that is running.
  static var thisOne: OtherBuild {
    var name = [CChar](repeating: 0, count: 4096)
    let count = unsafe readlink("/proc/self/exe", &name, name.count)
    guard count > 0 else { return OtherBuild(path: CommandLine.arguments[0]) }
    return OtherBuild(path: String(decoding: name.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self))
  }

  /// Whether a file is a program, and so no model.
  static func isProgram(_ path: String) -> Bool {
    let isModel = [".yaml", ".yml", ".json"].contains { path.hasSuffix($0) }
    var status = stat()
    guard !isModel, unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
    return unsafe access(path, X_OK) == 0
  }

  /// Has it run `nnrun bench --json` with these arguments; its median is the one timing, of all its repeats.
  func measure(_ arguments: [String]) throws(Failure) -> Timings {
    let text = try output(arguments)
    let root = JSONDocument.parse(source: SourceText(name: path, bytes: Array(text.utf8))).root
    guard let median = root?["median_ms"]?.number, let repeats = root?["repeats"]?.integer else {
      throw Failure(
        .invalidData, "`\(printable(path)) bench --json` printed no times: it is no build of nnrun with `bench`")
    }
    return Timings([median * 1e-3], callsPerTiming: repeats)
  }

  /// What the program writes to standard output; its errors go where this program's do.
  private func output(_ arguments: [String]) throws(Failure) -> String {
    var ends: [Int32] = [0, 0]
    guard unsafe pipe(&ends) == 0 else { throw failure("no pipe can be opened") }
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    for end in ends { unsafe posix_spawn_file_actions_addclose(&actions, end) }
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    // A bare name would be looked for on the PATH by some systems.
    let program = path.contains("/") ? path : "./" + path
    var words = unsafe ([program] + arguments).map { unsafe strdup($0) }
    unsafe words.append(nil)
    defer { unsafe words.forEach { unsafe free($0) } }
    var process = pid_t()
    let problem = unsafe posix_spawn(&process, program, &actions, nil, words, environ)
    close(ends[1])
    defer { close(ends[0]) }
    guard problem == 0 else { throw failure(unsafe String(cString: strerror(problem))) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = unsafe read(ends[0], &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      bytes += buffer.prefix(count)
    }
    var status: Int32 = 0
    while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
    guard status == 0 else {
      let code = status & 0x7F == 0 ? "exit status \(status >> 8 & 0xFF)" : "signal \(status & 0x7F)"
      throw failure("it ended with \(code)")
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func failure(_ reason: String) -> Failure {
    Failure(.invalidData, "`\(printable(path))` cannot be measured: \(reason)")
  }
}
