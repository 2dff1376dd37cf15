import ArgumentParser
import Diagnostics
import ModelFile
import Training

/// `nnrun eval`.
struct EvalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval", abstract: "Computes the loss and the metrics of a model on data.",
    discussion: """
      nnrun eval models/digits/digits.yaml --input models/digits/test-images.npy \
        --target models/digits/test-labels.npy
      """)

  @Argument(help: "The model file.", completion: .file(extensions: ["yaml", "yml"]))
  var model: String

  @OptionGroup var data: DataOptions

  @Option(help: "mse, binary-cross-entropy or cross-entropy, in place of the model's own.")
  var loss: TrainingConfiguration.Loss?

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
  }

  func run() throws {
    let model = try loadModel(model, options)
    let evaluation = try Evaluation(
      model, data: data.arrays(for: model), loss: loss ?? TrainingConfiguration(model).loss, batchSize: batchSize,
      threads: threads)
    let numbers = [("loss", evaluation.loss)] + evaluation.metrics.map { ($0.metric.name, $0.value) }
    if json {
      var json = JSONWriter()
      json.object { json in
        for (name, value) in numbers {
          json.key(name)
          json.number(value)
        }
      }
      try Console.write(json.text + "\n")
    } else {
      for (name, value) in numbers { try Console.write("\(name) \(decimal(value, digits: 6))\n") }
    }
  }
}
