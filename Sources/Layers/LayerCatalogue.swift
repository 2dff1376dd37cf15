/// Every layer type of the format. The schema, the documentation and `models/` have an entry for each; a test holds them
/// together.
public enum LayerCatalogue {
  /// The types, the first six of the project first.
  public static let types: [any Layer.Type] = [
    Conv2dLayer.self, ReluLayer.self, ResidualLayer.self, BatchNormLayer.self, GapLayer.self, DenseSigmoidLayer.self,
    DenseLayer.self, SigmoidLayer.self, TanhLayer.self, SoftmaxLayer.self, MaxPoolLayer.self, AveragePoolLayer.self,
    AddLayer.self, ConcatLayer.self, PadChannelsLayer.self, FlattenLayer.self, DropoutLayer.self,
  ]

  /// The layer type of this name.
  public static func type(named name: String) -> (any Layer.Type)? { types.first { $0.type == name } }
}
