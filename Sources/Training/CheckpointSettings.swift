package import Diagnostics
package import Files
import Tensors

extension TrainingConfiguration {
  /// How the run that left the checkpoint at `path` was trained otherwise than this: a line for each setting. What keeps
  /// a run from going on at all (another optimiser, another seed) is said when it is resumed.
  ///
  /// Throws where there is no such file, or it is damaged.
  package func differences(fromCheckpoint path: FilePath) throws(Failure) -> [String] {
    guard case .archive(let archive) = try ArrayFile(path) else { return [] }
    let saved = Dictionary(archive.metadata.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    return checkpointSettings.compactMap { setting in
      guard let value = saved[setting.key], value != setting.value else { return nil }
      return "`\(setting.key)` was \(value) in the checkpoint and is \(setting.value) now"
    }
  }

  /// The settings that a run may change when it is resumed, for a checkpoint to remember.
  var checkpointSettings: [(key: String, value: String)] {
    var settings = [
      ("loss", loss.rawValue), ("learning-rate", learningRate.text), ("batch-size", batchSize.text),
      ("shuffle", "\(shuffles)"), ("clip-norm", clipNorm.map { "\($0)" } ?? "none"),
      ("freeze", freeze.isEmpty ? "nothing" : freeze.joined(separator: ", ")),
      ("weight-decay", "\(optimizer.weightDecay)"),
    ]
    switch optimizer.kind {
    case .sgd: settings += [("momentum", "\(optimizer.momentum)"), ("nesterov", "\(optimizer.nesterov)")]
    case .adam, .adamw:
      settings += [
        ("beta1", "\(optimizer.beta1)"), ("beta2", "\(optimizer.beta2)"), ("epsilon", "\(optimizer.epsilon)"),
      ]
    }
    return settings.map { (key: $0.0, value: $0.1) }
  }
}

extension TrainingConfiguration.BatchSize {
  fileprivate var text: String {
    switch self {
    case .rows(let rows): "\(rows)"
    case .full: "full"
    }
  }
}

extension LearningRate {
  fileprivate var text: String {
    switch self {
    case .constant(let rate): return "\(rate)"
    case .schedule(let schedule):
      let warmup = schedule.warmup > 0 ? " after \(schedule.warmup) epochs of warm-up" : ""
      return switch schedule.curve {
      case .step(let every, let factor): "\(schedule.initial) times \(factor) every \(every) epochs\(warmup)"
      case .cosine(let final): "\(schedule.initial) to \(final) along a cosine\(warmup)"
      case .linear(let final): "\(schedule.initial) to \(final) along a line\(warmup)"
      }
    }
  }
}
