public import Graph
import Tensors

/// `dense`: rows of features times a matrix, a bias, and an activation.
///
/// y = activation(x w^T + b), [N, inputs] -> [N, units]. Parameters: weight [units, inputs], bias [units].
public struct DenseLayer: Layer {
  /// What is applied to the sums.
  enum Activation: String {
    case none, relu, sigmoid, tanh, softmax
  }

  public static let type = "dense"
  let units: Int
  let hasBias: Bool
  let activation: Activation
  private let weightInitialiser: Initialiser

  public init(_ attributes: LayerAttributes) throws(LayerError) {
    let activation = attributes.string("activation").flatMap(Activation.init) ?? .none
    try self.init(attributes, activation: activation, weightInitialiser: .heNormal)
  }

  init(_ attributes: LayerAttributes, activation: Activation, weightInitialiser: Initialiser) throws(LayerError) {
    let given = attributes.givenShape("weight").flatMap { $0.count == 2 ? $0 : nil }
    units = try attributes.agreed(
      "units", written: attributes.integer("units").map { [$0] }, given: given.map { [$0[0]] }, parameter: "weight",
      axes: "[units, inputs]")[0]
    hasBias = attributes.boolean("bias") ?? true
    self.activation = activation
    self.weightInitialiser = weightInitialiser
  }

  public func parameters(inputs: [Shape]) throws(LayerError) -> [ParameterDeclaration] {
    guard inputs[0].count == 2 else {
      throw LayerError(
        "a dense layer needs an input of rank 2 (rows of features), but it takes \(inputs[0])",
        hint: inputs[0].count == 4 ? "`gap` or `flatten` before it gives rows of features" : nil, key: "input")
    }
    let features = try channels(inputs[0], of: "a dense layer")
    guard checkedProduct([units, features]) != nil else {
      throw LayerError(
        "a weight of shape \([Dimension.fixed(units), .fixed(features)]) has more numbers than can be counted",
        key: "units")
    }
    let weight = ParameterDeclaration(
      "weight", [units, features], initialiser: weightInitialiser, fanIn: features, fanOut: units)
    return hasBias ? [weight, ParameterDeclaration("bias", [units], initialiser: .zeros)] : [weight]
  }

  public func summary(parameters: [[Int]]) -> String {
    "\(Self.type), \(units) units" + (activation == .none ? "" : ", \(activation.rawValue)")
  }

  public func build(_ context: inout LayerContext, inputs: [ValueID], parameters: [ValueID]) throws(ShapeError)
    -> ValueID
  {
    var value = try context.apply(MatrixProduct(transposesRight: true), to: inputs[0], parameters[0])
    if hasBias { value = try context.apply(Bias(), to: value, parameters[1]) }
    return switch activation {
    case .none: value
    case .relu: try context.apply(Relu(), to: value)
    case .sigmoid: try context.apply(Sigmoid(), to: value)
    case .tanh: try context.apply(Tanh(), to: value)
    case .softmax: try context.apply(Softmax(axis: 1), to: value)
    }
  }
}
