public import Graph

/// `residual`: activation(body(x) + shortcut(x)) (He et al. 2015).
///
/// Its two lists of layers are built by whoever builds lists; it takes their two values, body first.
public struct ResidualLayer: Layer {
  public static let type = "residual"
  private let hasActivation: Bool

  public init(_ attributes: LayerAttributes) throws(LayerError) {
    hasActivation = attributes.string("activation") != "none"
  }

  public func summary(parameters: [[Int]]) -> String { hasActivation ? "add, relu" : "add" }

  public func build(_ context: inout LayerContext, inputs: [ValueID], parameters: [ValueID]) throws(ShapeError)
    -> ValueID
  {
    let sum = try context.apply(Add(), toAll: inputs)
    return hasActivation ? try context.apply(Relu(), to: sum) : sum
  }
}
