import Communication
import Graph
import Kernels

/// What ranks that share a batch bring together in a step of a plan.
struct Exchange {
  enum Kind {
    /// Every rank's part at all ranks, one after the other: so many floats of each.
    case gathering(part: BufferID, whole: BufferID, counts: [Int])
    /// The sum of the ranks' numbers, in place.
    case summing(BufferID, count: Int, SummedType)
  }

  let kind: Kind
  let number: Int

  /// What is read when it begins.
  var source: BufferID {
    switch kind {
    case .gathering(let part, _, _): part
    case .summing(let buffer, _, _): buffer
    }
  }

  /// What is in use until it is finished.
  var target: BufferID {
    switch kind {
    case .gathering(_, let whole, _): whole
    case .summing(let buffer, _, _): buffer
    }
  }
}

/// Where sums over the batch are of rows that several ranks have.
extension Lowering {
  /// Whether ranks share a value's rows.
  func isShared(_ value: ValueID) -> Bool { share != nil && sizes[value.index] != wholeSizes[value.index] }

  /// Throws where ranks cannot share the graph's values by the first axis of each.
  func requireShareable() throws {
    guard let share else { return }
    for (size, whole) in zip(sizes, wholeSizes) where size != whole {
      guard size.count == whole.count, size.dropFirst() == whole.dropFirst(), size.first == share.rows.count,
        whole.first == share.whole
      else { throw EngineError.cannotBeShared }
    }
  }

  /// Appends the beginning of an exchange.
  mutating func appendBeginning(_ kind: Exchange.Kind, label: String, value: ValueID) -> Exchange {
    exchangeCount += 1
    let exchange = Exchange(kind: kind, number: exchangeCount - 1)
    append(label: label, operations: "exchange", value: value, algorithm: "begin", body: .begin(exchange))
    return exchange
  }

  mutating func appendEnd(_ exchange: Exchange, label: String, value: ValueID) {
    append(label: label, operations: "exchange", value: value, algorithm: "finish", body: .finish(exchange))
  }

  /// Does what needs an exchange at the end of the step, so that other ranks' numbers can be on their way meanwhile; at
  /// once where the graph goes on with the value.
  mutating func later(_ value: ValueID, _ body: @escaping (inout Lowering) -> Void) {
    if outputIndex[value] != nil, uses[value.index] == 1 { deferred.append(body) } else { body(&self) }
  }

  /// Appends what was put off.
  mutating func appendDeferred() {
    let bodies = deferred
    deferred = []
    for body in bodies { body(&self) }
  }

  /// Begins to gather all ranks' rows of what this one has the rows of; rows that were gathered before are taken as they
  /// are.
  mutating func gatherRows(
    _ part: BufferID, _ share: BatchShare, label: String, value: ValueID
  ) -> (whole: BufferID, exchange: Exchange) {
    if let known = gathered[part] { return known }
    let width = buffers[part.index].count / max(share.rows.count, 1)
    let whole = addBuffer(width * share.whole)
    let exchange = appendBeginning(
      .gathering(part: part, whole: whole, counts: share.counts.map { $0 * width }), label: label, value: value)
    gathered[part] = (whole, exchange)
    return (whole, exchange)
  }

  /// The operands of a sum with all ranks' rows; `end` appends the end of the exchanges.
  mutating func gatherOperands(
    _ reads: [(KernelCall.Operand, BufferID)], _ share: BatchShare, label: String, value: ValueID
  ) -> (reads: [(KernelCall.Operand, BufferID)], end: (inout Lowering) -> Void) {
    let all = reads.map { ($0.0, gatherRows($0.1, share, label: label, value: value)) }
    return (
      all.map { ($0.0, $0.1.whole) },
      { lowering in
        for (_, gathered) in all { lowering.appendEnd(gathered.exchange, label: label, value: value) }
      }
    )
  }

  /// An operation's own evaluation on all rows, at every rank, of whose results each keeps its own rows.
  mutating func evaluateShared(_ step: Graph.Step, _ share: BatchShare) throws {
    var operands: [PlannedStep.Operand] = []
    for value in step.inputs {
      var buffer = try plain(value, label: step.label)
      if isShared(value) {
        let (whole, exchange) = gatherRows(buffer, share, label: step.label, value: value)
        appendEnd(exchange, label: step.label, value: value)
        buffer = whole
      }
      operands.append(.buffer(buffer, shape: wholeSizes[value.index]))
    }
    append(
      label: step.label, operations: name(step.operation), value: step.outputs[0], algorithm: "plain",
      body: .evaluation(
        step.operation, inputs: operands, outputs: step.outputs.map { newPlain($0) }, firstRow: share.rows.lowerBound))
  }
}
