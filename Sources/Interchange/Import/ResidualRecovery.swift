/// Finds sums of a value and something computed from it, and makes residuals of them.
struct ResidualRecovery {
  private(set) var graph: ImportedGraph

  init(_ graph: ImportedGraph) {
    self.graph = graph
    for number in graph.order where graph.layers[number]?.type == "add" { recover(number) }
  }

  private mutating func recover(_ sum: Int) {
    guard let layer = graph.layers[sum], layer.inputs.count == 2, layer.inputs[0] != layer.inputs[1] else { return }
    let position = Dictionary(uniqueKeysWithValues: graph.order.enumerated().map { ($1, $0) })
    let consumers = graph.consumers
    let ancestors = layer.inputs.map { self.ancestors(of: $0) }
    // The value that branches last before the sum.
    let common = ancestors[0].intersection(ancestors[1])
    func place(_ value: ImportedValue) -> Int {
      switch value {
      case .input(let index): index - 1_000_000
      case .layer(let number): position[number] ?? 0
      }
    }
    guard let source = common.max(by: { place($0) < place($1) }) else { return }
    let before = self.ancestors(of: source)
    var branches = ancestors.map { branch in
      branch.subtracting(before).compactMap { value -> Int? in
        if case .layer(let number) = value { number } else { nil }
      }.sorted { place(.layer($0)) < place(.layer($1)) }
    }
    guard Set(branches[0]).isDisjoint(with: branches[1]) else { return }
    for (index, branch) in branches.enumerated() {
      let own = Set(branch)
      for number in branch {
        guard let inner = graph.layers[number], !graph.outputs.contains(number) else { return }
        // Nothing may come in but the source, and nothing go out but to the sum.
        for value in inner.inputs where value != source {
          guard case .layer(let taken) = value, own.contains(taken) else { return }
        }
        for consumer in consumers[number] ?? [] where !own.contains(consumer) {
          guard consumer == sum, layer.inputs[index] == .layer(number) else { return }
        }
      }
      // The value of a list is that of the layer listed last.
      if let last = branch.last, layer.inputs[index] != .layer(last) { return }
    }
    if branches[0].count < branches[1].count { branches.swapAt(0, 1) }
    guard !branches[0].isEmpty else { return }

    var residual = ImportedLayer(
      type: "residual", inputs: [source], path: layer.path, origin: layer.origin, body: branches[0],
      shortcut: branches[1])
    var replaced = sum
    if !graph.outputs.contains(sum), let only = consumers[sum], only.count == 1,
      let relu = graph.layers[only[0]], relu.type == "relu"
    {
      residual.path = relu.path
      replaced = only[0]
    } else {
      residual.attributes = [("activation", "none")]
    }
    residual.path = name(residual, sum: layer.path)
    // The residual takes the number of the layer whose value it is, so that nothing else changes.
    graph.layers[replaced] = residual
    let gone = Set(branches[0] + branches[1] + (replaced == sum ? [] : [sum]))
    graph.order.removeAll { gone.contains($0) }
  }

  /// A value and all that it is computed from.
  private func ancestors(of value: ImportedValue) -> Set<ImportedValue> {
    var found: Set<ImportedValue> = [value]
    var pending = [value]
    while let next = pending.popLast() {
      guard case .layer(let number) = next else { continue }
      for input in graph.layers[number]?.inputs ?? [] where found.insert(input).inserted { pending.append(input) }
    }
    return found
  }

  /// The path that its layers have in common, if they have one that says more than nothing.
  private func name(_ residual: ImportedLayer, sum: [Substring]) -> [Substring] {
    let weighted = (residual.body + residual.shortcut).compactMap { graph.layers[$0] }.filter { !$0.parameters.isEmpty }
    guard var common = weighted.first?.path.dropLast() else { return residual.path }
    for layer in weighted.dropFirst() {
      while !layer.path.starts(with: common) { common = common.dropLast() }
    }
    return common.isEmpty ? residual.path : Array(common)
  }
}
