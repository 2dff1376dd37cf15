import ArgumentParser
import Diagnostics
import ModelFile
import NNRun

/// `nnrun test`.
struct TestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Runs the tests inside models; the files are never changed.",
    discussion: """
      nnrun test models/neuron/neuron.yaml
      nnrun test models
      """)

  @Argument(help: "Model files, or folders that are searched for *.yaml.", completion: .file())
  var models: [String]

  @Option(help: "The number of threads (default: one for each core).")
  var threads: Int?

  @OptionGroup var options: SharedOptions

  func validate() throws {
    try checkThreads(threads)
  }

  func run() throws {
    var tally = TestTally(options: options)
    for path in models {
      do throws(Failure) {
        for file in isFolder(path) ? try yamlFiles(below: path) : [path] { try test(file, &tally) }
      } catch {
        tally.add(error)
      }
    }
    try tally.finish()
  }

  private func test(_ file: String, _ tally: inout TestTally) throws(Failure) {
    do throws(Failure) {
      let loaded = try ModelLoader.load(path: file)
      Console.report(loaded.diagnostics, color: options.color)
      guard let model = loaded.model else {
        tally.add(Failure(Failure(loaded.diagnostics).kind, ""))
        return
      }
      for test in ModelTest.all(of: model) {
        try tally.add(test.run(threads: threads), of: test.name, in: file)
      }
    } catch  where error.kind != .inputOutput {
      tally.add(error)
    }
  }
}

/// Counts and prints what came of tests.
private struct TestTally {
  let options: SharedOptions
  private var passed = 0
  private var failed = 0
  private var status: Int32 = 0

  init(options: SharedOptions) { self.options = options }

  mutating func add(_ outcome: ModelTest.Outcome, of name: String, in file: String) throws(Failure) {
    let title = "\(printable(file, limit: 500)): \(printable(name, limit: 200))"
    switch outcome {
    case .passed:
      passed += 1
      if !options.quiet { try Console.write("ok      \(title)\n") }
    case .failed(let problems):
      failed += 1
      status = max(status, Failure.Kind.checkFailed.rawValue)
      try Console.write("FAILED  \(title)\n" + problems.map { "        \($0)\n" }.joined())
    }
  }

  /// Adds a file that could not be tested.
  mutating func add(_ failure: Failure) {
    status = max(status, failure.kind.rawValue)
    Console.report(failure, color: options.color)
  }

  func finish() throws {
    try Console.write("\(passed) passed, \(failed) failed\n")
    if status != 0 { throw ExitStatus(value: status) }
  }
}
