extension Graph {
  /// Adds the steps that give the gradients of the sum of `losses`, and returns one for each of `values`: nil for a value
  /// that no loss depends on.
  ///
  /// Reverse accumulation: the steps are gone through from the last to the first, each by its own rule; where several
  /// steps use a value, the sum of their gradients is the value's. Throws for an operation without a rule.
  public mutating func addGradients(of losses: [ValueID], withRespectTo values: [ValueID]) throws(ShapeError)
    -> [ValueID?]
  {
    let forward = steps
    var isNeeded = [Bool](repeating: false, count: shapes.count)
    for value in values { isNeeded[value.index] = true }
    for step in forward where step.inputs.contains(where: { isNeeded[$0.index] }) {
      for result in step.outputs { isNeeded[result.index] = true }
    }
    var parts = [[ValueID]](repeating: [], count: isNeeded.count)
    for step in forward.reversed() where step.inputs.contains(where: { isNeeded[$0.index] }) {
      let isLoss = losses.contains(step.outputs[0])
      guard isLoss || step.outputs.contains(where: { !parts[$0.index].isEmpty }) else { continue }
      guard let operation = step.operation as? any DifferentiableOperation else {
        throw ShapeError("the operation \("\(type(of: step.operation))") of layer `\(step.label)` has no gradient")
      }
      var resultGradients: [ValueID?] = []
      for result in step.outputs { resultGradients.append(try sum(parts[result.index], label: step.label)) }
      var rule = GradientRule(
        graph: self, step: step, resultGradients: resultGradients, isNeeded: step.inputs.map { isNeeded[$0.index] })
      let gradients = try operation.operandGradients(&rule)
      self = rule.graph
      for (operand, gradient) in zip(step.inputs, gradients) where isNeeded[operand.index] {
        if let gradient { parts[operand.index].append(gradient) }
      }
    }
    var gradients: [ValueID?] = []
    for value in values { gradients.append(try sum(parts[value.index], label: "")) }
    return gradients
  }

  private mutating func sum(_ values: [ValueID], label: String) throws(ShapeError) -> ValueID? {
    values.count > 1 ? try apply(Add(), to: values, label: label)[0] : values.first
  }
}
