import Diagnostics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Ctrl-C and SIGTERM: the first one asks training to end after its step, the second one ends the process at once.
enum Interruption {
  // A signal handler may touch nothing but such a variable; it is one word, written once.
  nonisolated(unsafe) fileprivate static var received: sig_atomic_t = 0

  /// Begins to watch for the signals.
  static func watch() {
    install(SIGINT)
    install(SIGTERM)
  }

  /// The first signal, if one came, as the kind of failure that it makes.
  static var signal: Failure.Kind? {
    switch unsafe received {
    case 0: nil
    case SIGTERM: .terminated
    default: .interrupted
    }
  }
}

private func install(_ number: Int32) {
  signal(number) { number in
    if unsafe Interruption.received != 0 { _exit(128 + number) }
    unsafe Interruption.received = number
  }
}
