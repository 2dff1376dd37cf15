public import ModelFile
import YAML

/// How a model is trained: its `training` section, with the defaults of every key.
public struct TrainingConfiguration: Sendable, Equatable {
  /// What training makes smaller.
  public enum Loss: String, Sendable, CaseIterable {
    /// The mean over batch and outputs of the squared difference.
    case mse
    /// The mean over batch and outputs of the cross-entropy of a sigmoid.
    case binaryCrossEntropy = "binary-cross-entropy"
    /// The mean over the batch of the cross-entropy of a softmax.
    case crossEntropy = "cross-entropy"
  }

  /// How many rows a step takes.
  public enum BatchSize: Sendable, Equatable {
    /// So many; fewer in the last step of an epoch where they do not divide the rows.
    case rows(Int)
    /// All of them.
    case full
  }

  /// What training makes smaller.
  public var loss = Loss.mse
  /// How the parameters follow their gradients.
  public var optimizer = OptimizerConfiguration()
  /// How far, epoch by epoch.
  public var learningRate = LearningRate.constant(0.01)
  /// How many times training goes over the data.
  public var epochs = 1
  /// How many rows a step takes.
  public var batchSize = BatchSize.rows(32)
  /// Whether the rows are shuffled before every epoch.
  public var shuffles = true
  /// The seed of initialisation, shuffling and dropout.
  public var seed = 0
  /// What the gradients' global norm is cut to, if anything.
  public var clipNorm: Double?
  /// The paths that training leaves alone; `*` matches any characters.
  public var freeze: [String] = []

  /// The defaults.
  public init() {}

  /// What a model's `training` section says; the schema has passed it.
  public init(_ model: Model) { self.init(section: model.root["training"]) }

  init(section: Node?) {
    guard let section else { return }
    if let name = section["loss"]?.string, let loss = Loss(rawValue: name) { self.loss = loss }
    if let node = section["optimizer"] { optimizer = OptimizerConfiguration(node) }
    if let node = section["learning-rate"] { learningRate = LearningRate(node) }
    if let value = section["epochs"]?.integer { epochs = value }
    if let node = section["batch-size"] { batchSize = node.integer.map { .rows($0) } ?? .full }
    if let value = section["shuffle"]?.boolean { shuffles = value }
    if let value = section["seed"]?.integer { seed = value }
    clipNorm = section["clip-norm"]?.number
    if case .sequence(let paths)? = section["freeze"]?.content { freeze = paths.compactMap(\.string) }
  }
}

/// An optimiser's kind and settings.
public struct OptimizerConfiguration: Sendable, Equatable {
  /// The kinds of optimisers, each as PyTorch defines it.
  public enum Kind: String, Sendable, CaseIterable {
    /// `torch.optim.SGD`.
    case sgd
    /// `torch.optim.Adam`.
    case adam
    /// `torch.optim.AdamW`.
    case adamw
  }

  /// Which one.
  public var kind: Kind
  /// The share of the last step that is kept (`sgd`).
  public var momentum = 0.0
  /// Whether the gradient is taken a step ahead (`sgd`).
  public var nesterov = false
  /// The decay of the gradient's mean (`adam`, `adamw`).
  public var beta1 = 0.9
  /// The decay of the gradient's square (`adam`, `adamw`).
  public var beta2 = 0.999
  /// What is added to the denominator (`adam`, `adamw`).
  public var epsilon = 1e-8
  /// The share of every parameter that a step takes away, by the gradient (`sgd`, `adam`) or beside it (`adamw`).
  public var weightDecay = 0.0

  /// An optimiser with the default settings of its kind.
  public init(kind: Kind = .sgd) { self.kind = kind }

  /// What a model says: a name, or a mapping with `type`.
  init(_ node: Node) {
    self.init(kind: (node.string ?? node["type"]?.string).flatMap(Kind.init) ?? .sgd)
    if let value = node["momentum"]?.number { momentum = value }
    if let value = node["nesterov"]?.boolean { nesterov = value }
    if let value = node["beta1"]?.number { beta1 = value }
    if let value = node["beta2"]?.number { beta2 = value }
    if let value = node["epsilon"]?.number { epsilon = value }
    if let value = node["weight-decay"]?.number { weightDecay = value }
  }
}
