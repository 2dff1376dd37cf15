/// The table of a run's epochs as comma-separated values: `epoch,loss` and the metrics, and where there is a validation
/// the same with `validation_` before them.
public func historyCSV(_ records: [EpochRecord], metrics: [Metric], hasValidation: Bool) -> String {
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
