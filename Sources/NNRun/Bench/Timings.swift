/// The times of one piece of work, repeated.
public struct Timings: Sendable {
  /// The seconds of one repetition, in ascending order: each is the mean over `callsPerTiming` repetitions.
  public let seconds: [Double]
  /// How often the work was repeated between two looks at the clock.
  public let callsPerTiming: Int
  /// What else the machine did meanwhile, where that is known.
  public let noise: MachineNoise?

  package init(_ seconds: [Double], callsPerTiming: Int, noise: MachineNoise? = nil) {
    self.seconds = seconds.sorted()
    self.callsPerTiming = callsPerTiming
    self.noise = noise
  }

  /// All timings of several stretches.
  init(_ parts: [Timings]) {
    seconds = parts.flatMap(\.seconds).sorted()
    callsPerTiming = parts.first?.callsPerTiming ?? 1
    noise = MachineNoise(parts.compactMap(\.noise))
  }

  /// The number of repetitions.
  public var repeats: Int { seconds.count * callsPerTiming }
  /// The middle one.
  public var median: Double { quantile(0.5) }
  /// The least.
  public var min: Double { seconds.first ?? 0 }
  /// The largest.
  public var max: Double { seconds.last ?? 0 }

  /// The value below which `share` of the timings lie, between two of them where it falls there.
  public func quantile(_ share: Double) -> Double {
    guard let last = seconds.last else { return 0 }
    let place = share * Double(seconds.count - 1)
    let index = Int(place)
    guard index + 1 < seconds.count else { return last }
    return seconds[index] + (seconds[index + 1] - seconds[index]) * (place - Double(index))
  }

  /// How far the middle half of the timings spreads, as a share of the median.
  public var spread: Double { median > 0 ? (quantile(0.75) - quantile(0.25)) / median : 0 }

  /// Why the times are not to be trusted, if they are not.
  public var doubts: [String] {
    var doubts = noise?.doubts ?? []
    if spread > 0.1 {
      doubts.append("the middle half of the timings spreads over \(Int((spread * 100).rounded())) % of the median")
    }
    return doubts
  }
}
