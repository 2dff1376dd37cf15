import Graph
import Kernels
import Tensors

/// One thing that an executor does.
struct PlannedStep {
  enum Body {
    /// A kernel over buffers.
    case kernel(
      KernelCall, reads: [(KernelCall.Operand, BufferID)], writes: [(KernelCall.Operand, BufferID)])
    /// The operation's own evaluation, for what has no kernel.
    case evaluation(any Operation, inputs: [Operand], outputs: [BufferID])
  }
  /// An operand of an evaluation.
  enum Operand {
    case buffer(BufferID, shape: [Int])
    case constant(Tensor<Float>)
  }
  let description: PlanStep
  let body: Body
  /// The parameter that is the kernel's plain weights, where they are read only when the step comes.
  var onceParameter: Int?

  var reads: [BufferID] {
    switch body {
    case .kernel(_, let reads, _): reads.map(\.1)
    case .evaluation(_, let inputs, _):
      inputs.compactMap { if case .buffer(let buffer, _) = $0 { buffer } else { nil } }
    }
  }

  var writes: [BufferID] {
    switch body {
    case .kernel(_, _, let writes): writes.map(\.1)
    case .evaluation(_, _, let outputs): outputs
    }
  }
}

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
  private(set) var steps: [PlannedStep] = []
  private(set) var buffers: [Buffer] = []
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
  private(set) var outputBuffers: [BufferID] = []
  private let varies: Bool
  private let once: Bool

  /// A graph to be lowered; `sizes` are its shapes, and `parameter` gives the values of the parameter of an index.
  ///
  /// With `varies` the parameters come anew at every run, after the inputs, and are packed then; with `once` there is
  /// one run only, and weights are not packed for more.
  init(
    graph: Graph, sizes: [[Int]], threads: Int, varies: Bool = false, once: Bool = false,
    parameter: @escaping (Int) throws -> AnyTensor
  ) {
    self.varies = varies
    self.once = once
    self.graph = graph
    self.sizes = sizes
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

  // MARK: - Values and buffers

  private func outputPlace(_ index: Int) -> Buffer.Place {
    outputPlaces.indices.contains(index) ? outputPlaces[index] : .output(index)
  }

  func count(_ value: ValueID) -> Int { sizes[value.index].reduce(1, *) }

  func blockedCount(_ shape: [Int]) -> Int {
    shape[0] * ConvolutionShape.blocks(shape[1]) * 8 * shape[2] * shape[3]
  }

  mutating func addBuffer(_ count: Int, place: Buffer.Place = .arena) -> BufferID {
    buffers.append(Buffer(count: count, place: place))
    return BufferID(index: buffers.count - 1)
  }

  func values(_ parameter: Int) throws -> Tensor<Float> {
    try self.parameter(parameter).converted(to: Float.self)
  }

  /// The parameter that a value is.
  func tensor(_ value: ValueID) throws -> Tensor<Float>? { try parameterIndex[value].map(values) }

  mutating func newPlain(_ value: ValueID) -> BufferID {
    let buffer = addBuffer(count(value), place: outputIndex[value].map { outputPlace($0) } ?? .arena)
    held[value.index].plain = buffer
    return buffer
  }

  mutating func newBlocked(_ value: ValueID) -> BufferID {
    let buffer = addBuffer(blockedCount(sizes[value.index]))
    held[value.index].blocked = buffer
    return buffer
  }

  func isAvailable(_ value: ValueID) -> Bool {
    let held = held[value.index]
    return held.plain != nil || held.blocked != nil || held.strided != nil
  }

  mutating func append(
    label: String, operations: String, value: ValueID, algorithm: String, multiplyAdds: Int = 0,
    body: PlannedStep.Body
  ) {
    let description = PlanStep(
      label: label, operations: operations, algorithm: algorithm, multiplyAdds: multiplyAdds,
      shape: sizes[value.index])
    steps.append(PlannedStep(description: description, body: body))
  }

  mutating func append(
    _ call: KernelCall, label: String, operations: String, value: ValueID, multiplyAdds: Int = 0, input: BufferID,
    second: BufferID? = nil, output: BufferID
  ) {
    append(
      call, label: label, operations: operations, value: value, multiplyAdds: multiplyAdds,
      reads: [(.input, input)] + (second.map { [(.second, $0)] } ?? []), writes: [(.output, output)])
  }

  mutating func append(
    _ call: KernelCall, label: String, operations: String, value: ValueID, multiplyAdds: Int = 0,
    reads: [(KernelCall.Operand, BufferID)], writes: [(KernelCall.Operand, BufferID)]
  ) {
    append(
      label: label, operations: operations, value: value, algorithm: call.algorithm, multiplyAdds: multiplyAdds,
      body: .kernel(call, reads: reads, writes: writes))
  }

  mutating func copy(_ source: BufferID, to output: BufferID, value: ValueID, label: String) {
    append(
      .elementwise(.identity, count: count(value)), label: label, operations: "copy", value: value, input: source,
      output: output)
  }

  /// The value row by row, converted if it is not held so.
  mutating func plain(_ value: ValueID, label: String) throws -> BufferID {
    if let plain = held[value.index].plain { return plain }
    if let parameter = parameterIndex[value] {
      // No kernel packs it beforehand: it is copied in whenever the plan runs.
      let output = addBuffer(count(value))
      append(
        label: label, operations: "parameter", value: value, algorithm: "copy",
        body: .evaluation(Relay(), inputs: [.constant(try values(parameter))], outputs: [output]))
      held[value.index].plain = output
      return output
    }
    let shape = sizes[value.index]
    if held[value.index].blocked == nil, let (source, strides) = held[value.index].strided {
      // Through the blocked form: such values are seldom wanted row by row.
      convertToBlocked(value, from: source, strides: strides, label: label)
    }
    guard let blocked = held[value.index].blocked else { throw EngineError.unavailable(label) }
    let output = newPlain(value)
    append(
      .reorder(
        batch: shape[0], channels: shape[1], height: shape[2], width: shape[3],
        strides: .channelsFirst(channels: shape[1], height: shape[2], width: shape[3]), toBlocked: false),
      label: label, operations: "layout", value: value, input: blocked, output: output)
    return output
  }

  private mutating func convertToBlocked(_ value: ValueID, from source: BufferID, strides: PlainStrides, label: String)
  {
    let shape = sizes[value.index]
    let output = newBlocked(value)
    append(
      .reorder(
        batch: shape[0], channels: shape[1], height: shape[2], width: shape[3], strides: strides, toBlocked: true),
      label: label, operations: "layout", value: value, input: source, output: output)
  }

  /// Where a value that is not blocked lies, and how.
  func unblocked(_ value: ValueID) -> (buffer: BufferID, strides: PlainStrides)? {
    if let strided = held[value.index].strided { return strided }
    let shape = sizes[value.index]
    return held[value.index].plain.map {
      ($0, .channelsFirst(channels: shape[1], height: shape[2], width: shape[3]))
    }
  }

  /// The value in blocks of channels, converted if it is not held so.
  mutating func blocked(_ value: ValueID, label: String) throws -> BufferID {
    if let blocked = held[value.index].blocked { return blocked }
    guard let (source, strides) = unblocked(value) else { throw EngineError.unavailable(label) }
    convertToBlocked(value, from: source, strides: strides, label: label)
    guard let blocked = held[value.index].blocked else { throw EngineError.unavailable(label) }
    return blocked
  }

  // MARK: - Operations

  private mutating func lower(_ step: Graph.Step, at index: Int) throws {
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

  private mutating func lower(_ operation: Transpose, _ step: Graph.Step) throws {
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

  /// Whether pooling by a window changes nothing.
  func isIdentity(_ window: Window) -> Bool {
    window.kernel == [1, 1] && window.stride == [1, 1] && window.padding == .none
  }

  private mutating func lowerPooling(_ window: Window, maximum: Bool, countsPadding: Bool, _ step: Graph.Step) throws {
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

  private mutating func lowerElementwise(_ function: ElementwiseFunction, _ name: String, _ step: Graph.Step) throws {
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

  private mutating func lowerAdd(_ step: Graph.Step) throws {
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

  private mutating func lowerConcatenate(_ step: Graph.Step) throws {
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

  private mutating func lowerAffine(_ step: Graph.Step) throws {
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

  // MARK: - Fusion

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
  private struct Fold {
    var scale: [Double]
    var shift: [Double]
    var operations: [String] = []

    init(channels: Int) {
      scale = Array(repeating: 1, count: channels)
      shift = Array(repeating: 0, count: channels)
    }
  }

  private mutating func include(_ step: Graph.Step, in fold: inout Fold) throws {
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
  private struct Chain {
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

  private mutating func chain(after index: Int, channels: Int, allowsResidual: Bool) throws -> Chain {
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

  // MARK: - Products

  private mutating func lower(_ operation: Convolution, _ step: Graph.Step, at index: Int) throws {
    let input = step.inputs[0]
    guard let weights = parameterIndex[step.inputs[1]] else { return try lowerVarying(operation, step, at: index) }
    let shape = shape(operation.window, input: input, output: step.outputs[0], groups: operation.groups)
    let chain = try chain(after: index, channels: shape.filters, allowsResidual: true)
    let second = try chain.residual.map { try blocked($0, label: step.label) }
    let call: KernelCall
    let source: BufferID
    var onceParameter: Int?
    if once, !shape.isDepthwise, let panels = ConvolutionChoice(threads: threads).panelsOnce(for: shape) {
      let isPlain = held[input.index].blocked == nil && shape.groups == 1 && uses[input.index] == 1
      let plain = isPlain ? unblocked(input) : nil
      source = try plain?.buffer ?? blocked(input, label: step.label)
      call = try .convolutionOnce(shape, panels: panels, plain: plain?.strides, epilogue: chain.epilogue)
      onceParameter = weights
    } else if shape.isDepthwise {
      source = try blocked(input, label: step.label)
      call = try .depthwise(shape, rows: 32, weights: try values(weights).elements, epilogue: chain.epilogue)
    } else if held[input.index].blocked == nil, shape.groups == 1, let (buffer, strides) = unblocked(input),
      uses[input.index] == 1
    {
      source = buffer
      var choice = ConvolutionChoice(threads: threads).directMethod(for: shape)
      choice.byPosition = false
      call = try .convolution(
        shape, method: choice, plain: strides, weights: try values(weights).elements, epilogue: chain.epilogue)
    } else {
      source = try blocked(input, label: step.label)
      call = try .convolution(
        shape, method: ConvolutionChoice(threads: threads).method(for: shape), weights: try values(weights).elements,
        epilogue: chain.epilogue)
    }
    append(
      call, label: chain.label, operations: chain.fold.operations.joined(separator: "+"), value: chain.result,
      multiplyAdds: shape.multiplyAdds, input: source, second: second, output: newBlocked(chain.result))
    steps[steps.count - 1].onceParameter = onceParameter
  }

  private mutating func lower(_ operation: MatrixProduct, _ step: Graph.Step, at index: Int) throws {
    guard let weights = parameterIndex[step.inputs[1]], !operation.transposesLeft else {
      return try lowerVarying(operation, step, at: index)
    }
    let rows = sizes[step.outputs[0].index][0]
    let columns = sizes[step.outputs[0].index][1]
    let inner = sizes[step.inputs[0].index][1]
    let chain = try chain(after: index, channels: columns, allowsResidual: false)
    let input = try plain(step.inputs[0], label: step.label)
    let (innerStride, columnStride) = operation.transposesRight ? (1, inner) : (columns, 1)
    let call: KernelCall
    let passes = once && chain.epilogue.scale == nil && inner * columns > Self.packedInPassing
    if passes {
      call = try .denseOnce(
        rows: rows, inner: inner, columns: columns, innerStride: innerStride, columnStride: columnStride,
        shift: chain.epilogue.shift, relu: chain.epilogue.relu)
    } else {
      let cut = denseCut(rows: rows, inner: inner, columns: columns)
      call = try .dense(
        rows: rows, inner: inner, columns: columns, weights: try values(weights).elements, innerStride: innerStride,
        columnStride: columnStride, epilogue: chain.epilogue, rowsPerTask: cut.rows, panels: cut.panels)
    }
    append(
      call, label: chain.label, operations: chain.fold.operations.joined(separator: "+"), value: chain.result,
      multiplyAdds: rows * inner * columns, input: input, output: newPlain(chain.result))
    if passes { steps[steps.count - 1].onceParameter = weights }
  }

  /// Fewer weights than this are packed beforehand even for one run.
  private static let packedInPassing = 64 << 10

  /// How a matrix product is cut into tasks.
  func denseCut(rows: Int, inner: Int, columns: Int) -> (rows: Int, panels: Int) {
    let panels = (columns + 15) / 16
    guard threads > 1, rows * inner * columns > 200_000 else { return (96, panels) }
    let share = (rows + threads * 2 - 1) / (threads * 2)
    return (min(96, max(6, share)), rows <= 96 ? max(1, panels / (threads * 4)) : panels)
  }
}

/// A parameter that is itself an output.
private struct Relay: Operation {
  func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] { inputs }
  func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] { inputs }
}
