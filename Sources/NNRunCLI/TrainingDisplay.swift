import Diagnostics
import Files
import NNRun
import Training

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Shows how training goes: a bar on a terminal, plain lines otherwise.
final class TrainingDisplay {
  private let trainer: Trainer
  private let isQuiet: Bool
  private let isTerminal = isatty(2) == 1
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var epochStart: ContinuousClock.Instant
  private var lastDraw: ContinuousClock.Instant?
  private var hasBar = false
  private var shownEpochs = 0
  private var firstEpoch: Int?

  init(_ trainer: Trainer, isQuiet: Bool) {
    self.trainer = trainer
    self.isQuiet = isQuiet
    start = clock.now
    epochStart = start
  }

  func show(_ event: TrainingEvent) {
    guard !isQuiet else { return }
    switch event {
    case .planned(let bytes):
      if isTerminal, bytes > 0 { Console.remark("training takes \(bytes >> 20) MB of memory") }
    case .step(let progress):
      if firstEpoch == nil { firstEpoch = progress.epoch }
      if isTerminal { drawBar(progress) }
    case .epoch(let record):
      clearBar()
      let seconds = seconds(since: epochStart)
      var line = "epoch \(record.epoch)/\(trainer.configuration.epochs)  loss \(decimal(record.loss, digits: 5))"
      for (metric, value) in zip(trainer.metrics, record.metrics) {
        line += "  \(metric.name) \(decimal(value, digits: 4))"
      }
      if let loss = record.validationLoss {
        line += "  validation loss \(decimal(loss, digits: 5))"
        for (metric, value) in zip(trainer.metrics, record.validationMetrics) {
          line += "  \(metric.name) \(decimal(value, digits: 4))"
        }
      }
      let epochs = shownEpochs > 0 ? record.epoch - shownEpochs : 1
      if seconds > 0 { line += "  \(grouped(Int(Double(epochs * trainer.rows) / seconds))) rows/s" }
      shownEpochs = record.epoch
      Console.remark(line)
      epochStart = clock.now
    case .diverged: break
    }
  }

  /// Draws the bar, at most twenty times a second.
  private func drawBar(_ progress: TrainingProgress) {
    let now = clock.now
    if let lastDraw, lastDraw.duration(to: now) < .milliseconds(50) { return }
    lastDraw = now
    let width = 24
    let filled = width * progress.step / max(progress.steps, 1)
    let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
    let seconds = seconds(since: epochStart)
    let done = Double(progress.epoch - (firstEpoch ?? 1)) + Double(progress.step) / Double(max(progress.steps, 1))
    let all = Double(progress.epochs - (firstEpoch ?? 1) + 1)
    let left = done > 0 ? self.seconds(since: start) * (all - done) / done : .infinity
    var line = "epoch \(progress.epoch)/\(progress.epochs) [\(bar)] loss \(decimal(progress.loss, digits: 5))"
    for (metric, value) in zip(trainer.metrics, progress.metrics) {
      line += " \(metric.name) \(decimal(value, digits: 4))"
    }
    if seconds > 0 { line += " \(grouped(Int(Double(progress.rows) / seconds))) rows/s" }
    Console.status(line + " \(duration(left)) left")
    hasBar = true
  }

  private func clearBar() {
    if hasBar { Console.status("") }
    hasBar = false
  }

  /// Training is over, one way or the other.
  func end() { clearBar() }

  /// Says what came of it.
  func conclude(_ outcome: TrainingOutcome, written: [FilePath]) {
    let files = written.isEmpty ? "nothing changed" : wordsFor(written: written)
    switch outcome.end {
    case .finished:
      guard !isQuiet else { return }
      Console.remark(
        "trained \(outcome.history.count) \(outcome.history.count == 1 ? "epoch" : "epochs") in \(duration(seconds(since: start))); \(files)"
      )
    case .outOfPatience:
      guard !isQuiet else { return }
      Console.remark("stopped after epoch \(outcome.history.count): the loss did not get better; \(files)")
    case .interrupted(let epoch, let steps):
      Console.remark(
        "interrupted in epoch \(epoch) after \(steps) \(steps == 1 ? "step" : "steps"); what was learned is kept: \(files)"
      )
    }
  }

  private func seconds(since instant: ContinuousClock.Instant) -> Double {
    let duration = instant.duration(to: clock.now).components
    return Double(duration.seconds) + Double(duration.attoseconds) * 1e-18
  }
}
