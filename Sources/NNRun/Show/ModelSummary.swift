public import Graph
import Layers
public import ModelFile

/// What `nnrun show` tells of a model: a row for each layer, and totals.
public struct ModelSummary: Sendable {
  /// One layer.
  public struct Row: Sendable {
    /// Its path.
    public let path: String
    /// Its type.
    public let type: String
    /// The shape of its value as the author sees it.
    public let shape: Shape
    /// The number of its trained parameters; a shared one counts where it stands first.
    public let parameterCount: Int
    /// The number of its running statistics.
    public let statisticCount: Int
    /// The multiply-adds of its convolution or matrix product for a batch of one.
    public let multiplyAdds: Dimension
    /// Whether an output needs it.
    public let isUsed: Bool
  }

  /// The model's name.
  public let name: String
  /// The layers in the order in which they run.
  public let rows: [Row]
  /// The parameters that training moves.
  public let parameterCount: Int
  /// The running statistics.
  public let statisticCount: Int
  /// The multiply-adds for a batch of one; nil where they are too many to count or depend on several symbols.
  public let multiplyAdds: Dimension?

  /// The summary of a model.
  public init(_ model: Model) {
    name = model.name
    let multiplyAdds = model.multiplyAdds
    var counted: Set<Int> = []
    rows = model.layers.enumerated().map { index, layer in
      var trained = 0
      var statistics = 0
      for parameter in layer.parameters where counted.insert(parameter).inserted {
        switch model.parameters[parameter].declaration.role {
        case .trained: trained += model.parameters[parameter].count
        case .statistic: statistics += model.parameters[parameter].count
        }
      }
      return Row(
        path: layer.path, type: layer.type, shape: layer.shape, parameterCount: trained, statisticCount: statistics,
        multiplyAdds: multiplyAdds[layer.path] ?? .fixed(0), isUsed: layer.isUsed)
    }
    let used = rows.filter(\.isUsed)
    parameterCount = used.reduce(0) { $0 + $1.parameterCount }
    statisticCount = used.reduce(0) { $0 + $1.statisticCount }
    self.multiplyAdds = try? Dimension.added(used.map(\.multiplyAdds))
  }
}

extension Model {
  /// The multiply-adds of each layer's convolution or matrix product for a batch of one, by path.
  var multiplyAdds: [String: Dimension] {
    let graph = fullGraph
    var result: [String: Dimension] = [:]
    for step in graph.steps where step.operation is Convolution || step.operation is MatrixProduct {
      let weight = graph.shape(step.inputs[1])
      // A weight is used once for every place of the output beyond the batch and the channels.
      let places = graph.shape(step.outputs[0]).dropFirst(2)
      result[step.label] = try? Dimension.multiplied(weight + places)
    }
    return result
  }
}
