import Foundation
import NNRun
import Testing

@Suite("nnrun bench")
struct BenchTests {
  /// A small network with a convolution, for rows of any height and width.
  static let anySize = """
    nnrun: 1
    inputs: {image: {shape: [N, 1, H, W]}}
    layers:
      - {name: conv, type: conv2d, filters: 8, kernel: 3, padding: 1}
      - {name: relu, type: relu}
      - {name: pool, type: gap}
      - {name: scores, type: dense, units: 3}

    """

  private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test("the JSON has the documented keys and no others, and its numbers make sense")
  func json() throws {
    let program = try Program()
    defer { program.remove() }
    try program.write(neuron, to: "neuron.yaml")
    let run = try program.shell("nnrun bench neuron.yaml --json --seconds 0.05 --batch-size 3 --threads 1")
    #expect(run.status == 0)
    let result = try object(run.output)
    #expect(
      Set(result.keys) == [
        "median_ms", "min_ms", "max_ms", "repeats", "threads", "batch_size", "load_ms", "peak_memory_bytes", "checksum",
      ])
    func number(_ key: String) throws -> Double { try #require(result[key] as? Double) }
    #expect(try 0 < number("min_ms") && number("min_ms") <= number("median_ms"))
    #expect(try number("median_ms") <= number("max_ms"))
    #expect(try number("repeats") * number("median_ms") < 1000)
    #expect(try number("repeats") >= 3)
    #expect(try number("threads") == 1 && number("batch_size") == 3)
    #expect(try number("load_ms") > 0 && number("peak_memory_bytes") > 1e5)
    let again = try program.shell("nnrun bench neuron.yaml --json --seconds 0.05 --batch-size 3 --threads 2")
    #expect(try object(again.output)["checksum"] as? Double == number("checksum"))
  }

  @Test("the checksum is the sum of the outputs for the given input", arguments: ["float32", "float64"])
  func checksum(dtype: String) throws {
    let program = try Program()
    defer { program.remove() }
    try program.write(neuron.replacing("nnrun: 1\n", with: "nnrun: 1\ndtype: \(dtype)\n"), to: "neuron.yaml")
    try program.write(npy([3, 2], [1, 2, 2, 1, -1, -2]), to: "x.npy")
    func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
    let sum = sigmoid(-0.3) + sigmoid(0) + sigmoid(0.3)
    let run = try program.shell("nnrun bench neuron.yaml --json --seconds 0.02 --input x.npy")
    let result = try object(run.output)
    #expect(abs(try #require(result["checksum"] as? Double) - sum) < 1e-6)
    #expect(result["batch_size"] as? Int == 3)
    let first = try program.shell("nnrun bench neuron.yaml --json --seconds 0.02 --input x.npy --batch-size 1")
    #expect(abs(try #require(object(first.output)["checksum"] as? Double) - sigmoid(-0.3)) < 1e-6)
    let row = try program.shell("nnrun bench neuron.yaml --json --seconds 0.02 --input x.npy --batch-size 4")
    #expect(row.status == 65 && row.errors.contains("3 rows"))
  }

  @Test("a profile has a row for each step, whose shares make a whole")
  func profile() throws {
    let program = try Program()
    defer { program.remove() }
    try program.write(Self.anySize, to: "m.yaml")
    let line = "nnrun bench m.yaml --size H=16 --size W=24 --profile --seconds 0.05"
    let layers = try #require(object(try program.shell(line + " --json").output)["layers"] as? [[String: Any]])
    let shares = layers.compactMap { $0["share"] as? Double }
    #expect(shares.count == layers.count && abs(shares.reduce(0, +) - 1) < 1e-9)
    let convolution = try #require(layers.first { ($0["operations"] as? String)?.hasPrefix("convolution") == true })
    #expect(convolution["path"] as? String == "relu", "the relu is fused, and its layer is named")
    #expect(convolution["multiply_adds"] as? Int == 8 * 9 * 16 * 24)
    #expect(convolution["output_shape"] as? [Int] == [1, 8, 16, 24])
    #expect(try #require(convolution["gflops"] as? Double) > 0)
    #expect(try #require(convolution["limit_share"] as? Double) > 0)
    let least = 4 * (16 * 24 + 8 * 16 * 24)
    #expect(try #require(convolution["bytes"] as? Int) >= least)
    let table = try program.shell(line)
    #expect(table.status == 0 && table.output.contains("GFLOP/s") && table.output.contains("scores"))
  }

  @Test(
    "a training step is timed with targets that fit the loss",
    arguments: ["mse", "binary-cross-entropy", "cross-entropy"])
  func training(loss: String) throws {
    let program = try Program()
    defer { program.remove() }
    let layer = loss == "cross-entropy" ? "dense, units: 4" : "dense-sigmoid, units: 4"
    try program.write(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 5]}}
      layers: [{name: out, type: \(layer)}]
      training: {loss: \(loss), batch-size: 7, learning-rate: 0.001}

      """, to: "m.yaml")
    let run = try program.shell("nnrun bench m.yaml --train --json --seconds 0.05")
    #expect(run.status == 0, "\(run.errors)")
    let result = try object(run.output)
    #expect(result["batch_size"] as? Int == 7)
    #expect(try #require(result["checksum"] as? Double) > 0, "the last loss")
    #expect(try program.shell("nnrun bench m.yaml --train --seconds 0.02").output.contains("last loss"))
  }

  @Test("a step on given rows is a step of training on them")
  func trainingOnData() throws {
    let program = try Program()
    defer { program.remove() }
    try program.write(neuron, to: "neuron.yaml")
    try program.write(npy([3, 2], [1, 2, 2, 1, -1, -2]), to: "x.npy")
    try program.write(npy([3], [1, 0, 0]), to: "y.npy")
    let run = try program.shell("nnrun bench neuron.yaml --train --input x.npy --target y.npy --json --seconds 0.02")
    let loss = try #require(object(run.output)["checksum"] as? Double)
    #expect(loss > 0 && loss < 0.31, "it begins at 0.3033 and falls")
  }

  @Test("a size that the model leaves open has to be said, and may be")
  func sizes() throws {
    let program = try Program()
    defer { program.remove() }
    try program.write(Self.anySize, to: "m.yaml")
    let missing = try program.shell("nnrun bench m.yaml")
    #expect(missing.status == 64 && missing.errors.contains("--size H=64 --size W=64"))
    #expect(try program.shell("nnrun bench m.yaml --size H=8 --size W=9 --size Z=1").status == 64)
    #expect(try program.shell("nnrun bench m.yaml --size H=0").status == 64)
    #expect(try program.shell("nnrun bench m.yaml --size H").status == 64)
    #expect(try program.shell("nnrun bench m.yaml --size H=8 --size H=9").status == 64)
    let run = try program.shell("nnrun bench m.yaml --size H=8 --size W=9 --batch-size 2 --seconds 0.02")
    #expect(run.status == 0 && run.output.contains("2 rows"))
  }

  @Test(
    "mistakes are said, and nothing is timed",
    arguments: [
      ("bench", 64), ("bench missing.yaml", 66), ("bench m.yaml --seconds 0", 64), ("bench m.yaml --seconds x", 64),
      ("bench m.yaml --batch-size 0", 64), ("bench m.yaml --threads 0", 64), ("bench m.yaml --target y.npy", 64),
      ("bench m.yaml --train --profile", 64), ("bench m.yaml --profile --compare m.yaml", 64),
      ("bench m.yaml --input missing.npy", 66), ("bench m.yaml --compare missing.yaml", 66),
      ("bench m.yaml --compare /bin/true", 65), ("bench m.yaml --batch-size 1000000000000000000", 65),
      ("bench m.yaml --batch-size 100000000000000 --train", 65), ("bench fixed.yaml --batch-size 2", 64),
    ])
  func mistakes(words: String, status: Int32) throws {
    let program = try Program()
    defer { program.remove() }
    try program.write(neuron, to: "m.yaml")
    try program.write(neuron.replacing("[N, 2]", with: "[1, 2]"), to: "fixed.yaml")
    let run = try program.shell("nnrun " + words)
    #expect(run.status == status, "\(run.errors)")
    #expect(run.output.isEmpty && !run.errors.isEmpty)
  }

  @Test("two models are timed in turn, and so are two builds")
  func comparison() throws {
    let program = try Program()
    defer { program.remove() }
    try program.write(neuron, to: "small.yaml")
    try program.write(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 512]}}
      layers: [{name: hidden, type: dense, units: 512}, {name: out, type: dense, units: 512}]

      """, to: "large.yaml")
    let models = try object(
      try program.shell("nnrun bench small.yaml --compare large.yaml --seconds 0.2 --batch-size 16 --json").output)
    #expect(try #require(models["ratio"] as? Double) > 2, "the neuron is the faster one")
    let compared = try #require(models["compared"] as? [[String: Any]])
    #expect(compared.map { $0["name"] as? String } == ["small.yaml", "large.yaml"])
    let text = try program.shell("nnrun bench small.yaml --compare large.yaml --seconds 0.2 --batch-size 16")
    #expect(text.output.contains("small.yaml is ") && text.output.contains("times as fast"))
    let builds = try program.shell(#"nnrun bench small.yaml --compare "$(command -v nnrun)" --seconds 0.2 --json"#)
    #expect(builds.status == 0, "\(builds.errors)")
    #expect(try #require(object(builds.output)["ratio"] as? Double) > 0)
  }

  @Test("each of a comparison's rounds gives both a turn, and the order alternates")
  func turns() {
    var order: [Int] = []
    let comparison = BenchmarkComparison(rounds: 3) { which in
      order.append(which)
      return Timings(which == 0 ? [1, 2, 3] : [5, 4, 6], callsPerTiming: 10)
    }
    #expect(order == [0, 1, 1, 0, 0, 1])
    #expect(comparison.ratio == 2.5 && comparison.ratioRange == 2.5...2.5 && comparison.isClear)
    #expect(comparison.first.repeats == 90)
  }

  @Test("medians and quartiles lie between the timings where they fall there")
  func quantiles() {
    let timings = Timings([4, 1, 3, 2], callsPerTiming: 2)
    #expect(timings.median == 2.5 && timings.min == 1 && timings.max == 4 && timings.repeats == 8)
    #expect(timings.quantile(0.25) == 1.75)
    #expect(timings.spread == 0.6)
    #expect(timings.doubts.count == 1, "such a spread is a doubt")
    #expect(Timings([1, 1, 1], callsPerTiming: 1).doubts.isEmpty)
  }
}
