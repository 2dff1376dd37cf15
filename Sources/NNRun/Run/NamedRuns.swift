public import Diagnostics
public import Tensors

extension Network {
  /// The results by name for inputs by name.
  ///
  /// Throws `usage` where a name is wrong or missing, `invalidData` where shapes do not fit.
  public func run(_ inputs: [String: AnyTensor]) throws(Failure) -> [String: AnyTensor] {
    let ordered = try arrange(inputs, names: model.inputs.map(\.name), noun: "input").compactMap { $0 }
    return Dictionary(zip(resultNames, try run(ordered)), uniquingKeysWith: { first, _ in first })
  }

  /// The only result for the only input; each number is rounded once to the model's type and back.
  ///
  /// Throws `usage` where the model has several, `invalidData` where the shape does not fit.
  public func run<Scalar: TensorScalar>(_ input: Tensor<Scalar>) throws(Failure) -> Tensor<Scalar> {
    guard model.inputs.count == 1, resultNames.count == 1 else {
      throw Failure(
        .usage,
        "the model has \(model.inputs.count) inputs and \(resultNames.count) results; give the inputs by their names")
    }
    return try run([AnyTensor(input)])[0].converted(to: Scalar.self)
  }
}
