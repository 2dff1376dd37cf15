import ArgumentParser
import Communication
import Diagnostics
import Files
import ModelFile
import NNRun
import Tensors

/// A run of a model, as a command line asks for it; the options are those of `RunCommand`.
struct ModelRun: Equatable {
  var model = ""
  var input: [String] = []
  var output: String?
  var json = false
  var top: Int?
  var labels: String?
  var trace: String?
  var batchSize: Int?
  var threads: Int?
  var quiet = false
  var color = Console.ColorChoice.auto

  /// Throws where the options do not go together.
  func check() throws {
    if let batchSize, batchSize < 1 { throw ValidationError("--batch-size is 1 or more, not \(batchSize)") }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads is from 1 to 1024, not \(threads)")
    }
    if let top, top < 1 { throw ValidationError("--top is 1 or more, not \(top)") }
    if labels != nil, top == nil { throw ValidationError("--labels names the classes of --top, which is not given") }
    if output != nil, json || top != nil {
      throw ValidationError("--output writes the result to a file; leave out --json and --top")
    }
    if let output { _ = try ResultFormat(path: output) }
    if let trace, !trace.hasSuffix(".npz") {
      throw ValidationError("--trace writes a .npz file, but `\(trace)` is none")
    }
  }

  /// Runs the model and writes its results.
  func run() throws {
    let (model, inputs, names) = try Job.agree {
      try Job.refuseStandardInput(input)
      let model = try loadModel(self.model, color: color)
      if let output { try ResultFormat(path: output).check(outputs: model.outputs.count) }
      let inputs = try NamedArrays(
        input, names: model.inputs.map(\.name), option: "--input", noun: "input", requiresAll: true
      ).all
      return (model, inputs, try labels.map { try ClassNames(path: $0) })
    }
    try JobCheck.compare(model, inputs)
    remarkOnDrawnParameters(of: model)
    let threads = Job.threads(threads)
    if let trace {
      try run(Network(model, threads: threads, tracing: true), inputs) { results, row in
        try ResultFormat.npz(trace).writer(
          results, elementType: model.elementType, startingAt: row, of: Job.communicator)
      }
    }
    try run(Network(model, threads: threads, runsOnce: true), inputs) { results, row in
      if let output {
        return try ResultFormat(path: output).writer(
          results, elementType: model.elementType, startingAt: row, of: Job.communicator)
      }
      let printer = try Job.agree { try makePrinter(results, names) }
      return Job.communicator.isAlone ? printer : GatheringWriter(Job.leads ? printer : nil, Job.communicator)
    }
  }

  private func makePrinter(_ results: [ResultDescription], _ names: ClassNames?) throws -> any ResultWriter {
    if let top { return try TopClassesPrinter(results, count: top, names: names, asJSON: json) }
    return json ? JSONResultWriter(results, to: nil) : TextPrinter(results)
  }

  /// Runs the rows batch by batch into a writer, showing how far it is; of several ranks each runs its share of the
  /// batches.
  private func run(
    _ network: Network, _ inputs: [ArraySource],
    to makeWriter: (_ results: [ResultDescription], _ row: Int) throws -> any ResultWriter
  ) throws {
    let shapes = inputs.map(\.shape)
    let (results, batches) = try Job.agree {
      let results = zip(network.resultNames, try network.resultShapes(shapes)).map {
        ResultDescription(name: $0, shape: $1)
      }
      return (results, try network.batches(shapes: shapes, batchSize: batchSize))
    }
    let own = batches[Job.communicator.share(of: batches.count)]
    let writer = try makeWriter(results, own.first.flatMap { $0?.lowerBound } ?? 0)
    let progress = ProgressLine(isQuiet: quiet)
    let total = own.last.flatMap { $0?.upperBound } ?? inputs.first?.shape.first ?? 0
    var done = 0
    try network.run(
      shapes: shapes, own,
      read: { index, rows throws(Failure) in
        if let rows { done = max(done, rows.lowerBound) }
        progress.show(done, of: total, "\(grouped(done)) of \(grouped(total)) rows")
        return try inputs[index].read(rows, as: network.model.elementType)
      },
      write: { results throws(Failure) in try writer.append(results) })
    progress.clear()
    try writer.finish()
  }

  private func remarkOnDrawnParameters(of model: Model) {
    let drawn = model.drawnParameters
    guard let first = drawn.first else { return }
    let what = drawn.count == 1 ? "`\(first.path)` has" : "\(drawn.count) parameters have"
    guard !quiet else { return }
    Console.remark(
      "nnrun: note: \(what) no values yet and \(drawn.count == 1 ? "is" : "are") drawn by seed \(model.seed)")
  }
}

extension ArraySource {
  /// Some rows, or all of it.
  fileprivate func read(_ rows: Range<Int>?, as elementType: ElementType) throws(Failure) -> AnyTensor {
    if let rows { try read(rows: rows, as: elementType) } else { try read(as: elementType) }
  }
}
