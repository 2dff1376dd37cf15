public import Tensors

extension Graph {
  /// The outputs, computed step by step by the operations' own plain evaluation; a value is freed after its last use.
  ///
  /// The graph's shapes must all be known, and `inputs` and `parameters` have them.
  public func evaluate<Scalar: TensorScalar>(inputs: [Tensor<Scalar>], parameters: [Tensor<Scalar>]) -> [Tensor<Scalar>]
  {
    var values = [Tensor<Scalar>?](repeating: nil, count: shapes.count)
    for (value, tensor) in zip(self.inputs + self.parameters, inputs + parameters) { values[value.index] = tensor }
    var lastUse = [Int](repeating: -1, count: shapes.count)
    for (index, step) in steps.enumerated() {
      for value in step.inputs + step.outputs { lastUse[value.index] = index }
    }
    for value in outputs { lastUse[value.index] = steps.count }
    for (index, step) in steps.enumerated() {
      let results = step.operation.evaluate(step.inputs.compactMap { values[$0.index] })
      for (value, result) in zip(step.outputs, results) { values[value.index] = result }
      for value in step.inputs + step.outputs where lastUse[value.index] == index { values[value.index] = nil }
    }
    return outputs.compactMap { values[$0.index] }
  }
}
