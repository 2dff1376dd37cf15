import Training

/// The history of training as CSV: `epoch,loss`, the metrics, and the validation's where there is one.
func historyTable(_ records: [EpochRecord], metrics: [Metric]) -> String {
  let hasValidation = records.contains { $0.validationLoss != nil }
  var heading = ["epoch", "loss"] + metrics.map(\.name)
  if hasValidation { heading += ["validation_loss"] + metrics.map { "validation_" + $0.name } }
  var text = heading.joined(separator: ",") + "\n"
  for record in records {
    var cells = ["\(record.epoch)", "\(record.loss)"] + record.metrics.map { "\($0)" }
    if hasValidation {
      cells += [record.validationLoss.map { "\($0)" } ?? ""]
      cells += metrics.indices.map {
        record.validationMetrics.indices.contains($0) ? "\(record.validationMetrics[$0])" : ""
      }
    }
    text += cells.joined(separator: ",") + "\n"
  }
  return text
}
