public import Diagnostics
import Engine
import Graph
import Layers
public import ModelFile
public import Tensors
import Training

/// A model that is ready to run: its parameters are read, and a plan is made, once for each size of batch.
///
/// A network is used by one task at a time; several of one model may run at once.
public final class Network {
  /// The model.
  public let model: Model
  /// The names of what `run` returns, in order.
  public let resultNames: [String]
  private let graph: Graph
  private let threads: Int?
  private let runsOnce: Bool
  private var executors: [[String: Int]: Executor] = [:]

  /// A network that gives the model's outputs; with `tracing`, the value of every layer instead.
  ///
  /// `threads` is the number of threads to use, by default one for each core. With `runsOnce` a run is made ready no
  /// further than one run is worth: the first answer comes soonest, and later ones are no quicker.
  public init(_ model: Model, threads: Int? = nil, tracing: Bool = false, runsOnce: Bool = false) {
    self.runsOnce = runsOnce
    self.model = model
    self.threads = threads
    if tracing {
      let trace = model.traceGraph()
      graph = trace.graph
      resultNames = trace.layers.map { model.layers[$0].path }
    } else {
      graph = model.graph
      resultNames = model.outputs.map(\.name)
    }
  }

  /// The results for one array an input, in the order of the model's inputs.
  ///
  /// Throws a failure where shapes do not fit or a parameter cannot be read.
  public func run(_ inputs: [AnyTensor]) throws(Failure) -> [AnyTensor] {
    var results: [AnyTensor] = []
    try run(
      shapes: inputs.map(\.shape), batchSize: .max,
      read: { index, _ throws(Failure) in inputs[index] },
      write: { tensors in results = tensors })
    return results
  }

  /// The shapes of the results for inputs of the given shapes.
  public func resultShapes(_ shapes: [[Int]]) throws(Failure) -> [[Int]] {
    let binding = try InputBinding(model, shapes: shapes)
    let bound = try bind(binding.sizes)
    return try bound.outputs.map { value throws(Failure) in
      guard let sizes = bound.shape(value).sizes else {
        throw Failure(.invalidData, "the shape \(bound.shape(value).text) is not known for inputs of these shapes")
      }
      return binding.isUnbatched ? Array(sizes.dropFirst()) : sizes
    }
  }

  /// The network made ready for inputs of the given shapes, in the order of the model's inputs, to run on memory of the
  /// caller's; all rows run at once.
  ///
  /// Throws `invalidData` where the shapes do not fit or need more memory than there is, and what reading a parameter
  /// throws.
  public func prepared(for shapes: [[Int]]) throws(Failure) -> PreparedNetwork {
    let binding = try InputBinding(model, shapes: shapes)
    let executor = binding.rows == 0 ? nil : try makeExecutor(binding.sizes)
    return PreparedNetwork(
      executor, inputShapes: shapes, outputShapes: try resultShapes(shapes), elementType: model.elementType)
  }

  /// Runs the rows of the inputs in batches and hands out the results of each batch in order.
  ///
  /// `read` gives the rows of an input, or the whole input where the model's rows cannot be cut; `write` takes the
  /// results of one batch. `batchSize` is the largest number of rows at once, by default what suits the memory.
  public func run(
    shapes: [[Int]], batchSize: Int?, read: (_ input: Int, _ rows: Range<Int>?) throws(Failure) -> AnyTensor,
    write: ([AnyTensor]) throws(Failure) -> Void
  ) throws(Failure) {
    try run(shapes: shapes, try batches(shapes: shapes, batchSize: batchSize)[...], read: read, write: write)
  }

  /// The batches that `run` makes of the rows, whoever runs them; a single nil where all rows go together.
  package func batches(shapes: [[Int]], batchSize: Int?) throws(Failure) -> [Range<Int>?] {
    let binding = try InputBinding(model, shapes: shapes)
    guard let rows = binding.rows, let symbol = binding.batchSymbol, !binding.isUnbatched, rows > 0 else {
      return [nil]
    }
    let isWhole = model.usesBatchStatistics && batchSize == nil
    var size = rows
    if !isWhole {
      let suitable = if let batchSize { batchSize } else { try suitableBatchSize(binding.sizes, symbol) }
      size = max(1, min(suitable, rows))
    }
    return stride(from: 0, to: rows, by: size).map { $0..<min($0 + size, rows) }
  }

  /// Runs some of the `batches`.
  package func run(
    shapes: [[Int]], _ batches: ArraySlice<Range<Int>?>,
    read: (_ input: Int, _ rows: Range<Int>?) throws(Failure) -> AnyTensor, write: ([AnyTensor]) throws(Failure) -> Void
  ) throws(Failure) {
    let binding = try InputBinding(model, shapes: shapes)
    for batch in batches {
      guard let batch, let symbol = binding.batchSymbol else {
        try write(try runWhole(binding, shapes, read))
        continue
      }
      var inputs: [AnyTensor] = []
      for index in shapes.indices { inputs.append(try read(index, batch)) }
      var sizes = binding.sizes
      sizes[symbol] = batch.count
      try write(try execute(inputs, sizes: sizes, once: runsOnce && batch.count == binding.rows))
    }
  }

  private func runWhole(
    _ binding: InputBinding, _ shapes: [[Int]], _ read: (_ input: Int, _ rows: Range<Int>?) throws(Failure) -> AnyTensor
  ) throws(Failure) -> [AnyTensor] {
    if binding.rows == 0, binding.batchSymbol != nil, !binding.isUnbatched {
      let elementType = model.elementType
      return try resultShapes(shapes).map { AnyTensor(zeros: $0, elementType: elementType) }
    }
    var inputs: [AnyTensor] = []
    for index in shapes.indices {
      let tensor = try read(index, nil)
      inputs.append(binding.isUnbatched ? tensor.reshaped([1] + tensor.shape) : tensor)
    }
    let results = try execute(inputs, sizes: binding.sizes, once: runsOnce)
    return binding.isUnbatched ? results.map { $0.reshaped(Array($0.shape.dropFirst())) } : results
  }

  /// As many rows as keep the activations of a batch within a few megabytes, where the processor's caches help.
  private func suitableBatchSize(_ sizes: [String: Int], _ symbol: String) throws(Failure) -> Int {
    var sizes = sizes
    sizes[symbol] = 1
    let bound = try bind(sizes)
    var count = 1
    for step in bound.steps {
      for value in step.outputs { count += bound.shape(value).sizes?.reduce(1, *) ?? 0 }
    }
    return max(1, min(4096, (16 << 20) / (count * model.elementType.size)))
  }

  private func bind(_ sizes: [String: Int]) throws(Failure) -> Graph { try graph.bound(to: sizes, of: model) }

  private func execute(_ inputs: [AnyTensor], sizes: [String: Int], once: Bool) throws(Failure) -> [AnyTensor] {
    if once, model.elementType == .float32 {
      return try Executor.runOnce(try bind(sizes), inputs, model: model, threads: threads)
    }
    let executor = try executor(for: sizes)
    do {
      return try executor.run(inputs)
    } catch {
      throw Failure(engine: error)
    }
  }

  /// What would run inputs of exactly these shapes, which need not be those of any data.
  func executor(shapes: [[Int]]) throws(Failure) -> Executor {
    let sizes = try InputBinding(model, shapes: shapes).sizes
    for shape in try bind(sizes).shapes {
      var count = model.elementType.size
      for length in shape.sizes ?? [] {
        let (product, overflow) = count.multipliedReportingOverflow(by: length)
        guard !overflow, product < 1 << 48 else {
          throw Failure(.invalidData, "an activation of the shape \(shape.text) is larger than any memory")
        }
        count = product
      }
    }
    return try executor(for: sizes)
  }

  private func executor(for sizes: [String: Int]) throws(Failure) -> Executor {
    if let executor = executors[sizes] { return executor }
    // A run has two sizes of batch, the full one and the last one; more would only hold memory.
    if executors.count >= 2 { executors.removeAll() }
    let executor = try makeExecutor(sizes)
    executors[sizes] = executor
    return executor
  }

  private func makeExecutor(_ sizes: [String: Int]) throws(Failure) -> Executor {
    let bound = try bind(sizes)
    for shape in bound.shapes {
      if let lengths = shape.sizes, !Self.isCountable(lengths) {
        throw Failure(.invalidData, "a value of the shape \(shape.text) is more than any machine can hold")
      }
    }
    return try Executor(bound, model: model, threads: threads)
  }

  /// Whether the number of elements, and of all values of a graph together, can be counted.
  private static func isCountable(_ lengths: [Int]) -> Bool {
    var count = 1
    for length in lengths {
      let (product, overflow) = count.multipliedReportingOverflow(by: length)
      if overflow || product > 1 << 48 { return false }
      count = product
    }
    return true
  }
}

extension AnyTensor {
  /// A tensor of zeros.
  init(zeros shape: [Int], elementType: ElementType) {
    self =
      elementType == .float32
      ? .float32(Tensor(shape: shape, repeating: 0)) : .float64(Tensor(shape: shape, repeating: 0))
  }
}
