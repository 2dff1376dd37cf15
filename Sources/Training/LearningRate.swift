#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif
import YAML

/// The learning rate of every epoch.
public enum LearningRate: Sendable, Equatable {
  /// The same in every epoch.
  case constant(Double)
  /// One that changes from epoch to epoch.
  case schedule(Schedule)

  /// A rate that rises to `initial` over the first `warmup` epochs and then follows a curve.
  public struct Schedule: Sendable, Equatable {
    /// What follows the warm-up, with t the epochs since then and T all of those.
    public enum Curve: Sendable, Equatable {
      /// initial * factor^floor(t / every).
      case step(every: Int, factor: Double)
      /// final + (initial - final) * (1 + cos(pi t / T)) / 2 (Loshchilov and Hutter 2017, without restarts).
      case cosine(final: Double)
      /// initial + (final - initial) * t / T.
      case linear(final: Double)
    }

    /// The rate after the warm-up.
    public var initial: Double
    /// How many epochs the rate rises.
    public var warmup: Int
    /// What follows.
    public var curve: Curve

    /// A schedule.
    public init(initial: Double, warmup: Int = 0, curve: Curve) {
      self.initial = initial
      self.warmup = warmup
      self.curve = curve
    }
  }

  /// What a model says: a number, or a schedule.
  init(_ node: Node) {
    guard node.entries != nil else {
      self = .constant(node.number ?? 0.01)
      return
    }
    let final = node["final"]?.number ?? 0
    let curve: Schedule.Curve =
      switch node["type"]?.string {
      case "step": .step(every: node["every"]?.integer ?? 1, factor: node["factor"]?.number ?? 1)
      case "linear": .linear(final: final)
      default: .cosine(final: final)
      }
    self = .schedule(
      Schedule(initial: node["initial"]?.number ?? 0.01, warmup: node["warmup"]?.integer ?? 0, curve: curve))
  }

  /// The rate of the epoch with this index, from 0, of so many.
  public func rate(epoch: Int, of epochs: Int) -> Double {
    switch self {
    case .constant(let rate): return rate
    case .schedule(let schedule):
      let initial = schedule.initial
      if epoch < schedule.warmup { return initial * Double(epoch + 1) / Double(schedule.warmup) }
      let t = epoch - schedule.warmup
      let share = Double(t) / Double(max(epochs - schedule.warmup, 1))
      switch schedule.curve {
      case .step(let every, let factor): return initial * pow(factor, Double(t / every))
      case .cosine(let final): return final + (initial - final) * (1 + cos(.pi * share)) / 2
      case .linear(let final): return initial + (final - initial) * share
      }
    }
  }

  /// The rates of epochs with these indices.
  func rates(_ range: Range<Int>, of epochs: Int) -> [Double] {
    if case .constant(let rate) = self { return Array(repeating: rate, count: range.count) }
    return range.map { rate(epoch: $0, of: epochs) }
  }
}
