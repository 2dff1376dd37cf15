public import Graph
import Tensors

/// `batchnorm`: y = gamma * (x - m) / sqrt(v + epsilon) + beta for each channel, over rank 4 or rank 2.
///
/// In inference m and v are the running `mean` and `variance`; with `statistics: batch` they are always the batch's, and
/// there are no running ones. In training they are the batch's, with the biased variance, and the running ones gather
/// them, unless those are frozen: then training uses them as inference does. Parameters, each [channels]: gamma, beta, mean, variance.
public struct BatchNormLayer: Layer {
  public static let type = "batchnorm"
  let epsilon: Double
  /// The share of the new batch in the running statistics.
  let momentum: Double
  let usesBatchStatistics: Bool

  public init(_ attributes: LayerAttributes) throws(LayerError) {
    epsilon = attributes.number("epsilon") ?? 1e-5
    momentum = attributes.number("momentum") ?? 0.1
    usesBatchStatistics = attributes.string("statistics") == "batch"
  }

  public func parameters(inputs: [Shape]) throws(LayerError) -> [ParameterDeclaration] {
    let shape = [try channels(inputs[0], of: "`batchnorm`")]
    let affine = [
      ParameterDeclaration("gamma", shape, initialiser: .ones),
      ParameterDeclaration("beta", shape, initialiser: .zeros),
    ]
    if usesBatchStatistics { return affine }
    return affine + [
      ParameterDeclaration("mean", shape, role: .statistic, initialiser: .zeros),
      ParameterDeclaration("variance", shape, role: .statistic, initialiser: .ones),
    ]
  }

  public func build(_ context: inout LayerContext, inputs: [ValueID], parameters: [ValueID]) throws(ShapeError)
    -> ValueID
  {
    let isFrozen = parameters.dropFirst(2).contains(where: context.frozen.contains)
    guard usesBatchStatistics || context.phase == .training && !isFrozen else {
      return try context.apply(BatchNormalization(epsilon: epsilon), toAll: inputs + parameters)
    }
    let results = try context.applyForAll(
      BatchStatisticsNormalization(epsilon: epsilon), to: inputs + parameters[..<2])
    if !usesBatchStatistics {
      context.gather(
        BatchStatistics(
          running: (parameters[2], parameters[3]), batch: (results[1], results[2]), input: inputs[0],
          momentum: momentum))
    }
    return results[0]
  }
}
