import Tensors

/// Finds normalisations by the batch's own statistics that are written out, as our export writes them, and makes one node
/// of each: gamma * (x - mean) / sqrt(mean of (x - mean)^2 + epsilon) + beta.
struct BatchStatisticsRecovery {
  /// An attribute that no node in a file has: the axes that the statistics were taken over.
  static let axesAttribute = "axes"
  /// The nodes, in their order.
  private(set) var nodes: [ONNXNode]
  private let constants: [String: ONNXTensor]
  private let tensors: ONNXTensorReader
  private var producers: [String: Int] = [:]
  private var consumers: [String: [Int]] = [:]

  init(_ graph: ONNXGraph, tensors: ONNXTensorReader) {
    nodes = graph.nodes
    self.tensors = tensors
    constants = Dictionary(graph.initializers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    for (index, node) in nodes.enumerated() {
      for output in node.outputs { producers[output] = index }
      for input in Set(node.inputs) { consumers[input, default: []].append(index) }
    }
    let outputs = Set(graph.outputs.map(\.name))
    var gone: Set<Int> = []
    var made: [Int: ONNXNode] = [:]
    for index in nodes.indices where nodes[index].operatorType == "ReduceMean" {
      guard let found = match(from: index), found.inner.isDisjoint(with: gone),
        found.inner.allSatisfy({ outputs.isDisjoint(with: nodes[$0].outputs) })
      else { continue }
      gone.formUnion(found.inner)
      made[found.last] = found.node
    }
    nodes = nodes.indices.compactMap { index in made[index] ?? (gone.contains(index) ? nil : nodes[index]) }
  }

  /// The node that the chain from a mean on stands for, the nodes that go, and the last one, in whose place it comes.
  private func match(from mean: Int) -> (node: ONNXNode, inner: Set<Int>, last: Int)? {
    guard let x = nodes[mean].inputs.first, keepsAxes(mean), let axes = axes(mean),
      let difference = only("Sub", after: mean), nodes[difference].inputs == [x, nodes[mean].outputs[0]],
      let name = nodes[difference].outputs.first, let takers = consumers[name], takers.count == 2,
      let square = takers.first(where: { nodes[$0].operatorType == "Mul" && nodes[$0].inputs == [name, name] }),
      let variance = only("ReduceMean", after: square), keepsAxes(variance), self.axes(variance) == axes,
      let sum = only("Add", after: variance), let epsilon = constant(of: sum, beside: variance),
      let deviation = only("Sqrt", after: sum), let quotient = only("Div", after: deviation),
      nodes[quotient].inputs == [name, nodes[deviation].outputs[0]], takers.contains(quotient),
      let scaled = only("Mul", after: quotient), let gamma = operand(of: scaled, beside: quotient),
      let gamma = vector(gamma, axes: axes),
      let last = only("Add", after: scaled), let beta = operand(of: last, beside: scaled),
      let beta = vector(beta, axes: axes)
    else { return nil }
    let node = ONNXNode(
      name: nodes[last].name, operatorType: "BatchNormalization", inputs: [x, gamma, beta, "", ""],
      outputs: nodes[last].outputs,
      attributes: [
        ONNXAttribute(name: "epsilon", value: .float(Float(epsilon))),
        ONNXAttribute(name: "training_mode", value: .integer(1)),
        ONNXAttribute(name: Self.axesAttribute, value: .integers(axes)),
      ])
    return (node, [mean, difference, square, variance, sum, deviation, quotient, scaled], last)
  }

  /// The one node that takes a node's value, where it is of a type.
  private func only(_ type: String, after index: Int) -> Int? {
    guard let output = nodes[index].outputs.first, let takers = consumers[output], takers.count == 1,
      nodes[takers[0]].operatorType == type
    else { return nil }
    return takers[0]
  }

  private func keepsAxes(_ index: Int) -> Bool {
    let axes = axes(index)
    return ImportedAttributes(nodes[index]).integer("keepdims") ?? 1 == 1 && (axes == [0, 2, 3] || axes == [0])
  }

  private func axes(_ index: Int) -> [Int]? {
    if let axes = ImportedAttributes(nodes[index]).integers("axes") { return axes }
    guard nodes[index].inputs.count > 1, let tensor = constants[nodes[index].inputs[1]] else { return nil }
    return (try? tensors.integers(tensor)) ?? nil
  }

  /// The other of a node's two operands.
  private func operand(of index: Int, beside other: Int) -> String? {
    let inputs = nodes[index].inputs
    guard inputs.count == 2, let place = inputs.firstIndex(of: nodes[other].outputs[0]) else { return nil }
    return inputs[1 - place]
  }

  /// The number that a node adds to another's value.
  private func constant(of index: Int, beside other: Int) -> Double? {
    guard let name = operand(of: index, beside: other), let tensor = constants[name],
      let value = (try? tensors.numbers(tensor, as: .float64)) ?? nil, value.count == 1
    else { return nil }
    return value.converted(to: Double.self).elements.first
  }

  /// The vector of a number for each channel, which beside images was given two more axes.
  private func vector(_ name: String, axes: [Int]) -> String? {
    if axes == [0] { return name }
    guard let index = producers[name], nodes[index].operatorType == "Unsqueeze", self.axes(index) == [1, 2] else {
      return nil
    }
    return nodes[index].inputs.first
  }
}
