import Diagnostics
import Files
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The three standard streams: results go to output, everything said to a person to error.
enum Console {
  /// When colours are used.
  enum ColorChoice: String, Sendable, CaseIterable {
    case auto, always, never
  }

  /// Makes the streams safe: no file of the user's gets the number of a closed one, whose use is an error as it was, but for
  /// what is said to a person; and a reader that goes away, or a file that may not grow, is an error of writing, not a
  /// signal.
  static func prepare() {
    for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) == -1 {
      // The lowest free number is taken, which is this one. What was closed can be neither read nor written.
      _ = unsafe open("/dev/null", descriptor == 1 ? O_RDONLY : O_WRONLY)
    }
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
  }

  /// Ends the process without running anything else.
  static func exit(_ status: Int32) -> Never {
    #if COVERAGE
      // What ran is written down by a handler that `_exit` passes over.
      Glibc.exit(status)
    #else
      _exit(status)
    #endif
  }

  /// Writes a result to standard output.
  static func write(_ text: String) throws(Failure) {
    guard Job.leads else { return }
    var text = text
    let isWritten = text.withUTF8 { unsafe writeAll($0, to: 1) }
    guard !isWritten else { return }
    // Whoever reads the other end of a pipe may stop reading; that needs no message.
    if errno == EPIPE { throw Failure(.inputOutput, "") }
    throw SystemError(code: errno).whileWriting("standard output")
  }

  /// What a rank that does not print was last to say.
  static let unsaid = Mutex("")

  /// Writes a line for a person to standard error; of the ranks of a job, only rank 0 does, unless it `isOfOneRank`.
  static func remark(_ text: String, isOfOneRank: Bool = false) {
    guard Job.leads || isOfOneRank else { return unsaid.withLock { $0 = text } }
    var line = text.hasSuffix("\n") ? text : text + "\n"
    // There is nobody left to tell when standard error cannot be written.
    _ = line.withUTF8 { unsafe writeAll($0, to: 2) }
  }

  /// Asks something on standard error; the answer follows on the same line.
  static func ask(_ question: String) {
    var text = question
    _ = text.withUTF8 { unsafe writeAll($0, to: 2) }
  }

  /// Replaces the line that shows how a long work goes, on a terminal.
  static func status(_ text: String) {
    guard Job.leads else { return }
    // To the line's start, and clear it; a long line is cut at the terminal's edge so that it stays one.
    var size = winsize()
    let hasSize = unsafe ioctl(2, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    var line = "\r\u{1B}[K" + (hasSize ? String(text.prefix(Int(size.ws_col) - 1)) : text)
    _ = line.withUTF8 { unsafe writeAll($0, to: 2) }
  }

  /// Says what went wrong.
  static func report(_ failure: Failure, color: ColorChoice = .auto) {
    if !failure.diagnostics.isEmpty { report(failure.diagnostics, color: color) }
    if !failure.message.isEmpty { remark("nnrun: error: " + failure.message) }
  }

  /// Shows diagnostics with their source lines.
  static func report(_ diagnostics: [Diagnostic], color: ColorChoice = .auto) {
    guard !diagnostics.isEmpty else { return }
    remark(DiagnosticRenderer(color: usesColor(color)).render(diagnostics))
  }

  /// Whether standard error, or another of the standard streams, takes colours.
  static func usesColor(_ choice: ColorChoice, descriptor: Int32 = 2) -> Bool {
    switch choice {
    case .always: return true
    case .never: return false
    case .auto:
      if let variable = unsafe getenv("NO_COLOR"), unsafe variable.pointee != 0 { return false }
      if let variable = unsafe getenv("TERM"), unsafe String(cString: variable) == "dumb" { return false }
      return isatty(descriptor) == 1
    }
  }

  private static func writeAll(_ bytes: UnsafeBufferPointer<UInt8>, to descriptor: Int32) -> Bool {
    var written = 0
    while written < bytes.count {
      guard let base = bytes.baseAddress else { return true }
      let count = unsafe Glibc.write(descriptor, base + written, bytes.count - written)
      if count >= 0 {
        written += count
      } else if errno == EAGAIN {
        var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = unsafe Glibc.poll(&poll, 1, -1)
      } else if errno != EINTR {
        return false
      }
    }
    return true
  }
}
