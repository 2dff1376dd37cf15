import ArgumentParser

/// `nnrun run`, and `nnrun MODEL`.
struct RunCommand: ParsableCommand, SharedWork {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Runs a model on the rows of an array (the default subcommand).",
    discussion: """
      nnrun models/neuron/neuron.yaml --input models/neuron/neuron.input.npy
      nnrun models/digits/digits.yaml --input models/digits/test-images.npy --top 1
      nnrun models/digits/digits.yaml --input models/digits/test-images.npy --output scores.npy
      nnrun models/digits/digits.yaml --input models/digits/test-images.npy --top 1 --trace trace.npz
      """)

  @Argument(help: "The model file.", completion: .file(extensions: ["yaml", "yml"]))
  var model: String

  @Option(
    name: .shortAndLong,
    help:
      "An array (.npy or .npz): PATH, NAME=PATH for a model with several inputs (again and again), - for standard input.",
    completion: .file(extensions: ["npy", "npz"]))
  var input: [String] = []

  @Option(
    name: .shortAndLong, help: "Write the result to a file: .npy, .npz, .json or .csv; - for .npy on standard output.",
    completion: .file())
  var output: String?

  @Flag(help: "Print the result as JSON.")
  var json = false

  @Option(help: "Print the K best classes of each row instead of its scores.")
  var top: Int?

  @Option(help: "A text file with the name of a class on each line, for --top.", completion: .file())
  var labels: String?

  @Option(help: "Keep every layer's value under its path in a .npz file.", completion: .file(extensions: ["npz"]))
  var trace: String?

  @Option(help: "The largest number of rows at once.")
  var batchSize: Int?

  @Option(help: "The number of threads (default: one for each core).")
  var threads: Int?

  @OptionGroup var options: SharedOptions

  func validate() throws { try request.check() }

  func run() throws { try request.run() }

  /// What is asked for.
  var request: ModelRun {
    ModelRun(
      model: model, input: input, output: output, json: json, top: top, labels: labels, trace: trace,
      batchSize: batchSize, threads: threads, quiet: options.quiet, color: options.color)
  }
}
