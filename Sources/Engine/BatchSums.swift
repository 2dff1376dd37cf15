import Graph
import Kernels

/// Sums over the batch, each cut into pieces that are added by a step of their own (`BatchPieces`).
extension Lowering {
  /// Appends a call that leaves a sum for each piece of the batch, and the step that adds the pieces. With
  /// `appendMoments` and a loss this is where pieces meet, and where sums of other machines would join.
  mutating func appendSum(
    _ call: KernelCall, pieces: BatchPieces, label: String, operations: String, value: ValueID, multiplyAdds: Int = 0,
    reads: [(KernelCall.Operand, BufferID)]
  ) {
    let partial = pieces.count > 1 ? addBuffer(count(value) * pieces.count) : newPlain(value)
    append(
      call, label: label, operations: operations, value: value, multiplyAdds: multiplyAdds, reads: reads,
      writes: [(.output, partial)])
    guard pieces.count > 1 else { return }
    append(
      .combine(count: count(value), pieces: pieces), label: label, operations: "sum of pieces", value: value,
      input: partial, output: newPlain(value))
  }

  /// The same for sums in double precision of each channel of a blocked value: of it and its squares, or of a gradient
  /// and its products. Returns the sums over the batch; `narrowed` receives the first of each channel as floats.
  mutating func appendMoments(
    _ shape: [Int], isGradient: Bool, label: String, operations: String, value: ValueID,
    reads: [(KernelCall.Operand, BufferID)], masked: BufferID? = nil, narrowed: BufferID? = nil
  ) -> BufferID {
    let (channels, pixels) = (shape[1], shape[2] * shape[3])
    let pieces = BatchPieces(batch: shape[0])
    let size = KernelCall.momentsCount(channels: channels)
    let partial = addBuffer(size * pieces.count)
    let call: KernelCall =
      isGradient
      ? .gradientMoments(batch: shape[0], channels: channels, pixels: pixels, pieces: pieces)
      : .moments(batch: shape[0], channels: channels, pixels: pixels, pieces: pieces)
    var writes = [(KernelCall.Operand.output, partial)]
    if let masked { writes.append((.output2, masked)) }
    append(call, label: label, operations: operations, value: value, reads: reads, writes: writes)
    let sums = addBuffer(size)
    var results = [(KernelCall.Operand.output, sums)]
    if let narrowed { results.append((.output2, narrowed)) }
    append(
      .combineDoubles(count: size / 2, pieces: pieces, narrowed: narrowed == nil ? 0 : channels), label: label,
      operations: "sum of pieces", value: value, reads: [(.input, partial)], writes: results)
    return sums
  }

  /// A loss, and with it its gradient where that is wanted.
  mutating func lower(_ kind: LossKind, _ step: Graph.Step, isGradient: (any Operation) -> Bool) throws {
    let shape = sizes[step.inputs[0].index]
    let rows = shape.first ?? 1
    let columns = count(step.inputs[0]) / max(rows, 1)
    let pieces = BatchPieces(batch: rows, atMost: rows * columns / 64)
    let reads: [(KernelCall.Operand, BufferID)] = [
      (.input, try plain(step.inputs[0], label: step.label)), (.second, try plain(step.inputs[1], label: step.label)),
    ]
    let sums = addBuffer(2 * pieces.count)
    var writes = [(KernelCall.Operand.output, sums)]
    let gradient = consumers[step.inputs[1].index].first {
      !fused.contains($0) && graph.steps[$0].inputs == step.inputs && isGradient(graph.steps[$0].operation)
    }
    if let gradient {
      fused.insert(gradient)
      writes.append((.output2, newPlain(graph.steps[gradient].outputs[0])))
    }
    append(
      .loss(kind, rows: rows, columns: columns, pieces: pieces), label: step.label,
      operations: name(step.operation), value: step.outputs[0], reads: reads, writes: writes)
    append(
      .combineDoubles(count: 1, pieces: pieces, narrowed: 1), label: step.label, operations: "sum of pieces",
      value: step.outputs[0], reads: [(.input, sums)],
      writes: [(.output, addBuffer(2)), (.output2, newPlain(step.outputs[0]))])
  }
}
