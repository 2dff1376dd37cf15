import ArgumentParser
import Communication
import Diagnostics
import Engine
import Files
import ModelFile
import NNRun
import Tensors

/// `nnrun bench`.
struct BenchCommand: ParsableCommand, SharedWork {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Times a model's run, or a step of its training.",
    discussion: """
      nnrun bench models/digits/digits.yaml --batch-size 32 --seconds 1
      nnrun bench models/digits/digits.yaml --profile --seconds 1
      nnrun bench models/digits/digits.yaml --train --seconds 1
      nnrun bench models/digits/digits.yaml --compare models/neuron/neuron.yaml --seconds 1
      """)

  @Argument(help: "The model file.", completion: .file(extensions: ["yaml", "yml"]))
  var model: String

  @Option(help: "The rows of a call (default: those of --input, else 1), or of a step (default: the model's own).")
  var batchSize: Int?

  @Option(help: "The number of threads (default: one for each core).")
  var threads: Int?

  @Option(help: "How long to repeat.")
  var seconds = 3.0

  @Flag(help: "Time a training step: forward, backward, update, by the model's training section.")
  var train = false

  @Flag(
    help: "Under mpirun, add up one sum of each rank: quicker, but with other last digits for each number of ranks.")
  var sumByRank = false

  @Option(help: "The size of a symbol of the inputs other than the batch, such as H=224; again and again.")
  var size: [String] = []

  @Option(
    name: .shortAndLong, help: "Arrays to run on: PATH, or NAME=PATH again and again (default: random numbers).",
    completion: .file(extensions: ["npy", "npz"]))
  var input: [String] = []

  @Option(
    name: .shortAndLong, help: "Targets for --train: PATH, or OUTPUT=PATH (default: random ones that suit the loss).",
    completion: .file(extensions: ["npy", "npz"]))
  var target: [String] = []

  @Flag(help: "Time each layer: share, algorithm, GFLOP/s, and how near it comes to the machine's limit.")
  var profile = false

  @Option(
    help: "Another model, or another build of nnrun, to be timed in turn with this one.",
    completion: .file())
  var compare: String?

  @Flag(help: "Print the result as JSON.")
  var json = false

  @OptionGroup var options: SharedOptions

  func validate() throws {
    try checkThreads(threads)
    if let batchSize, batchSize < 1 { throw ValidationError("--batch-size is 1 or more, not \(batchSize)") }
    guard seconds > 0, seconds <= 86_400 else {
      throw ValidationError("--seconds is above 0 and at most 86400, not \(seconds)")
    }
    if !target.isEmpty, !train { throw ValidationError("--target is for a training step: add --train") }
    if !target.isEmpty, input.isEmpty { throw ValidationError("--target belongs to the rows of --input: add it") }
    if profile, train { throw ValidationError("--profile shows the layers of a run; leave out --train") }
    if profile, compare != nil { throw ValidationError("--profile and --compare exclude each other") }
    if input.contains("-"), compare != nil {
      throw ValidationError("--compare reads the input twice, and standard input can be read only once")
    }
    _ = try sizes()
  }

  func run() throws {
    if !Job.communicator.isAlone { return try runJob() }
    if let compare { return try runComparison(with: compare) }
    let (benchmark, loadSeconds) = try prepare(model)
    try benchmark.warmUp(seconds: warmUpSeconds)
    let timings = try benchmark.measure(seconds: seconds)
    let report = BenchmarkReport(
      benchmark: benchmark, timings: timings, loadSeconds: loadSeconds, peakMemoryBytes: peakResidentBytes(),
      profile: profile ? try benchmark.profile(seconds: seconds) : nil, isTraining: train)
    try Console.write(json ? report.json : report.text)
    warn(timings.doubts)
    if benchmark.restarts > 0 {
      options.remark(
        "nnrun: note: training diverged on the same batch and was begun anew \(benchmark.restarts) times; the times stand"
      )
    }
  }

  /// Times a training step by one rank, then by all of them.
  private func runJob() throws {
    let communicator = Job.communicator
    try Job.agree {
      guard train, compare == nil else {
        throw Failure(.usage, "the ranks of a job share training steps: add --train, and leave out --compare")
      }
    }
    let (alone, _) = try Job.agree { try prepare(model) }
    try JobCheck.compare(alone.model, [])
    var single: Timings?
    if Job.leads {
      try alone.warmUp(seconds: warmUpSeconds / 2)
      single = try alone.measure(seconds: seconds / 2)
    }
    try communicator.barrier()
    let (benchmark, loadSeconds) = try Job.alike { try prepare(model, sharedBy: communicator) }
    try benchmark.warmUp(seconds: warmUpSeconds)
    let before = communicator.traffic
    let timings = try benchmark.measure(seconds: seconds)
    let after = communicator.traffic
    guard let single else { return }
    let total = timings.seconds.reduce(0, +) * Double(timings.callsPerTiming)
    let job = JobReport(
      ranks: communicator.size, communicationShare: (after.seconds - before.seconds) / max(total, 1e-12),
      bytesPerStep: Double(after.bytes - before.bytes) / Double(max(timings.repeats, 1)), singleRank: single.median,
      speedup: single.median / max(timings.median, 1e-12))
    let report = BenchmarkReport(
      benchmark: benchmark, timings: timings, loadSeconds: loadSeconds, peakMemoryBytes: peakResidentBytes(),
      profile: nil, isTraining: true, job: job)
    try Console.write(json ? report.json : report.text)
    warn(timings.doubts)
  }

  private var warmUpSeconds: Double { min(0.25 * seconds, 1) }

  private func runComparison(with other: String) throws {
    let names = [model, other]
    var comparison: BenchmarkComparison
    if OtherBuild.isProgram(other) {
      let rounds = 5
      let arguments = builtArguments(seconds: seconds / Double(rounds))
      let builds = [OtherBuild.thisOne, OtherBuild(path: other)]
      comparison = try BenchmarkComparison(rounds: rounds) { which throws(Failure) in
        try builds[which].measure(arguments)
      }
      let report = ComparisonReport(comparison: comparison, names: ["this build", other])
      try Console.write(json ? report.json : report.text)
    } else {
      let benchmarks = [try prepare(model).benchmark, try prepare(other).benchmark]
      for benchmark in benchmarks { try benchmark.warmUp(seconds: warmUpSeconds) }
      let rounds = 10
      let share = seconds / Double(rounds)
      comparison = try BenchmarkComparison(rounds: rounds) { which throws(Failure) in
        try benchmarks[which].measure(seconds: share)
      }
      let report = ComparisonReport(comparison: comparison, names: names)
      try Console.write(json ? report.json : report.text)
    }
    warn(comparison.first.doubts)
  }

  /// Loads a model and makes a plan of it; the seconds from the file to the ready plan.
  private func prepare(
    _ path: String, sharedBy communicator: Communicator? = nil
  ) throws -> (benchmark: Benchmark, loadSeconds: Double) {
    let clock = ContinuousClock()
    let start = clock.now
    let model = try loadModel(path, options)
    let reading = start.duration(to: clock.now)
    var settings = BenchmarkOptions()
    settings.batchSize = batchSize
    settings.threads = Job.threads(threads)
    settings.communicator = communicator
    settings.sums = sumByRank ? .ofRanks : .ofPieces
    settings.trains = train
    settings.sizes = try sizes()
    if !input.isEmpty {
      settings.inputs = try NamedArrays(
        input, names: model.inputs.map(\.name), option: "--input", noun: "input", requiresAll: true
      ).all
    }
    if !target.isEmpty {
      settings.targets = try NamedArrays(
        target, names: model.outputs.map(\.name), option: "--target", noun: "target", requiresAll: false
      ).byIndex
    }
    let benchmark = try Benchmark(model, options: settings)
    return (benchmark, reading / .seconds(1) + benchmark.planSeconds)
  }

  /// The symbols' sizes that `--size` gives.
  private func sizes() throws -> [String: Int] {
    var sizes: [String: Int] = [:]
    for word in size {
      let parts = word.split(separator: "=", omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty, let value = Int(parts[1]), value > 0 else {
        throw ValidationError("--size is a symbol and its size, such as H=224, not `\(printable(word))`")
      }
      guard sizes.updateValue(value, forKey: String(parts[0])) == nil else {
        throw ValidationError("--size gives `\(parts[0])` twice")
      }
    }
    return sizes
  }

  /// The command line that has another build measure the same.
  private func builtArguments(seconds: Double) -> [String] {
    var words = ["bench", model, "--json", "--quiet", "--seconds", "\(seconds)"]
    if let batchSize { words += ["--batch-size", "\(batchSize)"] }
    if let threads { words += ["--threads", "\(threads)"] }
    if train { words.append("--train") }
    for word in size { words += ["--size", word] }
    for word in input { words += ["--input", word] }
    for word in target { words += ["--target", word] }
    return words
  }

  private func warn(_ doubts: [String]) {
    guard !doubts.isEmpty else { return }
    Console.remark("nnrun: warning: the times are not to be trusted: " + doubts.joined(separator: "; "))
  }
}
