public import ArgumentParser
public import Training

/// The scalar keys of a model's `training` section and its optimiser, as flags that replace them.
struct TrainingFlags: ParsableArguments {
  @Option(help: "mse, binary-cross-entropy or cross-entropy.")
  var loss: TrainingConfiguration.Loss?

  @Option(help: "sgd, adam or adamw, with its default settings.")
  var optimizer: OptimizerConfiguration.Kind?

  @Option(help: "The share of the last step that sgd keeps.")
  var momentum: Double?

  @Flag(inversion: .prefixedNo, help: "Take sgd's gradient a step ahead.")
  var nesterov: Bool?

  @Option(help: "The decay of adam's mean of the gradient.")
  var beta1: Double?

  @Option(help: "The decay of adam's mean of the gradient's square.")
  var beta2: Double?

  @Option(help: "What adam adds to its denominator.")
  var epsilon: Double?

  @Option(help: "The decay of every trained parameter.")
  var weightDecay: Double?

  @Option(help: "A number, which replaces a schedule.")
  var learningRate: Double?

  @Option(help: "How many times training goes over the data.")
  var epochs: Int?

  @Option(help: "How many rows a step takes, or `full`.")
  var batchSize: TrainingConfiguration.BatchSize?

  @Flag(inversion: .prefixedNo, help: "Shuffle the rows before every epoch.")
  var shuffle: Bool?

  @Option(help: "The seed of initialisation, shuffling and dropout.")
  var seed: Int?

  @Option(help: "What the gradients' global norm is cut to.")
  var clipNorm: Double?

  func validate() throws {
    func check(_ value: Double?, _ flag: String, _ isSound: (Double) -> Bool, _ expected: String) throws {
      if let value, !(value.isFinite && isSound(value)) {
        throw ValidationError("--\(flag) is \(expected), not \(value)")
      }
    }
    try check(learningRate, "learning-rate", { $0 >= 0 }, "0 or more")
    try check(momentum, "momentum", { $0 >= 0 }, "0 or more")
    try check(beta1, "beta1", { (0..<1).contains($0) }, "from 0 up to 1")
    try check(beta2, "beta2", { (0..<1).contains($0) }, "from 0 up to 1")
    try check(epsilon, "epsilon", { $0 >= 0 }, "0 or more")
    try check(weightDecay, "weight-decay", { $0 >= 0 }, "0 or more")
    try check(clipNorm, "clip-norm", { $0 > 0 }, "more than 0")
    if let epochs, epochs < 1 { throw ValidationError("--epochs is 1 or more, not \(epochs)") }
    if let seed, seed < 0 { throw ValidationError("--seed is 0 or more, not \(seed)") }
  }

  /// A model's own configuration with what the flags say.
  func applied(to configuration: TrainingConfiguration) -> TrainingConfiguration {
    var result = configuration
    if let loss { result.loss = loss }
    if let optimizer { result.optimizer = OptimizerConfiguration(kind: optimizer) }
    if let momentum { result.optimizer.momentum = momentum }
    if let nesterov { result.optimizer.nesterov = nesterov }
    if let beta1 { result.optimizer.beta1 = beta1 }
    if let beta2 { result.optimizer.beta2 = beta2 }
    if let epsilon { result.optimizer.epsilon = epsilon }
    if let weightDecay { result.optimizer.weightDecay = weightDecay }
    if let learningRate { result.learningRate = .constant(learningRate) }
    if let epochs { result.epochs = epochs }
    if let batchSize { result.batchSize = batchSize }
    if let shuffle { result.shuffles = shuffle }
    if let seed { result.seed = seed }
    if let clipNorm { result.clipNorm = clipNorm }
    return result
  }
}

extension TrainingConfiguration.Loss: ExpressibleByArgument {}
extension OptimizerConfiguration.Kind: ExpressibleByArgument {}

extension TrainingConfiguration.BatchSize: ExpressibleByArgument {
  public init?(argument: String) {
    if argument == "full" {
      self = .full
    } else if let rows = Int(argument), rows > 0 {
      self = .rows(rows)
    } else {
      return nil
    }
  }
}
