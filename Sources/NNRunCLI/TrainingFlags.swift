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

  /// What the flags say in place of the model's `training` section.
  var overrides: TrainingOverrides {
    var result = TrainingOverrides()
    result.loss = loss
    result.optimizer = optimizer
    result.momentum = momentum
    result.nesterov = nesterov
    result.beta1 = beta1
    result.beta2 = beta2
    result.epsilon = epsilon
    result.weightDecay = weightDecay
    result.learningRate = learningRate
    result.epochs = epochs
    result.batchSize = batchSize
    result.shuffles = shuffle
    result.seed = seed
    result.clipNorm = clipNorm
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
