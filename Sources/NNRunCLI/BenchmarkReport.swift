import Diagnostics
import NNRun

/// What the ranks of a job add to a benchmark.
struct JobReport {
  let ranks: Int
  /// The share of rank 0's time that it communicates or waits for others.
  let communicationShare: Double
  /// The bytes that rank 0 sends in a step.
  let bytesPerStep: Double
  /// The median step of one rank alone.
  let singleRank: Double
  /// How much quicker all ranks are than one.
  let speedup: Double

  func write(to json: inout JSONWriter, rowsPerSecond: Double) {
    json.key("ranks")
    json.integer(ranks)
    for (key, value) in [
      ("rows_per_second", rowsPerSecond), ("communication_share", communicationShare),
      ("bytes_per_step", bytesPerStep), ("single_rank_median_ms", singleRank * 1e3), ("speedup", speedup),
      ("efficiency", speedup / Double(ranks)),
    ] {
      json.key(key)
      json.number(value)
    }
  }
}

/// What `nnrun bench` prints.
struct BenchmarkReport {
  let benchmark: Benchmark
  let timings: Timings
  let loadSeconds: Double
  let peakMemoryBytes: Int
  let profile: BenchmarkProfile?
  let isTraining: Bool
  var job: JobReport?

  var json: String {
    var json = JSONWriter()
    json.object { json in
      func milliseconds(_ key: String, _ seconds: Double) {
        json.key(key)
        json.number(seconds * 1e3)
      }
      milliseconds("median_ms", timings.median)
      milliseconds("min_ms", timings.min)
      milliseconds("max_ms", timings.max)
      json.key("repeats")
      json.integer(timings.repeats)
      json.key("threads")
      json.integer(benchmark.threads)
      json.key("batch_size")
      json.integer(benchmark.batchSize)
      milliseconds("load_ms", loadSeconds)
      json.key("peak_memory_bytes")
      json.integer(peakMemoryBytes)
      json.key("checksum")
      json.number(benchmark.checksum)
      job?.write(to: &json, rowsPerSecond: Double(benchmark.batchSize) / max(timings.median, 1e-12))
      if let profile {
        json.key("layers")
        json.array { json in
          for row in profile.rows { Self.write(row, of: profile, to: &json) }
        }
      }
    }
    return json.text + "\n"
  }

  private static func write(_ row: BenchmarkProfile.Row, of profile: BenchmarkProfile, to json: inout JSONWriter) {
    json.object { json in
      json.key("path")
      json.string(row.path)
      json.key("operations")
      json.string(row.operations)
      json.key("algorithm")
      json.string(row.algorithm)
      json.key("output_shape")
      json.array { json in for size in row.shape { json.integer(size) } }
      json.key("ms")
      json.number(row.seconds * 1e3)
      json.key("share")
      json.number(profile.seconds > 0 ? row.seconds / profile.seconds : 0)
      json.key("multiply_adds")
      json.integer(row.multiplyAdds)
      json.key("gflops")
      json.number(row.flopsPerSecond / 1e9)
      json.key("bytes")
      json.integer(row.bytes)
      json.key("limit_share")
      json.number(row.limitShare)
      json.key("limit")
      json.string(row.isBoundByArithmetic ? "arithmetic" : "memory")
    }
  }

  var text: String {
    let rows = grouped(benchmark.batchSize) + (benchmark.batchSize == 1 ? " row" : " rows")
    let threads = "\(benchmark.threads) " + (benchmark.threads == 1 ? "thread" : "threads")
    let used = benchmark.threadsInUse < benchmark.threads ? ", of which \(benchmark.threadsInUse) has use" : ""
    var lines = [
      ("a \(isTraining ? "step" : "call") of", "\(rows) on \(threads)\(used)"),
      ("median", shortTime(timings.median)),
      (
        "range",
        "\(shortTime(timings.min)) to \(shortTime(timings.max)), "
          + "the middle half \(shortTime(timings.quantile(0.25))) to \(shortTime(timings.quantile(0.75)))"
      ),
      ("repeats", grouped(timings.repeats)),
      ("rows a second", threeDigits(Double(benchmark.batchSize) / max(timings.median, 1e-12))),
    ]
    if let job {
      lines.append(("ranks", grouped(job.ranks)))
      lines.append(("communication", "\(Self.percent(job.communicationShare, digits: 1)) of the time of rank 0"))
      lines.append(("sent a step", "\(bytes(Int(job.bytesPerStep))) by rank 0"))
      let efficiency = Self.percent(job.speedup / Double(job.ranks), digits: 0)
      lines.append(
        (
          "against one rank",
          "\(threeDigits(job.speedup)) times as quick as its \(shortTime(job.singleRank)), an efficiency of \(efficiency)"
        ))
    }
    if benchmark.multiplyAdds > 0 {
      lines.append(("GFLOP/s", threeDigits(2e-9 * Double(benchmark.multiplyAdds) / max(timings.median, 1e-12))))
    }
    lines.append(("loading", shortTime(loadSeconds)))
    let arena = benchmark.arenaBytes > 0 ? ", \(bytes(benchmark.arenaBytes)) of it activations" : ""
    lines.append(("memory", "\(bytes(peakMemoryBytes)) at its peak\(arena)"))
    lines.append((isTraining ? "last loss" : "checksum", "\(Float(benchmark.checksum))"))
    let width = lines.map(\.0.count).max() ?? 0
    let summary = lines.map { $0.0 + String(repeating: " ", count: width - $0.0.count + 2) + $0.1 + "\n" }.joined()
    return summary + (profile.map { "\n" + Self.table($0) } ?? "")
  }

  private static func table(_ profile: BenchmarkProfile) -> String {
    let heading = ["layer", "operations", "algorithm", "output", "time", "share", "GFLOP/s", "bytes", "of the limit"]
    let rows = profile.rows.map { row in
      [
        row.path, row.operations, row.algorithm, "[" + row.shape.map(String.init).joined(separator: ", ") + "]",
        shortTime(row.seconds), percent(profile.seconds > 0 ? row.seconds / profile.seconds : 0, digits: 1),
        row.multiplyAdds > 0 ? threeDigits(row.flopsPerSecond / 1e9) : "", bytes(row.bytes),
        "\(percent(row.limitShare, digits: 0)) \(row.isBoundByArithmetic ? "arithmetic" : "memory")",
      ]
    }
    let work = profile.rows.reduce(0) { $0 + $1.multiplyAdds }
    let total = [
      "all", "", "", "", shortTime(profile.seconds), "100.0 %",
      work > 0 ? threeDigits(2e-9 * Double(work) / max(profile.seconds, 1e-12)) : "",
      bytes(profile.rows.reduce(0) { $0 + $1.bytes }), "",
    ]
    let peak = threeDigits(profile.machineFlopsPerSecond / 1e9)
    let threads = profile.threads == 1 ? "one thread does" : "\(profile.threads) threads do"
    var table = TextTable(heading)
    table.alignment = heading.indices.map { (4...8).contains($0) ? .right : .left }
    rows.forEach { table.add($0) }
    table.footer = total
    return table.text
      + "Each step is timed apart; \(threads) \(peak) GFLOP/s of fused multiply-adds at best. Winograd's products are counted\n"
      + "as a direct convolution's, so that they can pass the limit.\n"
  }

  private static func percent(_ share: Double, digits: Int) -> String {
    if digits == 0 { return "\(Int((share * 100).rounded())) %" }
    return (share < 0.0005 ? "0.0" : decimal(share * 100, digits: digits)) + " %"
  }
}

/// What `nnrun bench --compare` prints.
struct ComparisonReport {
  let comparison: BenchmarkComparison
  /// The first's and the second's.
  let names: [String]

  private var entries: [(name: String, timings: Timings)] {
    [(names[0], comparison.first), (names[1], comparison.second)]
  }

  var json: String {
    var json = JSONWriter()
    json.object { json in
      json.key("compared")
      json.array { json in
        for (name, timings) in entries {
          json.object { json in
            json.key("name")
            json.string(name)
            for (key, value) in [
              ("median_ms", timings.median), ("min_ms", timings.min), ("max_ms", timings.max),
            ] {
              json.key(key)
              json.number(value * 1e3)
            }
            json.key("repeats")
            json.integer(timings.repeats)
          }
        }
      }
      json.key("ratio")
      json.number(comparison.ratio)
      json.key("ratio_min")
      json.number(comparison.ratioRange.lowerBound)
      json.key("ratio_max")
      json.number(comparison.ratioRange.upperBound)
    }
    return json.text + "\n"
  }

  var text: String {
    let rows = entries.map { name, timings in
      [name, shortTime(timings.median), shortTime(timings.min), shortTime(timings.max), grouped(timings.repeats)]
    }
    var table = TextTable(["", "median", "min", "max", "repeats"])
    table.alignment = [.left, .right, .right, .right, .right]
    table.endsWithRule = false
    rows.forEach { table.add($0) }
    // The faster one is named first: two thirds as fast is harder to see than one and a half times as fast.
    let isFirstFaster = comparison.ratio >= 1
    func factor(_ ratio: Double) -> String { Self.factor(isFirstFaster ? ratio : 1 / max(ratio, 1e-12)) }
    let range = [factor(comparison.ratioRange.lowerBound), factor(comparison.ratioRange.upperBound)]
    let rounds =
      "\(range[isFirstFaster ? 0 : 1]) to \(range[isFirstFaster ? 1 : 0]) in \(comparison.roundRatios.count) rounds"
    let verdict = "\(names[isFirstFaster ? 0 : 1]) is \(factor(comparison.ratio)) times as fast (\(rounds))"
    return table.text + (comparison.isClear ? "" : "no clear difference: ") + verdict + "\n"
  }

  private static func factor(_ value: Double) -> String { decimal(value, digits: value < 10 ? 3 : 1) }
}
