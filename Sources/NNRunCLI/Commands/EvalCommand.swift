import ArgumentParser
import Diagnostics
import ModelFile
import NNRun
import Training

/// `nnrun eval`.
struct EvalCommand: ParsableCommand, SharedWork {
  static let configuration = CommandConfiguration(
    commandName: "eval", abstract: "Computes the loss and the metrics of a model on data.",
    discussion: """
      nnrun eval models/digits/digits.yaml --input models/digits/test-images.npy \\
        --target models/digits/test-labels.npy
      nnrun eval models/digits/digits.yaml --input models/digits/test-images.npy \\
        --target models/digits/test-labels.npy --confusion --labels models/digits/labels.txt
      """)

  @Argument(help: "The model file.", completion: .file(extensions: ["yaml", "yml"]))
  var model: String

  @OptionGroup var data: DataOptions

  @Option(help: "mse, binary-cross-entropy or cross-entropy, in place of the model's own.")
  var loss: TrainingConfiguration.Loss?

  @Flag(help: "Count how often each class is taken for each.")
  var confusion = false

  @Option(help: "A text file with the name of a class on each line, for --confusion.", completion: .file())
  var labels: String?

  @Option(help: "The largest number of rows at once.")
  var batchSize: Int?

  @Flag(help: "Print the result as JSON.")
  var json = false

  @Option(help: "The number of threads (default: one for each core).")
  var threads: Int?

  @OptionGroup var options: SharedOptions

  func validate() throws {
    try checkThreads(threads)
    if let batchSize, batchSize < 1 { throw ValidationError("--batch-size is 1 or more, not \(batchSize)") }
    if labels != nil, !confusion {
      throw ValidationError("--labels names the classes of --confusion, which is not given")
    }
  }

  func run() throws {
    let (model, names, arrays) = try Job.agree {
      try Job.refuseStandardInput(data.input + data.target)
      let model = try loadModel(self.model, options)
      return (model, try labels.map { try ClassNames(path: $0) }, try data.arrays(for: model))
    }
    try JobCheck.compare(model, arrays.sources)
    let progress = ProgressLine(isQuiet: options.quiet)
    let evaluation = try Job.alike {
      try Evaluation(
        model, data: arrays, loss: loss ?? TrainingConfiguration(model).loss, batchSize: batchSize,
        threads: Job.threads(threads), communicator: Job.communicator, confusion: confusion,
        report: { rows in progress.show(rows, of: arrays.rows, "\(grouped(rows)) of \(grouped(arrays.rows)) rows") })
    }
    progress.clear()
    try Job.alike { try show(evaluation, names) }
  }

  private func show(_ evaluation: Evaluation, _ names: ClassNames?) throws(Failure) {
    if confusion, evaluation.confusions.isEmpty {
      let metrics = evaluation.metrics.map(\.metric.name).joined(separator: ", ")
      throw Failure(
        .usage, "--confusion counts classes, but no output with a target has any: the metric is \(metrics)")
    }
    let tables = try evaluation.confusions.map { matrix throws(Failure) in try ConfusionTable(matrix, names: names) }
    let numbers = [("loss", evaluation.loss)] + evaluation.metrics.map { ($0.metric.name, $0.value) }
    if json {
      var json = JSONWriter()
      json.object { json in
        for (name, value) in numbers {
          json.key(name)
          json.number(value)
        }
        for table in tables {
          json.key(tables.count == 1 ? "confusion" : "\(table.matrix.output)_confusion")
          table.write(to: &json)
        }
      }
      try Console.write(json.text + "\n")
    } else {
      for (name, value) in numbers { try Console.write("\(name) \(decimal(value, digits: 6))\n") }
      for table in tables { try Console.write("\n" + table.text) }
    }
  }
}
