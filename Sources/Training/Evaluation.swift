package import Communication
public import Diagnostics
import Graph
import Layers
public import ModelFile
import Tensors

/// What a model makes of data: the loss and the metrics over all rows.
public struct Evaluation: Sendable, Equatable {
  /// The loss over all rows.
  public let loss: Double
  /// The metrics.
  public let metrics: [(metric: Metric, value: Double)]
  /// How often each class was taken for each, for every output that has classes; empty unless asked for.
  public let confusions: [ConfusionMatrix]

  public static func == (left: Evaluation, right: Evaluation) -> Bool {
    left.loss == right.loss && left.metrics.elementsEqual(right.metrics) { $0 == $1 }
  }

  /// Evaluates a model with the parameters of its file. `batchSize` is the largest number of rows at once; a model that
  /// normalises by its batch is run whole unless it is given. With `confusion` the classes are counted too. `report` is
  /// told of the rows that are done.
  ///
  /// Throws where the data is not finite, a label is out of range, or the loss does not suit an output.
  public init(
    _ model: Model, data: TrainingData, loss: TrainingConfiguration.Loss, batchSize: Int? = nil, threads: Int? = nil,
    confusion: Bool = false, report: ((_ rows: Int) -> Void)? = nil
  ) throws(Failure) {
    try self.init(
      model, data: data, loss: loss, batchSize: batchSize, threads: threads, communicator: nil, confusion: confusion,
      report: report)
  }

  /// Likewise, by the ranks of a job together: each takes some of the batches, and the result is the same.
  package init(
    _ model: Model, data: TrainingData, loss: TrainingConfiguration.Loss, batchSize: Int?, threads: Int?,
    communicator: Communicator?, confusion: Bool = false, report: ((_ rows: Int) -> Void)? = nil
  ) throws(Failure) {
    for index in data.outputs {
      if let problem = problem(of: loss, forOutput: index, of: model) {
        throw Failure(.invalidData, "\(problem.message); \(problem.hint)")
      }
    }
    let facts = try data.check(model.elementType, loss: loss, communicator)
    let metrics = Metric.metrics(of: model, data: data, facts: facts, loss: loss)
    var matrices: [ConfusionMatrix] = []
    for (metric, output) in zip(metrics.indices, data.outputs) where confusion {
      if let matrix = try ConfusionMatrix(metrics[metric], index: metric, of: model.outputs[output]) {
        matrices.append(matrix)
      }
    }
    switch model.elementType {
    case .float32:
      self = try Self.run(Float.self, model, data, loss, metrics, matrices, batchSize, threads, communicator, report)
    case .float64:
      self = try Self.run(Double.self, model, data, loss, metrics, matrices, batchSize, threads, communicator, report)
    }
  }

  fileprivate init(loss: Double, metrics: [Metric], values: [Double], confusions: [ConfusionMatrix]) {
    self.loss = loss
    self.metrics = zip(metrics, values).map { ($0, $1) }
    self.confusions = confusions
  }

  private static func run<Scalar: TensorScalar>(
    _: Scalar.Type, _ model: Model, _ data: TrainingData, _ loss: TrainingConfiguration.Loss, _ metrics: [Metric],
    _ confusions: [ConfusionMatrix], _ batchSize: Int?, _ threads: Int?, _ communicator: Communicator?,
    _ report: ((Int) -> Void)?
  ) throws(Failure) -> Evaluation {
    var parameters: [Tensor<Scalar>] = []
    for index in model.parameters.indices { parameters.append(try model.value(of: index).converted(to: Scalar.self)) }
    let evaluator = try Evaluator<Scalar>(
      model, data: data, loss: loss, metrics: metrics, batchSize: batchSize, threads: threads,
      communicator: communicator)
    return try evaluator.evaluate(parameters, confusions: confusions, report: report)
  }
}

/// Evaluates a model on the same data again and again.
final class Evaluator<Scalar: TensorScalar> {
  private let model: Model
  private let data: TrainingData
  private let loss: TrainingConfiguration.Loss
  private let metrics: [Metric]
  private let batchSize: Int
  private let threads: Int?
  private let communicator: Communicator?
  private let inputs: [RowStore<Scalar>]
  private let targets: [RowStore<Scalar>]
  private var executors: [Int: StepExecutor<Scalar>] = [:]

  init(
    _ model: Model, data: TrainingData, loss: TrainingConfiguration.Loss, metrics: [Metric], batchSize: Int?,
    threads: Int?, communicator: Communicator? = nil
  ) throws(Failure) {
    self.communicator = communicator
    self.model = model
    self.data = data
    self.loss = loss
    self.metrics = metrics
    self.threads = threads
    let suitable = model.usesBatchStatistics ? data.rows : 256
    self.batchSize = data.batchSymbol == nil ? data.rows : max(1, min(batchSize ?? suitable, data.rows))
    let isShared = communicator.map { !$0.isAlone } ?? false
    inputs = try data.inputs.map { column throws(Failure) in try RowStore(column, data.range, isShared: isShared) }
    targets = try data.targets.map { column throws(Failure) in try RowStore(column, data.range, isShared: isShared) }
  }

  func evaluate(
    _ parameters: [Tensor<Scalar>], confusions: [ConfusionMatrix] = [], report: ((_ rows: Int) -> Void)? = nil
  ) throws(Failure) -> Evaluation {
    var confusions = confusions
    let order = Array(data.range)
    let count = (data.rows + batchSize - 1) / batchSize
    // For each batch and metric: the batch's loss times its rows, then what the metric's mean is made of.
    var parts: [Double] = []
    for index in communicator?.share(of: count) ?? 0..<count {
      let rows = order[index * batchSize..<min((index + 1) * batchSize, data.rows)]
      let executor = try executor(rows: rows.count)
      let taken = try inputs.map { store throws(Failure) in try store.gather(rows) }
      let wanted = try targets.map { store throws(Failure) in try store.gather(rows) }
      let results = try executor.run(inputs: taken + wanted, parameters: parameters)
      for index in metrics.indices {
        let part = metrics[index].sum(results[metrics.count + index], wanted[index])
        parts += [Double(results[index].elements[0]) * Double(rows.count), part.sum, Double(part.count)]
      }
      for index in confusions.indices {
        let metric = confusions[index].metric
        confusions[index].add(results[metrics.count + metric], wanted[metric])
      }
      report?(rows.endIndex)
    }
    if let communicator {
      parts = try communicator.gatherNumbers(parts)
      for index in confusions.indices { try confusions[index].addCounts(of: communicator) }
    }
    var sum = 0.0
    var means = MetricMeans(count: metrics.count)
    for start in stride(from: 0, to: parts.count, by: 3) {
      sum += parts[start]
      means.add(start / 3 % metrics.count, (parts[start + 1], Int(parts[start + 2])))
    }
    return Evaluation(
      loss: sum / Double(data.rows), metrics: metrics, values: means.values, confusions: confusions)
  }

  private func executor(rows: Int) throws(Failure) -> StepExecutor<Scalar> {
    if let executor = executors[rows] { return executor }
    let executor = try StepExecutor<Scalar>(graph(rows: rows), threads: threads)
    executors[rows] = executor
    return executor
  }

  private func graph(rows: Int) throws(Failure) -> Graph {
    do throws(BindingError) {
      var built = try PhaseGraph(model, phase: .inference, sizes: data.sizes(rows: rows))
      let losses = try built.addLosses(loss, targets: data.outputs)
      return built.graph.reduced(to: losses + data.outputs.map { built.outputs[$0] })
    } catch {
      throw Failure(error, of: model)
    }
  }
}

extension TrainingData {
  /// The sizes of the symbols for a batch of so many rows.
  func sizes(rows: Int) -> [String: Int] {
    var sizes = sizes
    if let batchSymbol { sizes[batchSymbol] = rows }
    return sizes
  }
}

extension Failure {
  /// A failure that says which layer does not work with the sizes of the data.
  init(_ error: BindingError, of model: Model) {
    let message = error.error.message.text(presenting: model.layout.presented)
    self.init(.invalidData, error.label.isEmpty ? message : "layer `\(error.label)`: \(message)")
  }
}
