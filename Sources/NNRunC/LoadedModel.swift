import Diagnostics
import Graph
import ModelFile
import NNRun
import Synchronization

/// What a handle of C stands for: a model, ready to run with the sizes that were used last.
final class LoadedModel: @unchecked Sendable {
  /// A name as C reads it.
  @safe
  struct Name: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<CChar>

    init(_ text: String) {
      let bytes = text.utf8CString
      unsafe pointer = .allocate(capacity: bytes.count)
      unsafe pointer.initialize(from: Array(bytes), count: bytes.count)
    }
  }

  private static let mostPrepared = 4

  let model: Model
  let inputNames: [Name]
  let outputNames: [Name]
  /// Held by whoever touches what follows.
  private let lock = Mutex(())
  private let network: Network
  private var sizes: [String: Int] = [:]
  /// Networks prepared for these sizes and some batch sizes, the one used last at the end.
  private var prepared: [(batchSize: Int, network: PreparedNetwork)] = []

  init(path: String, threads: Int?) throws(Failure) {
    let model = try Model(path: path)
    self.model = model
    inputNames = model.inputs.map { Name($0.name) }
    outputNames = model.outputs.map { Name($0.name) }
    network = Network(model, threads: threads)
  }

  deinit {
    for name in inputNames + outputNames { unsafe name.pointer.deallocate() }
  }

  /// Gives a size to a symbol. Throws `usage` where no input has the symbol, or it is the batch's.
  func setSize(_ symbol: String, to size: Int) throws(Failure) {
    let known = Set(model.inputs.flatMap { $0.shape.compactMap(\.symbol) }).subtracting(
      [model.batchSymbol].compactMap { $0 })
    guard known.contains(symbol) else {
      let list = known.isEmpty ? "has none to be given" : "has " + known.sorted().joined(separator: ", ")
      throw Failure(.usage, "the size \(symbol) cannot be given: the model \(list), and the batch's goes with each run")
    }
    guard size > 0 else { throw Failure(.usage, "the size \(symbol) is 1 or more, not \(size)") }
    lock.withLock { _ in
      sizes[symbol] = size
      prepared = []
    }
  }

  /// A shape's lengths for a batch size; -1 for one that is not known.
  func lengths(of shape: Shape, batchSize: Int) -> [Int64] {
    var sizes = lock.withLock { _ in self.sizes }
    if let symbol = model.batchSymbol { sizes[symbol] = batchSize }
    return shape.map { dimension in Int64(dimension.length(sizes) ?? -1) }
  }

  /// Runs the model, on one thread at a time.
  @unsafe
  func run(
    batchSize: Int, inputs: UnsafePointer<UnsafePointer<Float>>, outputs: UnsafePointer<UnsafeMutablePointer<Float>>
  ) throws(Failure) {
    try lock.withLock { _ throws(Failure) in
      let network = try network(batchSize: batchSize)
      unsafe network.run(inputs: inputs, outputs: outputs)
    }
  }

  private func network(batchSize: Int) throws(Failure) -> PreparedNetwork {
    if let last = prepared.last, last.batchSize == batchSize { return last.network }
    if let place = prepared.firstIndex(where: { $0.batchSize == batchSize }) {
      prepared.append(prepared.remove(at: place))
      return prepared[prepared.count - 1].network
    }
    var sizes = sizes
    if let symbol = model.batchSymbol {
      sizes[symbol] = batchSize
    } else if batchSize != 1 {
      throw Failure(.usage, "the model has no axis for a batch, so the batch size is 1, not \(batchSize)")
    }
    var shapes: [[Int]] = []
    for input in model.inputs {
      var shape: [Int] = []
      for dimension in input.shape {
        guard let length = dimension.length(sizes) else {
          throw Failure(
            .usage, "the size \(dimension) of input `\(input.name)` is not known; nnrun_set_size gives it")
        }
        shape.append(length)
      }
      shapes.append(shape)
    }
    let network = try network.prepared(for: shapes)
    if prepared.count == Self.mostPrepared { prepared.removeFirst() }
    prepared.append((batchSize, network))
    return network
  }
}

extension Dimension {
  /// The symbol, where the length is one.
  fileprivate var symbol: String? {
    if case .quotient(let symbol, 0, 1) = self { symbol } else { nil }
  }

  /// The length with the symbols' sizes put in, where it is then known.
  fileprivate func length(_ sizes: [String: Int]) -> Int? { (try? bound(sizes))?.value }
}
