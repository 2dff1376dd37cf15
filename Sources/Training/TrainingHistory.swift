import Files

/// The records of a run's epochs from the first on, a few numbers each: there may be millions.
public struct TrainingHistory: RandomAccessCollection, Sendable, Equatable {
  private struct Validation: Sendable, Equatable {
    let loss: Double?
    let metrics: [Double]
  }

  private let metricCount: Int
  private var losses: [Double] = []
  private var metrics: [Double] = []
  private var validations: [Int: Validation] = [:]

  /// No epochs, with so many metrics each.
  init(metricCount: Int) { self.metricCount = metricCount }

  public var startIndex: Int { 0 }
  public var endIndex: Int { losses.count }

  public subscript(position: Int) -> EpochRecord {
    EpochRecord(
      epoch: position + 1, loss: losses[position],
      metrics: Array(metrics[position * metricCount..<(position + 1) * metricCount]),
      validationLoss: validations[position]?.loss, validationMetrics: validations[position]?.metrics ?? [])
  }

  /// Makes room for as many epochs, unless they are too many for that to be sure.
  mutating func makeRoom(for epochs: Int) {
    guard epochs < 1 << 24, (try? requireMemory(32 * epochs * (1 + metricCount), for: "history")) != nil else { return }
    losses.reserveCapacity(epochs)
    metrics.reserveCapacity(epochs * metricCount)
  }

  /// Adds the epoch after the last one.
  mutating func append(_ record: EpochRecord) {
    if record.validationLoss != nil {
      validations[losses.count] = Validation(loss: record.validationLoss, metrics: record.validationMetrics)
    }
    losses.append(record.loss)
    metrics += record.metrics
  }

  /// Adds epochs without validation: a loss each, and the metrics of each, one epoch after the other.
  mutating func append(losses: [Double], metrics: [Double]) {
    self.losses += losses
    self.metrics += metrics
  }
}

/// The table of a run's epochs as comma-separated values: `epoch,loss` and the metrics, and where there is a validation
/// the same with `validation_` before them.
public func historyCSV(_ records: some Sequence<EpochRecord>, metrics: [Metric], hasValidation: Bool) -> String {
  let names = ["loss"] + metrics.map(\.name)
  let heading = ["epoch"] + names + (hasValidation ? names.map { "validation_" + $0 } : [])
  let rows = records.map { record in
    var fields = ["\(record.epoch)"] + ([record.loss] + record.metrics).map { "\($0)" }
    if hasValidation {
      let loss = record.validationLoss.map { "\($0)" } ?? ""
      fields += [loss] + record.validationMetrics.map { "\($0)" }
    }
    return fields
  }
  return ([heading] + rows).map { $0.joined(separator: ",") + "\n" }.joined()
}
