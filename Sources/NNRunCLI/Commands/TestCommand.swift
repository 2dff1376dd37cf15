import ArgumentParser
import Diagnostics
import Files
import ModelFile
import NNRun

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// `nnrun test`.
struct TestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Runs the tests inside models.",
    discussion: """
      The files are never changed, but for the expected values with --update.

      nnrun test models/neuron/neuron.yaml
      nnrun test models --junit report.xml
      nnrun test models --filter notebook
      """)

  @Argument(help: "Model files, or folders that are searched for *.yaml.", completion: .file())
  var models: [String]

  @Option(help: "Run only the tests whose name, after the file's, contains this text (again and again: any of them).")
  var filter: [String] = []

  @Option(help: "Write the results as JUnit XML too.", completion: .file(extensions: ["xml"]))
  var junit: String?

  @Flag(help: "Print the results as JSON.")
  var json = false

  @Flag(help: "Write what comes out into the models as the new expected values; asks before on a terminal.")
  var update = false

  @Option(help: "The number of threads (default: one for each core).")
  var threads: Int?

  @OptionGroup var options: SharedOptions

  func validate() throws {
    try checkThreads(threads)
  }

  func run() throws {
    let junitFile = try junit.map { path throws(Failure) in try OutputFile(FilePath(path)) }
    let clock = ContinuousClock()
    let start = clock.now
    var session = TestSession(command: self)
    for path in models { try session.test(path) }
    session.report.seconds = start.duration(to: clock.now).inSeconds
    try session.conclude()
    if let junitFile {
      try junitFile.write(session.report.junit)
      try junitFile.finish()
    }
    if update, !session.updates.isEmpty { return try write(session) }
    if session.report.status != 0 { throw ExitStatus(value: session.report.status) }
  }

  /// Writes new expected values, once the user agrees.
  private func write(_ session: TestSession) throws {
    for update in session.updates {
      for line in update.lines { Console.remark(line) }
    }
    let files = session.updates.count == 1 ? "1 model" : "\(session.updates.count) models"
    if isatty(0) == 1, isatty(2) == 1 {
      Console.ask("Make these values the expected ones of \(files)? [y/N] ")
      guard let answer = readLine(), ["y", "yes"].contains(answer.lowercased()) else {
        Console.remark("nothing was changed")
        throw ExitStatus(value: session.report.status)
      }
    }
    for update in session.updates {
      for file in try update.write() { options.remark(wordsFor(written: [file])) }
    }
    if let status = session.statusAfterUpdate { throw ExitStatus(value: status) }
  }
}

/// A run over all the models that the command line names.
private struct TestSession {
  let command: TestCommand
  var report = TestReport()
  /// New expected values, for each model whose tests differ.
  private(set) var updates: [TestUpdate] = []
  /// The largest status of what an update cannot mend.
  private(set) var statusAfterUpdate: Int32?
  private let progress: ProgressLine
  private let usesColor: Bool
  private let clock = ContinuousClock()

  init(command: TestCommand) {
    self.command = command
    progress = ProgressLine(isQuiet: command.options.quiet)
    usesColor = Console.usesColor(command.options.color, descriptor: 1)
  }

  /// Tests a model, or every model in a folder.
  mutating func test(_ path: String) throws(Failure) {
    guard isFolder(path) else { return try attempt(path, place: (0, 1), isNamed: true) }
    let files: [String]
    do throws(Failure) {
      files = try modelFiles(below: path, command.options)
    } catch {
      return add(error, of: path)
    }
    for (index, file) in files.enumerated() { try attempt(file, place: (index, files.count), isNamed: false) }
  }

  /// Tests a file; what is wrong with it is told, and does not stop the others.
  private mutating func attempt(_ file: String, place: (index: Int, count: Int), isNamed: Bool) throws(Failure) {
    do throws(Failure) {
      try testFile(file, place: place, isNamed: isNamed)
    } catch {
      if error.kind == .inputOutput { throw error }
      add(error, of: file)
    }
  }

  private mutating func testFile(_ file: String, place: (index: Int, count: Int), isNamed: Bool) throws(Failure) {
    let loaded = try ModelLoader.load(path: file)
    progress.clear()
    Console.report(loaded.diagnostics, color: command.options.color)
    guard let model = loaded.model else {
      let failure = Failure(loaded.diagnostics)
      report.add(failure, of: file)
      statusAfterUpdate = max(statusAfterUpdate ?? 0, failure.kind.rawValue)
      return
    }
    let tests = ModelTest.all(of: model)
    if tests.isEmpty, isNamed { command.options.remark("\(printable(file)): has no tests") }
    var differences: [TestDifference] = []
    for test in tests where isWanted("\(file): \(test.name)") {
      progress.show(place.index, of: place.count, "\(printable(file)): \(printable(test.name))")
      differences += try run(test, in: file)
    }
    // A count that depends on unknown sizes has no value that could be expected.
    let isStuck = differences.contains { if case .count(_, nil) = $0.finding { true } else { false } }
    if isStuck { statusAfterUpdate = max(statusAfterUpdate ?? 0, Failure.Kind.checkFailed.rawValue) }
    let update = TestUpdate(model, differences)
    if !update.isEmpty { updates.append(update) }
  }

  private func isWanted(_ title: String) -> Bool {
    command.filter.isEmpty || command.filter.contains { title.contains($0) }
  }

  /// Runs a test, prints its line, and returns what differs.
  private mutating func run(_ test: ModelTest, in file: String) throws(Failure) -> [TestDifference] {
    let start = clock.now
    var kind: Failure.Kind?
    let outcome: TestReport.Outcome
    do throws(Failure) {
      let differences = try test.run(threads: command.threads)
      outcome = differences.isEmpty ? .passed : .failed(differences)
    } catch {
      kind = error.kind
      outcome = .error(error.summary)
    }
    let entry = TestReport.Entry(
      file: file, line: test.place.start.line, name: test.name, outcome: outcome,
      seconds: start.duration(to: clock.now).inSeconds)
    report.add(entry, kind: kind)
    if let kind { statusAfterUpdate = max(statusAfterUpdate ?? 0, kind.rawValue) }
    let isPassed = if case .passed = outcome { true } else { false }
    if !command.json, !(command.options.quiet && isPassed) {
      progress.clear()
      try Console.write(entry.text(color: usesColor))
    }
    return if case .failed(let differences) = outcome { differences } else { [] }
  }

  private mutating func add(_ failure: Failure, of file: String) {
    progress.clear()
    Console.report(failure, color: command.options.color)
    report.add(failure, of: file)
    statusAfterUpdate = max(statusAfterUpdate ?? 0, failure.kind.rawValue)
  }

  /// Prints the totals. Throws where a filter left nothing to run.
  func conclude() throws {
    progress.clear()
    if !command.filter.isEmpty, report.entries.isEmpty, report.status == 0 {
      let wanted = command.filter.map { "`\(printable($0))`" }.joined(separator: " or ")
      throw Failure(.usage, "no test's name contains \(wanted); `nnrun test` without --filter lists them")
    }
    try Console.write(command.json ? report.json : report.totals)
  }
}

extension Failure {
  /// The failure in one line.
  var summary: String {
    guard message.isEmpty else { return message }
    let lines = diagnostics.filter { $0.severity == .error }.map { diagnostic -> String in
      let start = diagnostic.place.start
      return "\(diagnostic.place.source.name):\(start.line):\(start.column): \(diagnostic.message)"
    }
    return lines.joined(separator: "; ")
  }
}
