/// Two benchmarks side by side: what a slow minute of the machine does to one it does to the other.
public struct BenchmarkComparison: Sendable {
  /// The timings of each.
  public let first, second: Timings
  /// How many times as fast the first is as the second, in each round.
  public let roundRatios: [Double]

  /// How many times as fast the first is as the second: the second's median over the first's.
  public var ratio: Double { first.median > 0 ? second.median / first.median : 0 }
  /// The least and the largest of the rounds' ratios.
  public var ratioRange: ClosedRange<Double> { (roundRatios.min() ?? 0)...(roundRatios.max() ?? 0) }
  /// Whether every round found the same one faster.
  public var isClear: Bool { ratioRange.lowerBound > 1 || ratioRange.upperBound < 1 }

  /// Times both in turn, in rounds whose order alternates. `measure` is given 0 or 1, and measures the first or second.
  public init<Problem: Error>(
    rounds: Int, measure: (_ which: Int) throws(Problem) -> Timings
  ) throws(Problem) {
    var timings: [[Timings]] = [[], []]
    for round in 0..<max(rounds, 1) {
      for which in round % 2 == 0 ? [0, 1] : [1, 0] { timings[which].append(try measure(which)) }
    }
    roundRatios = zip(timings[0], timings[1]).map { $0.median > 0 ? $1.median / $0.median : 0 }
    first = Timings(timings[0])
    second = Timings(timings[1])
  }
}
