public import Diagnostics
public import Graph
public import Kernels

/// What the outputs of a training graph are, in their order: losses, gradients, the batch's statistics, values to count.
public struct TrainingOutputs: Sendable {
  /// A mean or a variance of a batch, and the running one that follows it.
  public struct Statistic: Sendable {
    /// The running one, by the index of the parameter; nil where nothing follows.
    public let running: Int?
    /// The share of the new batch.
    public let share: Double
    /// What the batch's is multiplied by.
    public let correction: Double

    /// A statistic.
    public init(running: Int?, share: Double, correction: Double) {
      (self.running, self.share, self.correction) = (running, share, correction)
    }
  }
  /// The number of losses.
  public let losses: Int
  /// The parameters whose gradients follow, by index.
  public let gradients: [Int]
  /// The statistics after them.
  public let statistics: [Statistic]
  /// What is counted of each of the values that end the list, against the graph's last inputs.
  public let metrics: [MetricKind]

  /// The outputs in their order.
  public init(losses: Int, gradients: [Int], statistics: [Statistic], metrics: [MetricKind]) {
    (self.losses, self.gradients, self.statistics, self.metrics) = (losses, gradients, statistics, metrics)
  }
}

/// One step of training as a plan: forward, backward, running statistics and update, on memory that lasts.
public final class TrainingStep {
  /// What a step does, in order.
  public let plan: [PlanStep]
  /// The bytes of activations and scratch, allocated beforehand.
  public let arenaBytes: Int
  /// Whether steps can be repeated without coming back from the kernels.
  public var canRepeat: Bool { compiled.isKernelsOnly }
  private let memory: TrainingMemory
  private let compiled: CompiledPlan
  private let update: KernelCall

  /// Compiles a graph with known shapes whose outputs are as `outputs` says, and whose parameters are the memory's.
  ///
  /// Throws `EngineError`.
  public convenience init(
    graph: Graph, outputs: TrainingOutputs, memory: TrainingMemory, threads: Int
  ) throws(EngineError) {
    try self.init(graph: graph, outputs: outputs, memory: memory, threads: threads, share: nil, whole: graph)
  }

  /// The same for a rank's share of a batch: `graph` is of its rows and `whole` the same graph of all rows. All ranks that
  /// share it run it together.
  ///
  /// Throws `EngineError.cannotBeShared` where they cannot.
  package init(
    graph: Graph, outputs: TrainingOutputs, memory: TrainingMemory, threads: Int, share: BatchShare?, whole: Graph
  ) throws(EngineError) {
    self.memory = memory
    let sizes = graph.shapes.map { $0.sizes ?? [] }
    for step in graph.steps {
      for value in step.inputs + step.outputs where graph.shape(value).sizes == nil {
        throw EngineError.unknownSize(label: step.label)
      }
    }
    guard whole.shapes.count == graph.shapes.count else { throw .cannotBeShared }
    var lowering = Lowering(
      graph: graph, sizes: sizes, threads: threads, varies: true, share: share,
      wholeSizes: whole.shapes.map { $0.sizes ?? [] }
    ) { _ in
      throw EngineError.unavailable("")
    }
    lowering.parameterPlaces = memory.offsets.map { .lasting($0) }
    lowering.outputPlaces =
      (0..<outputs.losses).map { .lasting(memory.results.losses + $0) }
      + outputs.gradients.map { .lasting(memory.gradient($0)) }
      + graph.outputs.dropFirst(outputs.losses + outputs.gradients.count).map { _ in .arena }
    do {
      try lowering.run()
    } catch {
      throw (error as? EngineError) ?? .unavailable("")
    }
    update = lowering.appendUpdate(outputs, memory)
    compiled = try CompiledPlan(
      steps: lowering.steps, buffers: lowering.buffers, threads: threads, lasting: memory.block, team: share?.team)
    plan = compiled.descriptions
    arenaBytes = compiled.bytes
  }

  /// Runs one step for each of `rates` on rows that the caller keeps in place meanwhile, one pointer for each input of the
  /// graph, row by row; ends early where a loss or a parameter is not finite any more.
  ///
  /// Throws where another rank cannot be reached any more.
  @unsafe
  public func run(inputs: [UnsafePointer<Float>], rates: [Double]) throws(Failure) -> RunRecord {
    unsafe compiled.bind(inputs: inputs)
    var record: RunRecord?
    if compiled.isKernelsOnly {
      record = compiled.repeatBound(
        rates: rates, update: update, stepsBefore: memory.steps, leaves: memory.results)
    }
    let done = record ?? runSlowly(rates)
    if let failure = compiled.failure { throw failure }
    memory.steps += done.losses.count
    return done
  }

  /// Step by step, where some operations have no kernel.
  private func runSlowly(_ rates: [Double]) -> RunRecord {
    var all = RunRecord()
    for (index, rate) in rates.enumerated() {
      update.setUpdate(rate: rate, step: memory.steps + index + 1)
      compiled.runBound()
      let results = memory.results
      var loss = 0.0
      for place in 0..<results.lossCount { loss += Double(unsafe memory.block.pointer[results.losses + place]) }
      all.losses.append(loss)
      let base = unsafe UnsafeRawPointer(memory.block.pointer)
      for place in 0..<results.metricCount {
        all.metrics.append(
          unsafe base.load(fromByteOffset: (results.metrics + place * 2) * 4, as: Double.self))
      }
      if !loss.isFinite || hasDiverged || compiled.failure != nil { break }
    }
    return all
  }

  /// Whether an update left a parameter that is not finite.
  public var hasDiverged: Bool {
    unsafe UnsafeRawPointer(memory.block.pointer).load(fromByteOffset: memory.results.diverged * 4, as: Int32.self) != 0
  }
}

extension Lowering {
  /// Appends what a step does beside the graph: metrics, running statistics, and the update, which is returned.
  fileprivate mutating func appendUpdate(_ outputs: TrainingOutputs, _ memory: TrainingMemory) -> KernelCall {
    let results = memory.results
    let firstStatistic = outputs.losses + outputs.gradients.count
    let firstValue = firstStatistic + outputs.statistics.count
    for (index, kind) in outputs.metrics.enumerated() {
      let value = graph.outputs[firstValue + index]
      let target = graph.inputs[graph.inputs.count - outputs.metrics.count + index]
      guard let given = held[target.index].plain else { continue }
      appendMetric(
        kind, value, in: outputBuffers[firstValue + index], given,
        to: addBuffer(2, place: .lasting(results.metrics + index * 2)))
    }
    for (index, statistic) in outputs.statistics.enumerated() {
      guard let running = statistic.running else { continue }
      let value = graph.outputs[firstStatistic + index]
      append(
        .track(count: count(value), share: statistic.share, correction: statistic.correction), label: "",
        operations: "running statistics", value: value, input: outputBuffers[firstStatistic + index],
        output: addBuffer(count(value), place: .lasting(memory.offsets[running])))
    }
    let count = memory.trainedCount
    appendDeferred()
    let gradients = addBuffer(count, place: .lasting(count))
    var reads = [(KernelCall.Operand.input, gradients)]
    let described = graph.outputs.first ?? graph.inputs[0]
    if let largest = memory.rule.largestNorm {
      let (squares, factor, sums) = KernelCall.clip(count: count, largest: largest)
      let partial = addBuffer(sums * 2)
      let cut = addBuffer(1, place: .lasting(results.factor))
      append(
        squares, label: "", operations: "norm of the gradients", value: described, input: gradients, output: partial)
      append(factor, label: "", operations: "norm of the gradients", value: described, input: partial, output: cut)
      reads.append((.weights, cut))
    }
    var writes: [(KernelCall.Operand, BufferID)] = [
      (.output, addBuffer(count, place: .lasting(0))), (.diverged, addBuffer(1, place: .lasting(results.diverged))),
    ]
    for (memories, operand) in [(1, KernelCall.Operand.output2), (2, .output3)] where memory.rule.memories >= memories {
      writes.append((operand, addBuffer(count, place: .lasting((1 + memories) * count))))
    }
    let update = KernelCall.update(memory.rule, count: count)
    append(update, label: "", operations: "update", value: described, reads: reads, writes: writes)
    return update
  }
}
