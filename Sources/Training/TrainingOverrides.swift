public import Diagnostics

/// What a command line says in place of a model's `training` section.
public struct TrainingOverrides: Sendable {
  /// The loss.
  public var loss: TrainingConfiguration.Loss?
  /// The optimiser, which then begins with its kind's own defaults.
  public var optimizer: OptimizerConfiguration.Kind?
  /// The optimiser's `momentum`.
  public var momentum: Double?
  /// The optimiser's `nesterov`.
  public var nesterov: Bool?
  /// The optimiser's `beta1`.
  public var beta1: Double?
  /// The optimiser's `beta2`.
  public var beta2: Double?
  /// The optimiser's `epsilon`.
  public var epsilon: Double?
  /// The optimiser's `weight-decay`.
  public var weightDecay: Double?
  /// A learning rate, which replaces a schedule too.
  public var learningRate: Double?
  /// The number of epochs, the ones before a resumption included.
  public var epochs: Int?
  /// The number of rows a step.
  public var batchSize: TrainingConfiguration.BatchSize?
  /// Whether the rows are shuffled.
  public var shuffles: Bool?
  /// The seed.
  public var seed: Int?
  /// What the gradients' global norm is cut to.
  public var clipNorm: Double?

  /// No overrides.
  public init() {}
}

extension TrainingConfiguration {
  /// The configuration with what a command line says put in. Throws `usage` for a number out of its range, and for a
  /// setting that the optimiser does not have.
  public func replacing(_ overrides: TrainingOverrides) throws(Failure) -> TrainingConfiguration {
    var result = self
    if let kind = overrides.optimizer { result.optimizer = OptimizerConfiguration(kind: kind) }
    let kind = result.optimizer.kind
    for (name, isGiven, fits) in [
      ("momentum", overrides.momentum != nil, kind == .sgd), ("nesterov", overrides.nesterov != nil, kind == .sgd),
      ("beta1", overrides.beta1 != nil, kind != .sgd), ("beta2", overrides.beta2 != nil, kind != .sgd),
      ("epsilon", overrides.epsilon != nil, kind != .sgd),
    ] where isGiven && !fits {
      throw Failure(.usage, "the optimizer `\(kind.rawValue)` has no `\(name)`")
    }
    let most = Double.greatestFiniteMagnitude
    for (name, value, range, expected) in [
      ("momentum", overrides.momentum, 0...most, "0 or more"),
      ("beta1", overrides.beta1, 0...1.0.nextDown, "from 0 up to, but not including, 1"),
      ("beta2", overrides.beta2, 0...1.0.nextDown, "from 0 up to, but not including, 1"),
      ("epsilon", overrides.epsilon, 0...most, "0 or more"),
      ("weight-decay", overrides.weightDecay, 0...most, "0 or more"),
      ("learning-rate", overrides.learningRate, 0...most, "0 or more"),
      ("clip-norm", overrides.clipNorm, Double.leastNonzeroMagnitude...most, "more than 0"),
    ] {
      guard let value, !range.contains(value) else { continue }
      throw Failure(.usage, "`\(name)` is \(expected), not \(value)")
    }
    for (name, value) in [("epochs", overrides.epochs), ("batch-size", overrides.batchSize?.rows)] {
      guard let value, value < 1 else { continue }
      throw Failure(.usage, "`\(name)` is 1 or more, not \(value)")
    }
    result.loss = overrides.loss ?? loss
    result.optimizer.momentum = overrides.momentum ?? result.optimizer.momentum
    result.optimizer.nesterov = overrides.nesterov ?? result.optimizer.nesterov
    result.optimizer.beta1 = overrides.beta1 ?? result.optimizer.beta1
    result.optimizer.beta2 = overrides.beta2 ?? result.optimizer.beta2
    result.optimizer.epsilon = overrides.epsilon ?? result.optimizer.epsilon
    result.optimizer.weightDecay = overrides.weightDecay ?? result.optimizer.weightDecay
    result.learningRate = overrides.learningRate.map { .constant($0) } ?? learningRate
    result.epochs = overrides.epochs ?? epochs
    result.batchSize = overrides.batchSize ?? batchSize
    result.shuffles = overrides.shuffles ?? shuffles
    result.seed = overrides.seed ?? seed
    result.clipNorm = overrides.clipNorm ?? clipNorm
    return result
  }
}

extension TrainingConfiguration.BatchSize {
  /// The number of rows, where it is given.
  fileprivate var rows: Int? {
    if case .rows(let rows) = self { rows } else { nil }
  }
}
