public import Graph
import Tensors

/// `dense-sigmoid`: y = sigmoid(x w^T + b), [N, inputs] -> [N, units]. Its weights start by `xavier-normal`.
public struct DenseSigmoidLayer: Layer {
  public static let type = "dense-sigmoid"
  private let dense: DenseLayer

  public init(_ attributes: LayerAttributes) throws(LayerError) {
    dense = try DenseLayer(attributes, activation: .sigmoid, weightInitialiser: .xavierNormal)
  }

  public func parameters(inputs: [Shape]) throws(LayerError) -> [ParameterDeclaration] {
    try dense.parameters(inputs: inputs)
  }

  public func summary(parameters: [[Int]]) -> String { "\(Self.type), \(dense.units) units" }

  public func build(_ context: inout LayerContext, inputs: [ValueID], parameters: [ValueID]) throws(ShapeError)
    -> ValueID
  {
    try dense.build(&context, inputs: inputs, parameters: parameters)
  }
}
