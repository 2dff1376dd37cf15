import Communication
import Graph
import Kernels

/// A sum over the batch, which is cut into pieces that are added by a step of their own (`BatchPieces`).
struct BatchSum {
  /// A value with a row for each of the batch's.
  let batch: ValueID
  /// What the sum is.
  let value: ValueID
  let label: String
  let operations: String
  /// The operands, row by row.
  let reads: [(KernelCall.Operand, BufferID)]
  /// How so many rows are cut.
  let pieces: (_ rows: Int) -> BatchPieces
  /// The call that leaves a sum for each piece of so many rows.
  let call: (_ rows: Int, BatchPieces) -> KernelCall
}

/// Where pieces meet, and where those of other ranks join.
extension Lowering {
  /// Above this number of bytes a sum goes round by halves, below it is sent to all ranks at once.
  private static var smallBytes: Int { 32 << 10 }
  private static var mostCombined: Int { BatchPieces.most }

  /// Appends a sum of floats, the value's own number of them.
  mutating func appendSum(_ sum: BatchSum, multiplyAdds: Int = 0) {
    let (rows, count) = (sizes[sum.batch.index][0], count(sum.value))
    guard let share, isShared(sum.batch) else {
      let pieces = sum.pieces(rows)
      let partial = pieces.count > 1 ? addBuffer(count * pieces.count) : newPlain(sum.value)
      append(sum, rows, pieces, reads: sum.reads, to: partial, multiplyAdds: multiplyAdds)
      if pieces.count > 1 { combine(sum, partial, pieces: pieces.count, to: newPlain(sum.value)) }
      return
    }
    guard let (own, counts) = parts(of: sum, share) else {
      // Too few pieces for the ranks: each has the whole sum of all rows.
      let pieces = sum.pieces(share.whole)
      let (reads, end) = gatherOperands(sum.reads, share, label: sum.label, value: sum.value)
      let result = newPlain(sum.value)
      later(sum.value) { lowering in
        end(&lowering)
        let partial = pieces.count > 1 ? lowering.addBuffer(count * pieces.count) : result
        lowering.append(sum, share.whole, pieces, reads: reads, to: partial, multiplyAdds: multiplyAdds)
        if pieces.count > 1 { lowering.combine(sum, partial, pieces: pieces.count, to: result) }
      }
      return
    }
    let result = newPlain(sum.value)
    let isGathered =
      !share.hasWholeBranches || (count * 4 <= Self.smallBytes && share.team.size <= Self.mostCombined)
    var part = isGathered ? addBuffer(count) : result
    var partCounts = counts.map { _ in count }
    if share.hasWholeBranches {
      let partial = own.count > 1 ? addBuffer(count * own.count) : part
      append(sum, rows, own, reads: sum.reads, to: partial, multiplyAdds: multiplyAdds)
      if own.count > 1 { combine(sum, partial, pieces: own.count, to: part) }
    } else {
      part = addBuffer(count * own.count)
      partCounts = counts.map { $0 * count }
      append(sum, rows, own, reads: sum.reads, to: part, multiplyAdds: multiplyAdds)
    }
    guard isGathered else {
      let exchange = appendBeginning(
        .summing(result, count: count, .float), label: sum.label, value: sum.value)
      later(sum.value) { $0.appendEnd(exchange, label: sum.label, value: sum.value) }
      return
    }
    let whole = addBuffer(partCounts.reduce(0, +))
    let exchange = appendBeginning(
      .gathering(part: part, whole: whole, counts: partCounts), label: sum.label, value: sum.value)
    later(sum.value) { lowering in
      lowering.appendEnd(exchange, label: sum.label, value: sum.value)
      lowering.combine(sum, whole, pieces: partCounts.reduce(0, +) / count, to: result)
    }
  }

  /// Appends sums in double precision, `count` of them; returns where they are. `results` are what the call leaves for
  /// each row; `narrowed` receives the first of the sums as floats. With `waits` they are there at the next step, without
  /// it at the end.
  mutating func appendDoubleSum(
    _ sum: BatchSum, count: Int, results: [(KernelCall.Operand, BufferID)] = [],
    narrowed: (buffer: BufferID, count: Int)? = nil, to place: BufferID? = nil, waits: Bool = true
  ) -> BufferID {
    let rows = sizes[sum.batch.index][0]
    let total = place ?? addBuffer(2 * count)
    guard let share, isShared(sum.batch) else {
      let pieces = sum.pieces(rows)
      let isOne = pieces.count == 1 && narrowed == nil
      let partial = isOne ? total : addBuffer(2 * count * pieces.count)
      append(sum, rows, pieces, reads: sum.reads, to: partial, results)
      if !isOne { combineDoubles(sum, partial, count, pieces: pieces.count, to: total, narrowed) }
      return total
    }
    var end: (inout Lowering) -> Void
    if let (own, counts) = parts(of: sum, share) {
      var part = addBuffer(2 * count * own.count)
      append(sum, rows, own, reads: sum.reads, to: part, results)
      var partCounts = counts.map { $0 * 2 * count }
      if share.hasWholeBranches {
        let branch = addBuffer(2 * count)
        combineDoubles(sum, part, count, pieces: own.count, to: branch)
        (part, partCounts) = (branch, counts.map { _ in 2 * count })
      }
      let pieces = partCounts.reduce(0, +) / (2 * count)
      if pieces <= Self.mostCombined {
        let whole = addBuffer(2 * count * pieces)
        let exchange = appendBeginning(
          .gathering(part: part, whole: whole, counts: partCounts), label: sum.label, value: sum.value)
        end = { lowering in
          lowering.appendEnd(exchange, label: sum.label, value: sum.value)
          lowering.combineDoubles(sum, whole, count, pieces: pieces, to: total, narrowed)
        }
      } else {
        let exchange = appendBeginning(.summing(part, count: count, .double), label: sum.label, value: sum.value)
        end = { lowering in
          lowering.appendEnd(exchange, label: sum.label, value: sum.value)
          lowering.combineDoubles(sum, part, count, pieces: 1, to: total, narrowed)
        }
      }
    } else {
      if !results.isEmpty {
        let pieces = BatchPieces(batch: rows, atMost: 1)
        append(sum, rows, pieces, reads: sum.reads, to: addBuffer(2 * count), results)
      }
      let (reads, gathered) = gatherOperands(sum.reads, share, label: sum.label, value: sum.value)
      let pieces = sum.pieces(share.whole)
      end = { lowering in
        gathered(&lowering)
        let partial = lowering.addBuffer(2 * count * pieces.count)
        lowering.append(sum, share.whole, pieces, reads: reads, to: partial)
        lowering.combineDoubles(sum, partial, count, pieces: pieces.count, to: total, narrowed)
      }
    }
    if waits { end(&self) } else { deferred.append(end) }
    return total
  }

  /// The pieces that this rank sums, and how many each rank does; nil where the ranks' rows are no whole pieces.
  private func parts(of sum: BatchSum, _ share: BatchShare) -> (own: BatchPieces, counts: [Int])? {
    if share.sums == .ofRanks {
      return (sum.pieces(share.rows.count), Array(repeating: 1, count: share.team.size))
    }
    let pieces = sum.pieces(share.whole)
    guard let counts = share.counts(of: pieces) else { return nil }
    let first = counts[..<share.team.rank].reduce(0, +)
    return (pieces[first..<first + counts[share.team.rank]], counts)
  }

  private mutating func append(
    _ sum: BatchSum, _ rows: Int, _ pieces: BatchPieces, reads: [(KernelCall.Operand, BufferID)], to output: BufferID,
    _ results: [(KernelCall.Operand, BufferID)] = [], multiplyAdds: Int = 0
  ) {
    append(
      sum.call(rows, pieces), label: sum.label, operations: sum.operations, value: sum.value,
      multiplyAdds: multiplyAdds, reads: reads, writes: [(.output, output)] + results)
  }

  private mutating func combine(_ sum: BatchSum, _ partial: BufferID, pieces: Int, to output: BufferID) {
    append(
      .combine(count: count(sum.value), pieces: pieces), label: sum.label, operations: "sum of pieces",
      value: sum.value, input: partial, output: output)
  }

  private mutating func combineDoubles(
    _ sum: BatchSum, _ partial: BufferID, _ count: Int, pieces: Int, to output: BufferID,
    _ narrowed: (buffer: BufferID, count: Int)? = nil
  ) {
    append(
      .combineDoubles(count: count, pieces: pieces, narrowed: narrowed?.count ?? 0), label: sum.label,
      operations: "sum of pieces", value: sum.value, reads: [(.input, partial)],
      writes: [(.output, output)] + (narrowed.map { [(.output2, $0.buffer)] } ?? []))
  }

  // MARK: - The sums there are

  /// The sums of each channel of a blocked value: of it and its squares, or of a gradient and its products. Returns where
  /// they are; `narrowed` receives the first of each channel as floats.
  mutating func appendMoments(
    of batch: ValueID, isGradient: Bool, label: String, operations: String, value: ValueID,
    reads: [(KernelCall.Operand, BufferID)], masked: BufferID? = nil, narrowed: BufferID? = nil, waits: Bool = true
  ) -> BufferID {
    let shape = sizes[batch.index]
    let (channels, pixels) = (shape[1], shape[2] * shape[3])
    let sum = BatchSum(
      batch: batch, value: value, label: label, operations: operations, reads: reads,
      pieces: { BatchPieces(batch: $0) },
      call: { rows, pieces in
        isGradient
          ? .gradientMoments(batch: rows, channels: channels, pixels: pixels, pieces: pieces)
          : .moments(batch: rows, channels: channels, pixels: pixels, pieces: pieces)
      })
    return appendDoubleSum(
      sum, count: KernelCall.momentsCount(channels: channels) / 2, results: masked.map { [(.output2, $0)] } ?? [],
      narrowed: narrowed.map { ($0, channels) }, waits: waits)
  }

  /// A loss, and with it its gradient where that is wanted.
  mutating func lower(_ kind: LossKind, _ step: Graph.Step, isGradient: (any Operation) -> Bool) throws {
    let (scores, target) = (step.inputs[0], step.inputs[1])
    let rows = sizes[scores.index].first ?? 1
    let whole = wholeSizes[scores.index].first ?? 1
    let columns = count(scores) / max(rows, 1)
    let gradient = consumers[target.index].first {
      !fused.contains($0) && graph.steps[$0].inputs == step.inputs && isGradient(graph.steps[$0].operation)
    }
    let sum = BatchSum(
      batch: scores, value: step.outputs[0], label: step.label, operations: name(step.operation),
      reads: [(.input, try plain(scores, label: step.label)), (.second, try plain(target, label: step.label))],
      pieces: { BatchPieces(batch: $0, atMost: $0 * columns / 64) },
      call: { .loss(kind, rows: $0, columns: columns, wholeRows: whole, pieces: $1) })
    var results: [(KernelCall.Operand, BufferID)] = []
    if let gradient {
      fused.insert(gradient)
      results.append((.output2, newPlain(graph.steps[gradient].outputs[0])))
    }
    _ = appendDoubleSum(
      sum, count: 1, results: results, narrowed: (newPlain(step.outputs[0]), 1), waits: uses[sum.value.index] > 1)
  }

  /// A metric of a value against a target, to a place of its own.
  mutating func appendMetric(
    _ kind: MetricKind, _ value: ValueID, in given: BufferID, _ target: BufferID, to place: BufferID
  ) {
    let columns = count(value) / max(sizes[value.index].first ?? 1, 1)
    let sum = BatchSum(
      batch: value, value: value, label: "", operations: "metric", reads: [(.input, given), (.second, target)],
      pieces: { BatchPieces(batch: $0, atMost: $0 * columns / 4096) },
      call: { .metric(kind, rows: $0, columns: columns, pieces: $1) })
    _ = appendDoubleSum(sum, count: 1, to: place, waits: false)
  }
}
