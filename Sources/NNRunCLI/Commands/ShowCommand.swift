import ArgumentParser
import Diagnostics
import ModelFile
import NNRun

/// `nnrun show`.
struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Shows a model's layers, parameters or memory, or draws its graph.",
    discussion: """
      nnrun show models/digits/digits.yaml
      nnrun show models/digits/digits.yaml --graph svg > digits.svg
      nnrun show models/cifar-resnet20/cifar-resnet20.yaml --expand
      nnrun show models/digits/digits.yaml --parameters
      nnrun show models/digits/digits.yaml --memory --batch-size 32
      """)

  /// The languages of drawings.
  enum DrawingFormat: String, ExpressibleByArgument, CaseIterable {
    case svg, dot, mermaid
  }

  @Argument(help: "The model file.", completion: .file(extensions: ["yaml", "yml"]))
  var model: String

  @Option(help: "Draw the graph instead: svg, dot or mermaid.")
  var graph: DrawingFormat?

  @Flag(help: "Show the values of each parameter: mean, spread, extremes and a histogram.")
  var parameters = false

  @Flag(help: "Show what a run takes of memory, step by step, before it runs.")
  var memory = false

  @Option(help: "The number of rows of the run that --memory plans (default: 1).")
  var batchSize: Int?

  @Option(help: "The size of a symbol of the model's inputs for --memory, such as H=224 (again and again).")
  var size: [String] = []

  @Option(help: "The number of threads that --memory plans for (default: one for each core).")
  var threads: Int?

  @Flag(help: "Print as JSON.")
  var json = false

  @Flag(help: "Print the model with its blocks written out, as a model file.")
  var expand = false

  @OptionGroup var options: SharedOptions

  func validate() throws {
    try checkThreads(threads)
    let forms = [(graph != nil, "--graph"), (parameters, "--parameters"), (memory, "--memory"), (expand, "--expand")]
      .filter(\.0).map(\.1)
    if forms.count > 1 { throw ValidationError("\(forms[0]) and \(forms[1]) exclude each other") }
    if json, graph != nil || expand { throw ValidationError("--json and \(forms[0]) exclude each other") }
    if !memory, batchSize != nil || !size.isEmpty || threads != nil {
      throw ValidationError("--batch-size, --size and --threads say what --memory plans, which is not given")
    }
    if let batchSize, batchSize < 1 { throw ValidationError("--batch-size is 1 or more, not \(batchSize)") }
    _ = try sizes()
  }

  /// The sizes of symbols by name.
  private func sizes() throws -> [String: Int] {
    var sizes: [String: Int] = [:]
    for text in size {
      let parts = text.split(separator: "=", maxSplits: 1)
      guard parts.count == 2, let value = Int(parts[1]), value > 0 else {
        throw ValidationError("--size is a symbol and a number, such as H=224, not `\(printable(text))`")
      }
      sizes[String(parts[0])] = value
    }
    return sizes
  }

  func run() throws {
    let model = try loadModel(model, options)
    if expand {
      try Console.write(try model.expandedText())
    } else if let graph {
      let diagram = GraphDiagram(model)
      switch graph {
      case .svg: try Console.write(diagram.svg)
      case .dot: try Console.write(diagram.dot)
      case .mermaid: try Console.write(diagram.mermaid)
      }
    } else if parameters {
      let progress = ProgressLine(isQuiet: options.quiet)
      let table = ParameterTable(
        try ParameterSummary.all(
          of: model, report: { done, path in progress.show(done, of: model.parameters.count, printable(path)) }))
      progress.clear()
      try Console.write(json ? table.json + "\n" : table.text)
    } else if memory {
      let plan = try MemorySummary(model, batchSize: batchSize ?? 1, sizes: sizes(), threads: threads)
      try Console.write(json ? plan.json + "\n" : plan.text)
    } else {
      let summary = ModelSummary(model)
      try Console.write(json ? summary.json + "\n" : summary.text)
    }
  }
}
