import Graph
import Kernels
import Tensors

/// Turns a graph with known shapes into steps over buffers: fuses, folds, chooses layouts and kernels.
struct Lowering {
  /// Where a value is held, in one form or several.
  struct Held {
    var plain: BufferID?
    var blocked: BufferID?
    var strided: (buffer: BufferID, strides: PlainStrides)?
  }

  let graph: Graph
  let sizes: [[Int]]
  let threads: Int
  let parameter: (Int) throws -> AnyTensor
  var steps: [PlannedStep] = []
  var buffers: [Buffer] = []
  var held: [Held]
  let parameterIndex: [ValueID: Int]
  let outputIndex: [ValueID: Int]
  var uses: [Int]
  var consumers: [[Int]]
  var fused: Set<Int> = []
  /// Gradients through relu that their only user masks by itself: the gradient, and the result of relu.
  var masked: [ValueID: (gradient: ValueID, activated: ValueID)] = [:]
  /// Where each output of the graph goes, unless the caller gives a place for it.
  var outputPlaces: [Buffer.Place] = []
  /// Where each varying parameter lies, unless the caller gives it after the inputs.
  var parameterPlaces: [Buffer.Place] = []
  /// Where each output is when all steps are lowered.
  var outputBuffers: [BufferID] = []
  /// A rank's share of the batch, whose sizes are `sizes`; those of the whole batch, which are the same without one.
  let share: BatchShare?
  let wholeSizes: [[Int]]
  var exchangeCount = 0
  /// What other ranks' rows are gathered in.
  var gathered: [BufferID: (whole: BufferID, exchange: Exchange)] = [:]
  /// What is done at the end, when exchanges are.
  var deferred: [(inout Lowering) -> Void] = []
  let varies: Bool
  let once: Bool

  /// A graph to be lowered; `sizes` are its shapes, and `parameter` gives the values of the parameter of an index.
  ///
  /// With `varies` the parameters come anew at every run, after the inputs, and are packed then; with `once` there is
  /// one run only, and weights are not packed for more. With a `share`, `sizes` are of its rows and `wholeSizes` of all.
  init(
    graph: Graph, sizes: [[Int]], threads: Int, varies: Bool = false, once: Bool = false, share: BatchShare? = nil,
    wholeSizes: [[Int]]? = nil,
    parameter: @escaping (Int) throws -> AnyTensor
  ) {
    self.varies = varies
    self.once = once
    self.graph = graph
    self.sizes = sizes
    self.share = share
    self.wholeSizes = wholeSizes ?? sizes
    self.threads = threads
    self.parameter = parameter
    held = Array(repeating: Held(), count: sizes.count)
    parameterIndex = Dictionary(
      (varies ? [] : graph.parameters).enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    outputIndex = Dictionary(graph.outputs.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    uses = Array(repeating: 0, count: sizes.count)
    consumers = Array(repeating: [], count: sizes.count)
    for (index, step) in graph.steps.enumerated() {
      for value in step.inputs {
        uses[value.index] += 1
        consumers[value.index].append(index)
      }
    }
    for value in graph.outputs { uses[value.index] += 1 }
  }

  /// Lowers every step of the graph.
  mutating func run() throws {
    try requireShareable()
    for (index, value) in (graph.inputs + (varies ? graph.parameters : [])).enumerated() {
      let parameter = index - graph.inputs.count
      let place = parameterPlaces.indices.contains(parameter) ? parameterPlaces[parameter] : .input(index)
      held[value.index].plain = addBuffer(count(value), place: place)
    }
    for (index, step) in graph.steps.enumerated() where !fused.contains(index) {
      try lower(step, at: index)
    }
    for (index, value) in graph.outputs.enumerated() {
      let place = outputPlace(index)
      if let plain = held[value.index].plain, buffers[plain.index].place == place || place == .arena {
        outputBuffers.append(plain)
        continue
      }
      let output = addBuffer(count(value), place: place)
      outputBuffers.append(output)
      if let parameter = parameterIndex[value] {
        append(
          label: "", operations: "parameter", value: value, algorithm: "copy",
          body: .evaluation(Relay(), inputs: [.constant(try values(parameter))], outputs: [output]))
      } else {
        copy(try plain(value, label: ""), to: output, value: value, label: "")
      }
    }
  }

  mutating func lower(_ step: Graph.Step, at index: Int) throws {
    // What stands on a parameter alone is rare, and so is an empty batch: their plain evaluation will do.
    let isOnParameter = step.inputs.first.map { parameterIndex[$0] != nil } ?? true
    guard !isOnParameter, step.outputs.allSatisfy({ count($0) > 0 }) else { return try evaluate(step) }
    switch step.operation {
    case let operation as Convolution: try lower(operation, step, at: index)
    case let operation as MatrixProduct: try lower(operation, step, at: index)
    case is BatchNormalization, is Bias: try lowerAffine(step)
    case is Relu: try lowerElementwise(.relu, "relu", step)
    case is Sigmoid: try lowerElementwise(.sigmoid, "sigmoid", step)
    case is Tanh: try lowerElementwise(.tanh, "tanh", step)
    case is Add: try lowerAdd(step)
    case let operation as MaxPool: try lowerPooling(operation.window, maximum: true, countsPadding: false, step)
    case let operation as AveragePool:
      try lowerPooling(operation.window, maximum: false, countsPadding: operation.countsPadding, step)
    case is SpatialMean:
      let shape = sizes[step.inputs[0].index]
      let input = try blocked(step.inputs[0], label: step.label)
      append(
        .spatialMean(batch: shape[0], channels: shape[1], pixels: shape[2] * shape[3]), label: step.label,
        operations: "mean", value: step.outputs[0], input: input, output: newPlain(step.outputs[0]))
    case let operation as Softmax where operation.axis == sizes[step.inputs[0].index].count - 1:
      let columns = sizes[step.inputs[0].index].last ?? 1
      let input = try plain(step.inputs[0], label: step.label)
      append(
        .softmax(rows: count(step.inputs[0]) / columns, columns: columns), label: step.label, operations: "softmax",
        value: step.outputs[0], input: input, output: newPlain(step.outputs[0]))
    case is Concatenate where sizes[step.outputs[0].index].count == 4: try lowerConcatenate(step)
    case let operation as PadChannels where sizes[step.outputs[0].index].count == 4:
      let shape = sizes[step.inputs[0].index]
      let input = try blocked(step.inputs[0], label: step.label)
      append(
        .channelCopy(
          batch: shape[0], channels: shape[1], firstChannel: 0, outputChannels: operation.channels,
          pixels: shape[2] * shape[3], zeroFill: true),
        label: step.label, operations: "pad channels", value: step.outputs[0], input: input,
        output: newBlocked(step.outputs[0]))
    case is Flatten:
      let input = try plain(step.inputs[0], label: step.label)
      if outputIndex[step.outputs[0]] != nil {
        copy(input, to: newPlain(step.outputs[0]), value: step.outputs[0], label: step.label)
      } else {
        held[step.outputs[0].index].plain = input
      }
    case let operation as Transpose: try lower(operation, step)
    default: if try !lowerGradient(step, at: index) { try evaluate(step) }
    }
  }

  /// The operation's own evaluation on plain values.
  mutating func evaluate(_ step: Graph.Step) throws {
    if let share, (step.inputs + step.outputs).contains(where: isShared) { return try evaluateShared(step, share) }
    var operands: [PlannedStep.Operand] = []
    for value in step.inputs {
      if let constant = try tensor(value) {
        operands.append(.constant(constant))
      } else {
        operands.append(.buffer(try plain(value, label: step.label), shape: sizes[value.index]))
      }
    }
    append(
      label: step.label, operations: name(step.operation), value: step.outputs[0], algorithm: "plain",
      body: .evaluation(step.operation, inputs: operands, outputs: step.outputs.map { newPlain($0) }))
  }

  func name(_ operation: any Operation) -> String { "\(type(of: operation))".lowercased() }

  mutating func lower(_ operation: Transpose, _ step: Graph.Step) throws {
    let (input, output) = (step.inputs[0], step.outputs[0])
    let shape = sizes[input.index]
    if operation == .channelsFirst, let source = held[input.index].plain, outputIndex[output] == nil {
      held[output.index].strided = (source, .channelsLast(channels: shape[3], height: shape[1], width: shape[2]))
    } else if operation == .channelsLast {
      let source = try blocked(input, label: step.label)
      append(
        .reorder(
          batch: shape[0], channels: shape[1], height: shape[2], width: shape[3],
          strides: .channelsLast(channels: shape[1], height: shape[2], width: shape[3]), toBlocked: false),
        label: step.label, operations: "layout", value: output, input: source, output: newPlain(output))
    } else {
      try evaluate(step)
    }
  }

  func shape(_ window: Window, input: ValueID, output: ValueID, groups: Int = 1) -> ConvolutionShape {
    ConvolutionShape(window, input: sizes[input.index], output: sizes[output.index], groups: groups)
  }

  /// A shape as algorithms are chosen for it, which have other bits: with the whole batch, where ranks share one.
  func chosen(_ shape: ConvolutionShape, of value: ValueID) -> ConvolutionShape {
    share?.sums == .ofPieces && isShared(value) ? shape.batched(wholeSizes[value.index][0]) : shape
  }

  /// Whether pooling by a window changes nothing.
  func isIdentity(_ window: Window) -> Bool {
    window.kernel == [1, 1] && window.stride == [1, 1] && window.padding == .none
  }

  mutating func lowerPooling(_ window: Window, maximum: Bool, countsPadding: Bool, _ step: Graph.Step) throws {
    if isIdentity(window), outputIndex[step.outputs[0]] == nil {
      held[step.outputs[0].index] = held[step.inputs[0].index]
      return
    }
    let input = try blocked(step.inputs[0], label: step.label)
    append(
      .pooling(
        shape(window, input: step.inputs[0], output: step.outputs[0]), maximum: maximum, countsPadding: countsPadding),
      label: step.label, operations: maximum ? "max pool" : "average pool", value: step.outputs[0], input: input,
      output: newBlocked(step.outputs[0]))
  }

  mutating func lowerElementwise(_ function: ElementwiseFunction, _ name: String, _ step: Graph.Step) throws {
    let (input, output) = (step.inputs[0], step.outputs[0])
    if let source = held[input.index].blocked {
      append(
        .elementwise(function, count: blockedCount(sizes[input.index])), label: step.label, operations: name,
        value: output, input: source, output: newBlocked(output))
    } else {
      let source = try plain(input, label: step.label)
      append(
        .elementwise(function, count: count(input)), label: step.label, operations: name, value: output, input: source,
        output: newPlain(output))
    }
  }

  mutating func lowerAdd(_ step: Graph.Step) throws {
    guard step.inputs.count >= 2, step.inputs.allSatisfy({ parameterIndex[$0] == nil }) else {
      return try evaluate(step)
    }
    let output = step.outputs[0]
    let isBlocked = step.inputs.contains { held[$0.index].blocked != nil }
    let operands = try step.inputs.map { value in
      isBlocked ? try blocked(value, label: step.label) : try plain(value, label: step.label)
    }
    let (result, isRelu, label) = fusedRelu(output, label: step.label)
    let target = isBlocked ? newBlocked(result) : newPlain(result)
    let size = isBlocked ? blockedCount(sizes[output.index]) : count(output)
    var sum = operands[0]
    for (index, operand) in operands.enumerated().dropFirst() {
      let isLast = index == operands.count - 1
      append(
        .elementwise(isLast && isRelu ? .relu : .identity, count: size), label: label,
        operations: isLast && isRelu ? "add+relu" : "add", value: result, input: sum, second: operand, output: target)
      sum = target
    }
  }

  mutating func lowerConcatenate(_ step: Graph.Step) throws {
    let output = step.outputs[0]
    let shape = sizes[output.index]
    guard step.inputs.allSatisfy({ parameterIndex[$0] == nil }) else { return try evaluate(step) }
    let sources = try step.inputs.map { try blocked($0, label: step.label) }
    let target = newBlocked(output)
    var first = 0
    for (value, source) in zip(step.inputs, sources) {
      let channels = sizes[value.index][1]
      append(
        .channelCopy(
          batch: shape[0], channels: channels, firstChannel: first, outputChannels: shape[1],
          pixels: shape[2] * shape[3], zeroFill: false),
        label: step.label, operations: "concatenate", value: output, input: source, output: target)
      first += channels
    }
  }

  mutating func lowerAffine(_ step: Graph.Step) throws {
    let (input, output) = (step.inputs[0], step.outputs[0])
    let shape = sizes[input.index]
    guard shape.count == 4, step.inputs.dropFirst().allSatisfy({ parameterIndex[$0] != nil }) else {
      return try evaluate(step)
    }
    var fold = Fold(channels: shape[1])
    try include(step, in: &fold)
    let (result, isRelu, label) = fusedRelu(output, label: step.label)
    let source = try blocked(input, label: step.label)
    append(
      try .affine(
        batch: shape[0], channels: shape[1], pixels: shape[2] * shape[3], scale: fold.scale.map(Float.init),
        shift: fold.shift.map(Float.init), relu: isRelu),
      label: label, operations: name(step.operation) + (isRelu ? "+relu" : ""), value: result, input: source,
      output: newBlocked(result))
  }
}
