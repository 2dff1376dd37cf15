public import Graph
public import Tensors

/// How the numbers of a rank-4 activation lie in files: where the channels are.
public enum Layout: String, Sendable {
  /// [batch, channels, height, width].
  case nchw
  /// [batch, height, width, channels].
  case nhwc

  /// A shape as the author sees it, for one as the graph holds it (always channels first).
  public func presented(_ shape: Shape) -> Shape {
    self == .nhwc && shape.count == 4 ? [shape[0], shape[2], shape[3], shape[1]] : shape
  }

  /// A shape as the graph holds it, for one as the author sees it.
  public func stored(_ shape: Shape) -> Shape {
    self == .nhwc && shape.count == 4 ? [shape[0], shape[3], shape[1], shape[2]] : shape
  }
}

/// A parameter that a layer needs: its name, its shape, and how it starts when nothing gives its values.
public struct ParameterDeclaration: Sendable {
  /// What happens to a parameter in training.
  public enum Role: Sendable {
    /// It follows its gradient.
    case trained
    /// It gathers statistics (the running mean and variance of a batch normalisation).
    case statistic
  }

  /// Its key in the layer, such as `weight`.
  public let name: String
  /// Its axes' lengths.
  public let shape: [Int]
  /// Whether it is trained or gathered.
  public let role: Role
  /// How it is drawn when neither the layer nor a weight file gives it.
  public let initialiser: Initialiser
  /// The numbers that one output depends on.
  public let fanIn: Int
  /// The numbers that depend on one input.
  public let fanOut: Int

  init(
    _ name: String, _ shape: [Int], role: Role = .trained, initialiser: Initialiser, fanIn: Int = 1,
    fanOut: Int = 1
  ) {
    self.name = name
    self.shape = shape
    self.role = role
    self.initialiser = initialiser
    self.fanIn = fanIn
    self.fanOut = fanOut
  }
}

/// What is wrong with a layer, beyond what the schema says, and at which of its keys.
public struct LayerError: Error, Sendable {
  /// What is wrong.
  public let error: ShapeError
  /// The key to point at; the layer's type where it is nil or absent.
  public let key: String?

  init(_ message: ShapeMessage, hint: ShapeMessage? = nil, key: String? = nil) {
    self.error = ShapeError(message, hint: hint)
    self.key = key
  }
}

/// What an author writes in a list of layers: it knows its attributes, its parameters' shapes, and which operations it
/// stands for. It computes nothing.
public protocol Layer: Sendable {
  /// Its name in model files.
  static var type: String { get }

  /// Reads the attributes of a mapping that the schema has passed.
  init(_ attributes: LayerAttributes) throws(LayerError)

  /// The parameters that it needs for inputs of these shapes (as the graph holds them).
  func parameters(inputs: [Shape]) throws(LayerError) -> [ParameterDeclaration]

  /// What it is in a few words, for drawings: `conv2d 3×3, 64 filters`. `parameters` are the shapes of its parameters.
  func summary(parameters: [[Int]]) -> String

  /// Adds its operations to the graph and returns its value. `parameters` are in the order of `parameters(inputs:)`.
  func build(_ context: inout LayerContext, inputs: [ValueID], parameters: [ValueID]) throws(ShapeError) -> ValueID
}

extension Layer {
  public init(_ attributes: LayerAttributes) throws(LayerError) where Self: AttributeFreeLayer { self.init() }
  public func parameters(inputs: [Shape]) throws(LayerError) -> [ParameterDeclaration] { [] }
  public func summary(parameters: [[Int]]) -> String { Self.type }

  /// The input's number of channels (axis 1), which has to be known to shape parameters.
  func channels(_ input: Shape, of what: String) throws(LayerError) -> Int {
    guard input.count == 2 || input.count == 4 else {
      throw LayerError("\(what) needs an input of rank 2 or rank 4, but it takes \(input)", key: "input")
    }
    guard let channels = input[1].value else {
      throw LayerError(
        "\(what) needs a known number of channels, but its input \(input) has \(input[1])",
        hint: "give the input's shape a number there", key: "input")
    }
    return channels
  }
}

/// A layer without attributes.
public protocol AttributeFreeLayer: Layer {
  /// The layer.
  init()
}

/// What a layer's operations are to be used for.
public enum Phase: Sendable, Hashable {
  /// Running the model.
  case inference
  /// Training it: batch normalisation takes the batch's statistics, dropout drops.
  case training
}

/// What a batch normalisation found out about a batch, to be gathered into its running statistics.
public struct BatchStatistics: Sendable {
  /// The parameters that gather the mean and the variance.
  public let running: (mean: ValueID, variance: ValueID)
  /// The mean and the biased variance of the batch.
  public let batch: (mean: ValueID, variance: ValueID)
  /// What was normalised: its channels (axis 1) have as many numbers as its other axes make.
  public let input: ValueID
  /// The share of the new batch.
  public let momentum: Double
}

/// The mask of a dropout, an input of a training graph: 0 where a number is dropped, else 1 / (1 - rate).
public struct DropoutMask: Sendable {
  /// The mask, of the shape of what it drops from.
  public let value: ValueID
  /// The share of numbers that are dropped.
  public let rate: Double
  /// The layer's path.
  public let path: String
}

/// What a layer builds into.
public struct LayerContext: Sendable {
  /// What the graph is for.
  public let phase: Phase
  /// The parameters that training leaves as they are.
  public var frozen: Set<ValueID> = []
  /// What batch normalisations gather, in the order of the layers; only in training.
  public private(set) var statistics: [BatchStatistics] = []
  /// The masks of dropouts, in the order of the layers; only in training.
  public private(set) var masks: [DropoutMask] = []
  /// The graph so far.
  public internal(set) var graph: Graph
  /// How the author's activations lie.
  public let layout: Layout
  /// The path of the layer that is being built.
  public var label = ""

  /// A context that builds into `graph`.
  public init(graph: Graph = Graph(), layout: Layout, phase: Phase = .inference) {
    self.graph = graph
    self.phase = phase
    self.layout = layout
  }

  /// Adds an input of the shape that the author gave, and returns it with its channels first.
  public mutating func addInput(_ shape: Shape) throws(ShapeError) -> ValueID {
    try shape.checkCount()
    let value = graph.addInput(shape)
    return layout == .nhwc && shape.count == 4 ? try apply(Transpose.channelsFirst, to: value) : value
  }

  /// Adds a parameter.
  public mutating func addParameter(_ shape: [Int]) -> ValueID { graph.addParameter(shape.map { .fixed($0) }) }

  /// The value as the author sees it, with its channels where the layout has them.
  public mutating func presented(_ value: ValueID) throws(ShapeError) -> ValueID {
    layout == .nhwc && graph.shape(value).count == 4 ? try apply(Transpose.channelsLast, to: value) : value
  }

  /// Adds an input that holds the mask of a dropout from `value`.
  mutating func addMask(for value: ValueID, rate: Double) -> ValueID {
    let mask = graph.addInput(graph.shape(value))
    masks.append(DropoutMask(value: mask, rate: rate, path: label))
    return mask
  }

  /// Asks for a batch's statistics to be gathered.
  mutating func gather(_ new: BatchStatistics) { statistics.append(new) }

  /// Applies an operation of one result.
  mutating func apply(_ operation: any Operation, to inputs: ValueID...) throws(ShapeError) -> ValueID {
    try graph.apply(operation, to: inputs, label: label)[0]
  }

  /// Applies an operation of one result to a list.
  mutating func apply(_ operation: any Operation, toAll inputs: [ValueID]) throws(ShapeError) -> ValueID {
    try graph.apply(operation, to: inputs, label: label)[0]
  }

  /// Applies an operation of several results.
  mutating func applyForAll(_ operation: any Operation, to inputs: [ValueID]) throws(ShapeError) -> [ValueID] {
    try graph.apply(operation, to: inputs, label: label)
  }
}
