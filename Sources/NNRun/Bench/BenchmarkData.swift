import Diagnostics
import Files
import Graph
import ModelFile
import Tensors
import Training

/// The arrays that a benchmark runs on.
struct BenchmarkData {
  /// An array for each input, with the axis of the batch.
  let inputs: [AnyTensor]
  /// The sizes of the model's symbols.
  let sizes: [String: Int]
  /// The rows; 1 where the model has no batch.
  let rows: Int

  /// The given arrays' first rows, or random numbers from -1 to 1.
  ///
  /// Throws where a symbol has no size, and where arrays do not fit the model or are too few for the batch.
  static func arrays(
    for model: Model, _ options: BenchmarkOptions, defaultRows: Int
  ) throws(Failure) -> BenchmarkData {
    if let arrays = options.inputs { return try given(arrays, for: model, options) }
    var sizes = options.sizes
    let symbols = model.inputs.flatMap { $0.shape.compactMap(\.symbol) }
    for name in sizes.keys.sorted() where !symbols.contains(name) {
      let known = Set(symbols).sorted().map { "`\($0)`" }.joined(separator: ", ")
      throw Failure(
        .usage,
        "no input has a size `\(printable(name))`: " + (known.isEmpty ? "every size is fixed" : "there is \(known)"))
    }
    if let symbol = model.batchSymbol {
      if let size = sizes[symbol], let rows = options.batchSize, size != rows {
        throw Failure(.usage, "`\(symbol)` is the batch: --size makes it \(size), but --batch-size \(rows)")
      }
      sizes[symbol] = sizes[symbol] ?? options.batchSize ?? defaultRows
    } else if let rows = options.batchSize, model.inputs.contains(where: { $0.shape.first?.value != rows }) {
      let shapes = model.inputs.map { "`\($0.name)` \($0.shape.text)" }.joined(separator: ", ")
      throw Failure(.usage, "the inputs have no batch of their own (\(shapes)); leave out --batch-size")
    }
    let missing = symbols.filter { sizes[$0] == nil }.uniqued()
    guard missing.isEmpty else {
      let shapes = model.inputs.map { "`\($0.name)` is \($0.shape.text)" }.joined(separator: ", ")
      let options = missing.map { "--size \($0)=64" }.joined(separator: " ")
      throw Failure(.usage, "\(shapes); say how large that is, such as `\(options)`")
    }
    var inputs: [AnyTensor] = []
    for input in model.inputs {
      let shape = try Self.shape(input.shape, sizes, of: "input `\(input.name)`", model.elementType)
      inputs.append(.random(shape, model.elementType, seed: options.seed, stream: "bench/input/\(input.name)"))
    }
    return BenchmarkData(inputs: inputs, sizes: sizes, rows: model.batchSymbol.flatMap { sizes[$0] } ?? 1)
  }

  private static func given(
    _ arrays: [ArraySource], for model: Model, _ options: BenchmarkOptions
  ) throws(Failure) -> BenchmarkData {
    guard options.sizes.isEmpty else {
      throw Failure(.usage, "the arrays of --input give every size; leave out --size")
    }
    var binding = try InputBinding(model, shapes: arrays.map(\.shape))
    let isUnbatched = binding.isUnbatched
    var inputs: [AnyTensor] = []
    if let wanted = options.batchSize, let given = isUnbatched ? 1 : binding.rows, wanted != given {
      guard wanted < given else {
        throw Failure(.invalidData, "--batch-size is \(wanted), but the input has \(given) rows")
      }
      for array in arrays { inputs.append(try array.read(rows: 0..<wanted, as: model.elementType)) }
      binding = try InputBinding(model, shapes: inputs.map(\.shape))
    } else {
      for array in arrays {
        let tensor = try array.read(as: model.elementType)
        inputs.append(isUnbatched ? tensor.reshaped([1] + tensor.shape) : tensor)
      }
    }
    let rows = binding.rows ?? 1
    guard rows > 0 else { throw Failure(.invalidData, "the input has no rows; a benchmark needs some") }
    return BenchmarkData(inputs: inputs, sizes: binding.sizes, rows: rows)
  }

  /// The targets of a training step by the index of the output: the given ones, else random ones that suit the loss.
  func targets(
    _ model: Model, _ options: BenchmarkOptions, loss: TrainingConfiguration.Loss
  ) throws(Failure) -> [Int: ArraySource] {
    guard options.targets.isEmpty else { return options.targets }
    var targets: [Int: ArraySource] = [:]
    for (index, output) in model.outputs.enumerated() {
      let shape = try Self.shape(output.shape, sizes, of: "output `\(output.name)`", model.elementType)
      var values = AnyTensor.random(
        shape, model.elementType, seed: options.seed, stream: "bench/target/\(output.name)"
      ).converted(to: Double.self)
      switch loss {
      case .mse: values.elements = values.elements.map { ($0 + 1) / 2 }
      case .binaryCrossEntropy: values.elements = values.elements.map { $0 < 0 ? 0 : 1 }
      case .crossEntropy: values.chooseOneInEachRow()
      }
      targets[index] = ArraySource(name: "random target of `\(output.name)`", .float64(values))
    }
    return targets
  }

  private static func shape(
    _ shape: Shape, _ sizes: [String: Int], of name: String, _ elementType: ElementType
  ) throws(Failure) -> [Int] {
    var bound: [Int]?
    do throws(ShapeError) { bound = try shape.bound(sizes).sizes } catch { bound = nil }
    guard let bound else { throw Failure(.invalidData, "the shape \(shape.text) of \(name) is not possible here") }
    var bytes = elementType.size
    for size in bound { bytes = bytes.multipliedReportingOverflow(by: size).overflow ? .max : bytes * size }
    try requireMemory(bytes, for: name)
    return bound
  }
}

extension Dimension {
  /// The symbol, where the length is nothing but one.
  fileprivate var symbol: String? {
    if case .quotient(let name, 0, 1) = self { name } else { nil }
  }
}

extension [String] {
  /// Each string once, in the order of the first ones.
  fileprivate func uniqued() -> [String] {
    var seen: Set<String> = []
    return filter { seen.insert($0).inserted }
  }
}

extension AnyTensor {
  /// Numbers from -1 to 1 that depend on nothing but shape, seed and stream.
  fileprivate static func random(_ shape: [Int], _ elementType: ElementType, seed: UInt64, stream: String) -> AnyTensor
  {
    let generator = Philox(seed: seed, stream: stream)
    func draw<Scalar: TensorScalar>(_: Scalar.Type) -> Tensor<Scalar> {
      var tensor = Tensor<Scalar>(shape: shape, repeating: 0)
      for index in stride(from: 0, to: tensor.elements.count, by: 2) {
        let (first, second) = generator.uniformPair(UInt64(index / 2))
        tensor.elements[index] = Scalar(2 * first - 1)
        if index + 1 < tensor.elements.count { tensor.elements[index + 1] = Scalar(2 * second - 1) }
      }
      return tensor
    }
    return elementType == .float32 ? .float32(draw(Float.self)) : .float64(draw(Double.self))
  }
}

extension Tensor<Double> {
  /// Makes each row of [rows, classes] a one where its largest number is, and zeros.
  fileprivate mutating func chooseOneInEachRow() {
    let classes = max(shape.last ?? 1, 1)
    for start in stride(from: 0, to: elements.count, by: classes) {
      let row = start..<start + classes
      let largest = row.max { elements[$0] < elements[$1] }
      for index in row { elements[index] = index == largest ? 1 : 0 }
    }
  }
}
