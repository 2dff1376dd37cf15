import Graph
import Kernels
import Tensors

/// What is computed together with the step before it.
extension Lowering {
  /// The only step that uses a value, unless the value is asked for besides.
  func onlyConsumer(_ value: ValueID) -> Int? {
    uses[value.index] == 1 && outputIndex[value] == nil ? consumers[value.index].first : nil
  }

  mutating func fusedRelu(_ value: ValueID, label: String) -> (ValueID, Bool, String) {
    guard let next = onlyConsumer(value), graph.steps[next].operation is Relu else { return (value, false, label) }
    fused.insert(next)
    return (graph.steps[next].outputs[0], true, graph.steps[next].label)
  }

  /// What bias and normalisation do to each channel: x * scale + shift, in double precision.
  struct Fold {
    var scale: [Double]
    var shift: [Double]
    var operations: [String] = []

    init(channels: Int) {
      scale = Array(repeating: 1, count: channels)
      shift = Array(repeating: 0, count: channels)
    }
  }

  mutating func include(_ step: Graph.Step, in fold: inout Fold) throws {
    var vectors: [[Double]] = []
    for value in step.inputs.dropFirst() {
      guard let tensor = try tensor(value) else { throw EngineError.unavailable(step.label) }
      vectors.append(tensor.elements.map(Double.init))
    }
    switch step.operation {
    case let operation as BatchNormalization:
      for channel in fold.scale.indices {
        let factor = vectors[0][channel] / (vectors[3][channel] + operation.epsilon).squareRoot()
        fold.scale[channel] *= factor
        fold.shift[channel] = (fold.shift[channel] - vectors[2][channel]) * factor + vectors[1][channel]
      }
    default:
      for channel in fold.shift.indices { fold.shift[channel] += vectors[0][channel] }
    }
    fold.operations.append(name(step.operation))
  }

  /// What follows a product and can be computed with it: bias and normalisation, a residual, relu.
  struct Chain {
    var fold: Fold
    var residual: ValueID?
    var relu = false
    var result: ValueID
    var label: String

    var epilogue: Epilogue {
      var epilogue = Epilogue()
      if fold.scale.contains(where: { $0 != 1 }) { epilogue.scale = fold.scale }
      epilogue.shift = fold.shift.map(Float.init)
      epilogue.relu = relu
      return epilogue
    }
  }

  /// Lowers what computes `value`, unless step `index` has a part in it; whether the value is there then.
  mutating func makeAvailable(_ value: ValueID, apartFrom index: Int) throws -> Bool {
    if isAvailable(value) { return true }
    var needed: Set<ValueID> = [value]
    var missing: [Int] = []
    for (place, step) in graph.steps.enumerated().reversed() where step.outputs.contains(where: needed.contains) {
      if step.outputs.allSatisfy(isAvailable) { continue }
      guard place > index, !fused.contains(place) else { return false }
      missing.append(place)
      needed.formUnion(step.inputs)
    }
    for place in missing.reversed() where !fused.contains(place) {
      fused.insert(place)
      try lower(graph.steps[place], at: place)
    }
    return isAvailable(value)
  }

  mutating func chain(after index: Int, channels: Int, allowsResidual: Bool) throws -> Chain {
    let step = graph.steps[index]
    var chain = Chain(fold: Fold(channels: channels), result: step.outputs[0], label: step.label)
    chain.fold.operations = [name(step.operation)]
    while let next = onlyConsumer(chain.result) {
      let following = graph.steps[next]
      let isFold = following.operation is Bias || following.operation is BatchNormalization
      if isFold, following.inputs[0] == chain.result, chain.residual == nil,
        following.inputs.dropFirst().allSatisfy({ parameterIndex[$0] != nil })
      {
        try include(following, in: &chain.fold)
      } else if following.operation is Add, allowsResidual, chain.residual == nil, following.inputs.count == 2,
        let other = following.inputs.first(where: { $0 != chain.result }), try makeAvailable(other, apartFrom: index)
      {
        chain.residual = other
        chain.fold.operations.append("add")
      } else if following.operation is Relu {
        chain.relu = true
        chain.fold.operations.append("relu")
      } else {
        break
      }
      fused.insert(next)
      chain.result = following.outputs[0]
      chain.label = following.label
      if chain.relu { break }
    }
    return chain
  }
}
