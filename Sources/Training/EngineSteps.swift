import Communication
import Diagnostics
import Engine
import Graph
import Kernels
import Layers
import ModelFile
import Tensors

/// Steps of training in float32: each one plan on memory that lasts, from which values are read only when someone looks.
final class EngineSteps {
  /// A step for one number of rows, and the memory that its rows are gathered in.
  private struct Step {
    let graph: TrainingGraph
    let plan: TrainingStep
    let operands: [AlignedBuffer]
    /// The rows of a batch that this process takes: all of them, but for a rank of a job.
    let rows: Range<Int>
  }

  private let trainer: Trainer
  private let inputs: [RowStore<Float>]
  private let targets: [RowStore<Float>]
  private let memory: TrainingMemory
  private let kinds: [MetricKind]
  private var steps: [Int: Step] = [:]
  /// The number of rows and the first row that lie gathered, in the data's order, in a step's memory.
  private var gathered: [Int: Int] = [:]

  /// Steps from a state on, for the numbers of rows that there will be. Throws where memory is short.
  init(_ trainer: Trainer, _ state: TrainingState<Float>, rows: Set<Int>) throws(Failure) {
    self.trainer = trainer
    let data = trainer.data
    let isShared = trainer.options.communicator != nil
    inputs = try data.inputs.map { column throws(Failure) in try RowStore(column, data.range, isShared: isShared) }
    targets = try data.targets.map { column throws(Failure) in try RowStore(column, data.range, isShared: isShared) }
    kinds = trainer.metrics.map { $0.kind == .accuracy ? .accuracy : .absoluteError }
    var graphs: [Int: TrainingGraph] = [:]
    for count in rows { graphs[count] = try TrainingGraph(trainer, rows: count) }
    let trained = graphs.values.first?.trained ?? []
    do throws(EngineError) {
      memory = try TrainingMemory(
        shapes: trainer.model.parameters.map(\.shape), trained: trained, rule: trainer.configuration.updateRule,
        losses: targets.count, metrics: kinds.count)
    } catch {
      throw Failure(engine: error)
    }
    for index in trainer.model.parameters.indices {
      memory.setParameter(index, to: state.parameters[index].elements)
      memory.setMemory(0, of: index, to: state.optimizer.first[index])
      memory.setMemory(1, of: index, to: state.optimizer.second[index])
    }
    memory.steps = state.optimizer.steps
    // In the order of the rows, which is the same at all ranks of a job.
    for (count, graph) in graphs.sorted(by: { $0.key < $1.key }) { steps[count] = try step(graph, rows: count) }
  }

  /// A step of this rank on its share of the rows, or on all of them.
  private func step(_ whole: TrainingGraph, rows: Int) throws(Failure) -> Step {
    if trainer.data.batchSymbol != nil, let communicator = trainer.options.communicator,
      let share = BatchShare(of: rows, among: communicator, sums: trainer.options.sums),
      let step = try step(TrainingGraph(trainer, rows: share.rows.count), whole, share)
    {
      return step
    }
    guard let step = try step(whole, whole, nil) else {
      throw Failure(engine: EngineError.cannotBeShared)
    }
    return step
  }

  /// A step on a share of the rows of the `whole` one; nil where they cannot be shared.
  private func step(
    _ graph: TrainingGraph, _ whole: TrainingGraph, _ share: BatchShare?
  ) throws(Failure) -> Step? {
    let statistics = whole.statistics.flatMap { statistic in
      let shape = whole.graph.shape(statistic.input).sizes ?? []
      let count = shape.reduce(1, *) / max(shape[1], 1)
      let (mean, variance) = (statistic.running.mean, statistic.running.variance)
      // The variance of a single number, which there is not, leaves the running one as it is.
      return [
        TrainingOutputs.Statistic(
          running: whole.graph.parameters.firstIndex(of: mean), share: statistic.momentum, correction: 1),
        TrainingOutputs.Statistic(
          running: count > 1 ? whole.graph.parameters.firstIndex(of: variance) : nil, share: statistic.momentum,
          correction: Double(count) / Double(max(count - 1, 1))),
      ]
    }
    do {
      let plan = try TrainingStep(
        graph: graph.graph,
        outputs: TrainingOutputs(
          losses: graph.targets.count, gradients: graph.trained, statistics: statistics, metrics: kinds),
        memory: memory, threads: trainer.options.threads ?? processorCount(), share: share, whole: whole.graph)
      let operands = try graph.graph.inputs.map { input in
        try AlignedBuffer(count: (graph.graph.shape(input).sizes ?? []).reduce(1, *))
      }
      let rows = share?.rows ?? 0..<(graph.graph.inputs.first.flatMap { graph.graph.shape($0).sizes?.first } ?? 0)
      return Step(graph: graph, plan: plan, operands: operands, rows: rows)
    } catch EngineError.cannotBeShared {
      return nil
    } catch let error as OutOfMemory {
      throw Failure(engine: EngineError.outOfMemory(bytes: error.bytes))
    } catch {
      throw Failure(engine: error)
    }
  }

  /// The bytes that training takes, the data aside.
  var bytes: Int {
    steps.values.reduce(memory.bytes) { sum, step in
      sum + step.plan.arenaBytes + step.operands.reduce(0) { $0 + $1.count * 4 }
    }
  }

  /// Whether steps on the same rows can follow one another without anything between them.
  func canRepeat(rows: Int) -> Bool { steps[rows].map { $0.plan.canRepeat && $0.graph.masks.isEmpty } ?? false }

  /// Takes a step for each of `rates` on the given rows; `areInOrder` says that they follow one another in the data. `draw`
  /// gives the mask of a dropout.
  func take(
    _ rows: ArraySlice<Int>, areInOrder: Bool, rates: [Double],
    draw: (_ mask: DropoutMask, _ shape: [Int], _ row: Int) -> Tensor<Float>
  ) throws(Failure) -> RunRecord {
    guard let step = steps[rows.count], let first = rows.first else { return RunRecord() }
    let own = rows.dropFirst(step.rows.lowerBound).prefix(step.rows.count)
    // What lies there already is not gathered again.
    if !areInOrder || gathered[rows.count] != first {
      let masks = step.graph.masks.count
      for (index, store) in inputs.enumerated() {
        unsafe try store.gather(own, into: step.operands[index].pointer)
      }
      for (index, store) in targets.enumerated() {
        unsafe try store.gather(own, into: step.operands[inputs.count + masks + index].pointer)
      }
      gathered[rows.count] = areInOrder ? first : nil
    }
    for (index, mask) in step.graph.masks.enumerated() {
      let values = draw(mask, step.graph.graph.shape(mask.value).sizes ?? [], step.rows.lowerBound)
      let target = step.operands[inputs.count + index]
      for (place, value) in values.elements.enumerated() { unsafe target.pointer[place] = value }
    }
    defer { withExtendedLifetime(step.operands) {} }
    return try unsafe step.plan.run(inputs: unsafe step.operands.map { unsafe UnsafePointer($0.pointer) }, rates: rates)
  }

  /// The sum and the count of a metric over the rows of a step that left `sum`.
  func part(of metric: Int, sum: Double, rows: Int) -> (sum: Double, count: Int) {
    (sum, kinds[metric] == .accuracy ? rows : rows * targets[metric].rowCount)
  }

  /// The first parameter that is not finite, by index.
  func notFinite() -> (parameter: Int, value: Float)? {
    guard steps.values.contains(where: { $0.plan.hasDiverged }) else { return nil }
    return memory.firstNotFinite(in: steps.values.first?.graph.trained ?? [])
  }

  /// Puts parameters and what the optimiser remembers into a state.
  func read(into state: inout TrainingState<Float>) {
    state.optimizer.steps = memory.steps
    for index in state.parameters.indices {
      state.parameters[index] = memory.parameter(index)
      let (first, second) = (memory.memory(0, of: index), memory.memory(1, of: index))
      if !first.isEmpty { state.optimizer.first[index] = first }
      if !second.isEmpty { state.optimizer.second[index] = second }
    }
  }
}

extension TrainingConfiguration {
  /// The optimiser as the engine takes it.
  fileprivate var updateRule: UpdateRule {
    let kind: UpdateRule.Kind =
      switch optimizer.kind {
      case .sgd: .sgd
      case .adam: .adam
      case .adamw: .adamw
      }
    return UpdateRule(
      kind, momentum: optimizer.momentum, nesterov: optimizer.nesterov, decay: optimizer.weightDecay,
      beta1: optimizer.beta1, beta2: optimizer.beta2, epsilon: optimizer.epsilon, largestNorm: clipNorm)
  }
}
