import Graph
import Kernels
import Tensors

/// Where values are held, and how they come from one form into another.
extension Lowering {
  func outputPlace(_ index: Int) -> Buffer.Place {
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

  mutating func convertToBlocked(_ value: ValueID, from source: BufferID, strides: PlainStrides, label: String) {
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
}

/// A parameter that is itself an output.
struct Relay: Operation {
  func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] { inputs }
  func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] { inputs }
}
