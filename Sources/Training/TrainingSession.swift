import Diagnostics
import Graph
import Kernels
import Layers
import ModelFile
import Tensors

/// Runs the steps of training on one kind of number: float32 by the engine, float64 by the operations' own evaluation.
final class TrainingSession<Scalar: TensorScalar> {
  /// A step's graph for one number of rows.
  private struct Step {
    let graph: TrainingGraph
    let executor: StepExecutor<Scalar>
  }

  private let trainer: Trainer
  private let engine: EngineSteps?
  private var inputs: [RowStore<Scalar>] = []
  private var targets: [RowStore<Scalar>] = []
  private let batchSize: Int
  private var steps: [Int: Step] = [:]

  /// A session that begins with a state. What does not fit is found now, not at the last batch of the first epoch.
  init(_ trainer: Trainer, _ state: TrainingState<Scalar>) throws(Failure) {
    self.trainer = trainer
    let data = trainer.data
    if case .rows(let rows) = trainer.configuration.batchSize, data.batchSymbol != nil {
      batchSize = max(1, min(rows, data.rows))
    } else {
      batchSize = data.rows
    }
    let counts = Set([batchSize, data.rows % batchSize].filter { $0 > 0 })
    if let state = state as? TrainingState<Float> {
      engine = try EngineSteps(trainer, state, rows: counts)
      return
    }
    engine = nil
    inputs = try data.inputs.map { column throws(Failure) in try RowStore(column, data.range) }
    targets = try data.targets.map { column throws(Failure) in try RowStore(column, data.range) }
    for rows in counts { _ = try step(rows: rows) }
  }

  /// The bytes that training takes beside the data, as far as they are planned.
  var bytes: Int { engine?.bytes ?? 0 }

  /// Whether an epoch is one step on all rows with nothing to be done between two of them.
  var canRepeatEpochs: Bool { batchSize == trainer.data.rows && engine?.canRepeat(rows: batchSize) ?? false }

  /// Puts what was learnt into a state; before, its parameters may be older.
  func read(into state: inout TrainingState<Scalar>) {
    guard let engine, var own = state as? TrainingState<Float> else { return }
    engine.read(into: &own)
    if let own = own as? TrainingState<Scalar> { state = own }
  }

  /// Trains epochs, counted from 0, that are one step each.
  func runEpochs(_ epochs: Range<Int>, _ state: inout TrainingState<Scalar>) throws(Failure) {
    guard let engine else { return }
    let configuration = trainer.configuration
    let rows = Array(trainer.data.range)[...]
    let metricCount = trainer.metrics.count
    // As many at a time as the caches have room for their numbers.
    for start in stride(from: epochs.lowerBound, to: epochs.upperBound, by: 4096) {
      let piece = start..<min(start + 4096, epochs.upperBound)
      let rates = configuration.learningRate.rates(piece, of: configuration.epochs)
      let record = try engine.take(rows, areInOrder: true, rates: rates) { _, shape, _ in
        Tensor(shape: shape, repeating: 1)
      }
      var (losses, metrics) = (record.losses, record.metrics)
      let problem = Result { () throws(Failure) in
        try checkFinite(engine, loss: losses.last ?? 0, start + losses.count - 1, 0)
      }
      if case .failure = problem {
        losses.removeLast()
        metrics.removeLast(metricCount)
      }
      for metric in 0..<metricCount {
        let count = Double(max(engine.part(of: metric, sum: 0, rows: batchSize).count, 1))
        for place in stride(from: metric, to: metrics.count, by: metricCount) { metrics[place] /= count }
      }
      state.finishEpochs(losses: losses, metrics: metrics)
      try problem.get()
    }
  }

  /// Trains one epoch, counted from 0, and returns its record; nil where it was interrupted.
  func runEpoch(
    _ epoch: Int, _ state: inout TrainingState<Scalar>, _ report: (TrainingEvent) -> Void,
    _ isInterrupted: () throws(Failure) -> Bool
  ) throws(Failure) -> EpochRecord? {
    let configuration = trainer.configuration
    let rate = configuration.learningRate.rate(epoch: epoch, of: configuration.epochs)
    let order = order(of: epoch)
    let count = (order.count + batchSize - 1) / batchSize
    var losses = 0.0
    var means = MetricMeans(count: trainer.metrics.count)
    for index in 0..<count {
      if try isInterrupted() { return nil }
      let rows = order[index * batchSize..<min((index + 1) * batchSize, order.count)]
      losses += try take(rows, epoch: epoch, index: index, rate: rate, &state, &means)
      state.stepsOfEpoch = index + 1
      report(
        .step(
          TrainingProgress(
            epoch: epoch + 1, epochs: configuration.epochs, step: index + 1, steps: count, rows: rows.endIndex,
            loss: losses / Double(index + 1), metrics: means.values)))
    }
    return EpochRecord(
      epoch: epoch + 1, loss: losses / Double(count), metrics: means.values, validationLoss: nil,
      validationMetrics: [])
  }

  /// Steps on the first rows, as many as `times` unless training diverges: how many were taken, and the last one's loss.
  func takeFirstStep(
    times: Int, _ state: inout TrainingState<Scalar>
  ) -> (taken: Int, loss: Result<Double, Failure>) {
    let configuration = trainer.configuration
    let rate = configuration.learningRate.rate(epoch: 0, of: configuration.epochs)
    let rows = Array(trainer.data.range.prefix(batchSize))[...]
    var taken = 0
    let loss = Result { () throws(Failure) in
      if let engine, engine.canRepeat(rows: rows.count) {
        let rates = Array(repeating: rate, count: times)
        let record = try engine.take(rows, areInOrder: isInOrder, rates: rates) { _, shape, _ in
          Tensor(shape: shape, repeating: 1)
        }
        taken = record.losses.count
        let loss = record.losses.last ?? 0
        try checkFinite(engine, loss: loss, 0, taken - 1)
        return loss
      }
      var loss = 0.0
      var means = MetricMeans(count: trainer.metrics.count)
      while taken < times {
        taken += 1
        loss = try take(rows, epoch: 0, index: 0, rate: rate, &state, &means)
      }
      return loss
    }
    return (taken, loss)
  }

  /// One step: forward, backward, update. Returns the loss before the update.
  private func take(
    _ rows: ArraySlice<Int>, epoch: Int, index: Int, rate: Double, _ state: inout TrainingState<Scalar>,
    _ means: inout MetricMeans
  ) throws(Failure) -> Double {
    if let engine { return try take(rows, on: engine, epoch: epoch, index: index, rate: rate, &means) }
    let step = try step(rows: rows.count)
    let graph = step.graph
    var operands = try inputs.map { store throws(Failure) in try store.gather(rows) }
    for mask in graph.masks {
      operands.append(draw(mask, shape: graph.graph.shape(mask.value).sizes ?? [], epoch: epoch, index: index))
    }
    let wanted = try targets.map { store throws(Failure) in try store.gather(rows) }
    var results = try step.executor.run(inputs: operands + wanted, parameters: state.parameters)[...]
    func takeResults(_ count: Int) -> [Tensor<Scalar>] {
      defer { results = results.dropFirst(count) }
      return Array(results.prefix(count))
    }
    let losses = takeResults(graph.targets.count)
    var gradients = takeResults(graph.trained.count)
    let statistics = takeResults(2 * graph.statistics.count)
    let loss = losses.reduce(0) { $0 + Double($1.elements[0]) }
    guard loss.isFinite else { throw diverged("the loss is \(loss)", epoch, index) }
    for (place, output) in results.enumerated() {
      means.add(place, trainer.metrics[place].sum(output, wanted[place]))
    }
    if let largest = trainer.configuration.clipNorm { clip(&gradients, toNorm: largest) }
    state.optimizer.beginStep()
    for (parameter, gradient) in zip(graph.trained, gradients) {
      state.optimizer.update(
        parameter, &state.parameters[parameter].elements, gradient: gradient.elements, rate: rate)
      try checkFinite(parameter, state, epoch, index)
    }
    for (place, statistic) in graph.statistics.enumerated() {
      let shape = graph.graph.shape(statistic.input).sizes ?? []
      gather(statistic, graph.graph, statistics[2 * place], statistics[2 * place + 1], shape, &state)
    }
    return loss
  }

  /// The same by the engine.
  private func take(
    _ rows: ArraySlice<Int>, on engine: EngineSteps, epoch: Int, index: Int, rate: Double, _ means: inout MetricMeans
  ) throws(Failure) -> Double {
    let record = try engine.take(rows, areInOrder: isInOrder, rates: [rate]) { mask, shape, row in
      draw(mask, shape: shape, from: row, epoch: epoch, index: index)
    }
    let loss = record.losses.first ?? 0
    try checkFinite(engine, loss: loss, epoch, index)
    for (place, sum) in record.metrics.enumerated() {
      means.add(place, engine.part(of: place, sum: sum, rows: rows.count))
    }
    return loss
  }

  private func checkFinite(_ engine: EngineSteps, loss: Double, _ epoch: Int, _ index: Int) throws(Failure) {
    guard loss.isFinite else { throw diverged("the loss is \(loss)", epoch, index) }
    if let (parameter, value) = engine.notFinite() {
      throw diverged("the parameter `\(trainer.model.parameters[parameter].path)` is \(value)", epoch, index)
    }
  }

  /// running = (1 - momentum) * running + momentum * batch, the variance unbiased, as `torch.nn.BatchNorm2d` keeps them;
  /// the variance of a single number, which there is not, leaves the running one as it is.
  private func gather(
    _ statistic: BatchStatistics, _ graph: Graph, _ mean: Tensor<Scalar>, _ variance: Tensor<Scalar>, _ shape: [Int],
    _ state: inout TrainingState<Scalar>
  ) {
    guard let meanIndex = graph.parameters.firstIndex(of: statistic.running.mean),
      let varianceIndex = graph.parameters.firstIndex(of: statistic.running.variance)
    else { return }
    let count = shape.reduce(1, *) / max(shape[1], 1)
    let share = Scalar(statistic.momentum)
    let keep = Scalar(1 - statistic.momentum)
    for channel in mean.elements.indices {
      state.parameters[meanIndex].elements[channel] =
        keep * state.parameters[meanIndex].elements[channel] + share * mean.elements[channel]
    }
    guard count > 1 else { return }
    let correction = Scalar(Double(count) / Double(count - 1))
    for channel in variance.elements.indices {
      state.parameters[varianceIndex].elements[channel] =
        keep * state.parameters[varianceIndex].elements[channel] + share * (variance.elements[channel] * correction)
    }
  }

  private func checkFinite(
    _ parameter: Int, _ state: TrainingState<Scalar>, _ epoch: Int, _ index: Int
  ) throws(Failure) {
    for value in state.parameters[parameter].elements where !value.isFinite {
      throw diverged("the parameter `\(trainer.model.parameters[parameter].path)` is \(value)", epoch, index)
    }
  }

  private func diverged(_ what: String, _ epoch: Int, _ index: Int) -> Failure {
    Failure(
      .checkFailed,
      "training diverged in epoch \(epoch + 1), step \(index + 1): \(what). Nothing was written; a smaller "
        + "`learning-rate`, or `clip-norm`, may help")
  }

  /// Whether the rows are used in the data's order: where they are not shuffled, or all of them are one batch.
  private var isInOrder: Bool { !trainer.configuration.shuffles || batchSize == trainer.data.rows }

  /// The rows of an epoch in the order in which they are used.
  private func order(of epoch: Int) -> [Int] {
    var order = Array(trainer.data.range)
    guard !isInOrder else { return order }
    let generator = Philox(seed: seed, stream: "shuffle/\(epoch)")
    for place in stride(from: order.count - 1, to: 0, by: -1) {
      let block = generator.block(UInt64(place))
      let word = UInt64(block.x) << 32 | UInt64(block.y)
      order.swapAt(place, Int(word.multipliedFullWidth(by: UInt64(place + 1)).high))
    }
    return order
  }

  /// A dropout's mask for a step, of the batch's rows from `row` on: each number is kept where 32 random bits are at least
  /// rate * 2^32.
  private func draw<Number: TensorScalar>(
    _ mask: DropoutMask, shape: [Int], from row: Int = 0, epoch: Int, index: Int
  ) -> Tensor<Number> {
    let generator = Philox(seed: seed, stream: "dropout/\(mask.path)/\(epoch)/\(index)")
    let threshold = UInt32(min(mask.rate * 0x1p32, 0x1p32 - 1))
    let kept = Number(1 / (1 - mask.rate))
    var tensor = Tensor<Number>(shape: shape, repeating: 0)
    let before = row * shape.dropFirst().reduce(1, *)
    var place = 0
    while place < tensor.elements.count {
      let block = generator.block(UInt64((before + place) / 4))
      for lane in (before + place) % 4..<4 where place < tensor.elements.count {
        if block[lane] >= threshold { tensor.elements[place] = kept }
        place += 1
      }
    }
    return tensor
  }

  private var seed: UInt64 { UInt64(bitPattern: Int64(trainer.configuration.seed)) }

  private func step(rows: Int) throws(Failure) -> Step {
    if let step = steps[rows] { return step }
    let graph = try TrainingGraph(trainer, rows: rows)
    let step = Step(graph: graph, executor: try StepExecutor(graph.graph, threads: trainer.options.threads))
    steps[rows] = step
    return step
  }
}
