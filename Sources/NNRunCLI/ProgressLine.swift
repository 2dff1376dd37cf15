#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A line on the terminal that tells how a long work goes; nothing where standard error is no terminal.
final class ProgressLine {
  private let isShown: Bool
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var lastDraw: ContinuousClock.Instant?
  private var isDrawn = false

  /// A line that shows nothing where the user asked for quiet.
  init(isQuiet: Bool) {
    isShown = !isQuiet && isatty(2) == 1
    start = clock.now
  }

  /// Shows how much is done, at most ten times a second, and only of work that has taken a while.
  func show(_ done: Int, of total: Int, _ what: @autoclosure () -> String) {
    guard isShown else { return }
    let now = clock.now
    guard (lastDraw ?? start).duration(to: now) > (lastDraw == nil ? .milliseconds(300) : .milliseconds(100)) else {
      return
    }
    lastDraw = now
    isDrawn = true
    let share = Double(done) / Double(max(total, 1))
    var line = "\(progressBar(share)) \(Int(share * 100)) %  \(what())"
    if done > 0 { line += "  \(duration(start.duration(to: now).inSeconds * (1 - share) / share)) left" }
    Console.status(line)
  }

  /// Takes the line away, so that something else can be printed.
  func clear() {
    if isDrawn { Console.status("") }
    isDrawn = false
  }
}

/// A bar that is filled to a share between 0 and 1.
func progressBar(_ share: Double) -> String {
  let width = 24
  let filled = Int(Double(width) * min(max(share, 0), 1))
  return "[" + String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled) + "]"
}

extension Duration {
  /// The duration in seconds.
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
