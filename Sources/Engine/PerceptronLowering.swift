import Graph
import Kernels

/// A dense layer on a graph's input that ends in a loss, where all is so small that calls cost more than arithmetic.
extension Lowering {
  /// Lowers such a layer with its loss and their gradients to one call; whether step `index` begins one.
  mutating func lowerPerceptron(at index: Int) throws -> Bool {
    let step = graph.steps[index]
    guard let product = step.operation as? MatrixProduct, !product.transposesLeft, product.transposesRight,
      graph.inputs.contains(step.inputs[0]), graph.parameters.contains(step.inputs[1]),
      let found = Perceptron(graph, at: index, outputIndex: outputIndex, consumers: consumers)
    else { return false }
    let (rows, inner) = (wholeSizes[step.inputs[0].index][0], sizes[step.inputs[0].index][1])
    let units = sizes[found.output.index][1]
    guard KernelCall.isPerceptron(rows: rows, inner: inner, units: units), fused.isDisjoint(with: found.steps) else {
      return false
    }
    // So little is done by every rank.
    if share != nil { throw EngineError.cannotBeShared }
    var reads: [(KernelCall.Operand, BufferID)] = [
      (.input, try rowBlocks(step.inputs[0], label: step.label)),
      (.second, try rowBlocks(found.target, label: step.label)),
      (.weights, try plain(step.inputs[1], label: step.label)),
    ]
    if let bias = found.bias { reads.append((.bias, try plain(bias, label: step.label))) }
    var writes: [(KernelCall.Operand, BufferID)] = [
      (.output, newPlain(found.output)), (.output2, newPlain(found.loss)),
    ]
    if let gradient = found.weightGradient { writes.append((.output3, newPlain(gradient))) }
    if let gradient = found.biasGradient { writes.append((.output4, newPlain(gradient))) }
    fused.formUnion(found.steps)
    append(
      .perceptron(rows: rows, inner: inner, units: units, sigmoid: found.hasSigmoid, loss: found.kind),
      label: step.label, operations: "dense+loss+gradients", value: found.output, multiplyAdds: rows * inner * units,
      reads: reads, writes: writes)
    return true
  }

  /// A plain [rows, columns] as [block of 8 rows][columns][8].
  private mutating func rowBlocks(_ value: ValueID, label: String) throws -> BufferID {
    let (rows, columns) = (sizes[value.index][0], sizes[value.index][1])
    let output = addBuffer((rows + 7) / 8 * 8 * columns)
    append(
      .reorder(
        batch: 1, channels: rows, height: 1, width: columns,
        strides: PlainStrides(image: 0, channel: columns, row: 0, pixel: 1), toBlocked: true), label: label,
      operations: "layout", value: value, input: try plain(value, label: label), output: output)
    return output
  }
}

/// The steps of a dense layer whose value, after a sigmoid perhaps, goes nowhere but into a loss.
private struct Perceptron {
  private(set) var steps: Set<Int>
  private(set) var bias: ValueID?
  private(set) var hasSigmoid = false
  private(set) var kind = LossKind.meanSquaredError
  private(set) var output: ValueID
  private(set) var loss: ValueID
  private(set) var target: ValueID
  private(set) var weightGradient: ValueID?
  private(set) var biasGradient: ValueID?

  /// The layer that begins with a product, if what follows is all of that kind.
  init?(_ graph: Graph, at index: Int, outputIndex: [ValueID: Int], consumers: [[Int]]) {
    func users(_ value: ValueID) -> [Int] { consumers[value.index] }
    func isOutput(_ value: ValueID) -> Bool { outputIndex[value] != nil }
    let product = graph.steps[index]
    steps = [index]
    var scores = product.outputs[0]
    if let next = users(scores).first, graph.steps[next].operation is Bias {
      guard users(scores).count == 1, !isOutput(scores), graph.parameters.contains(graph.steps[next].inputs[1]) else {
        return nil
      }
      steps.insert(next)
      bias = graph.steps[next].inputs[1]
      scores = graph.steps[next].outputs[0]
    }
    output = scores
    if let next = users(scores).first(where: { graph.steps[$0].operation is Sigmoid }) {
      steps.insert(next)
      hasSigmoid = true
      output = graph.steps[next].outputs[0]
    }
    // The loss is of what comes out of the sigmoid, or of what goes into it.
    let of: ValueID
    if let next = users(output).first(where: { graph.steps[$0].operation is MeanSquaredError }) {
      (of, loss, target) = (output, graph.steps[next].outputs[0], graph.steps[next].inputs[1])
      guard graph.steps[next].inputs[0] == output, !hasSigmoid || !isOutput(scores) else { return nil }
      steps.insert(next)
    } else if hasSigmoid, let next = users(scores).first(where: { graph.steps[$0].operation is BinaryCrossEntropy }) {
      (of, loss, target) = (scores, graph.steps[next].outputs[0], graph.steps[next].inputs[1])
      kind = .binaryCrossEntropy
      guard graph.steps[next].inputs[0] == scores, !isOutput(scores) else { return nil }
      steps.insert(next)
    } else {
      return nil
    }
    guard graph.inputs.contains(target) else { return nil }
    // Then the gradient of the loss, of the sigmoid, and of the parameters.
    if let next = users(of).first(where: {
      graph.steps[$0].operation is MeanSquaredErrorGradient || graph.steps[$0].operation is BinaryCrossEntropyGradient
    }) {
      guard graph.steps[next].inputs == [of, target] else { return nil }
      steps.insert(next)
      var gradient = graph.steps[next].outputs[0]
      if hasSigmoid, of == output {
        guard let last = users(gradient).first, users(gradient).count == 1, !isOutput(gradient),
          graph.steps[last].operation is SigmoidGradient, graph.steps[last].inputs == [gradient, output]
        else { return nil }
        steps.insert(last)
        gradient = graph.steps[last].outputs[0]
      }
      guard !isOutput(gradient) else { return nil }
      for user in users(gradient) {
        let step = graph.steps[user]
        if step.operation is ChannelSum, biasGradient == nil {
          biasGradient = step.outputs[0]
        } else if let product = step.operation as? MatrixProduct, product.transposesLeft, !product.transposesRight,
          step.inputs == [gradient, graph.steps[index].inputs[0]], weightGradient == nil
        {
          weightGradient = step.outputs[0]
        } else {
          return nil
        }
        steps.insert(user)
      }
    }
    // Nobody else looks at what is inside.
    for value in [scores, output] where users(value).contains(where: { !steps.contains($0) }) { return nil }
  }
}
