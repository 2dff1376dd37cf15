import Communication
public import Diagnostics
import Graph
public import ModelFile
public import Tensors

/// The rows to train or to evaluate on: an array for each of the model's inputs, and targets for its outputs.
public struct TrainingData: Sendable {
  /// An array and how its rows are read.
  struct Column: Sendable {
    enum Form: Sendable, Equatable {
      /// The numbers themselves.
      case values
      /// A class label a row, which becomes a one in its place among so many zeros.
      case labels(classes: Int)
    }

    let source: ArraySource
    /// What it is in messages: `input \`x\`` or `the target of \`out\``.
    let name: String
    let form: Form
    /// The shape of one row as the graph wants it.
    let rowShape: [Int]
  }

  /// The targets' outputs, by index.
  let outputs: [Int]
  let inputs: [Column]
  let targets: [Column]
  /// The rows to use, of those that the arrays have.
  private(set) var range: Range<Int>
  /// Whether the arrays hold one row, without the axis of the batch.
  private let isUnbatched: Bool
  /// The sizes of the symbols, with `rows` for the batch's.
  let sizes: [String: Int]
  /// The symbol along which batches are cut; nil where the rows go together.
  let batchSymbol: String?

  /// Checks the arrays' shapes against the model: `inputs` in the order of the model's inputs, `targets` by the index of
  /// the output. Throws where there is no target, and where a shape or a number of rows does not fit.
  public init(_ model: Model, inputs: [ArraySource], targets: [Int: ArraySource]) throws(Failure) {
    let binding = try InputBinding(model, shapes: inputs.map(\.shape))
    let rows = binding.isUnbatched ? 1 : inputs.first?.shape.first ?? 1
    guard rows > 0 else { throw Failure(.invalidData, "the inputs have no rows; training and evaluation need some") }
    guard !targets.isEmpty else { throw Failure(.usage, "a target is needed for at least one output") }
    range = 0..<rows
    isUnbatched = binding.isUnbatched
    sizes = binding.sizes
    batchSymbol = binding.batchSymbol
    self.inputs = zip(model.inputs, inputs).map { input, source in
      Column(
        source: source, name: "input `\(input.name)`", form: .values,
        rowShape: binding.isUnbatched ? source.shape : Array(source.shape.dropFirst()))
    }
    outputs = targets.keys.sorted()
    var columns: [Column] = []
    for index in outputs {
      guard model.outputs.indices.contains(index), let source = targets[index] else { continue }
      columns.append(
        try Self.target(
          source, for: model.outputs[index], sizes: binding.sizes, rows: rows, isUnbatched: binding.isUnbatched))
    }
    self.targets = columns
  }

  /// The number of rows.
  public var rows: Int { range.count }

  /// The first rows, and the last `share` of them apart, at least one each. Throws where the model's rows go together, or
  /// there are fewer than two.
  public func split(validationShare share: Double) throws(Failure) -> (training: TrainingData, validation: TrainingData)
  {
    guard share > 0, share < 1 else {
      throw Failure(.usage, "a validation split is a share between 0 and 1, not \(share)")
    }
    guard batchSymbol != nil, rows > 1 else {
      throw Failure(.invalidData, "this data cannot be split: it is a single row, or the model takes all rows together")
    }
    let count = min(max(Int((Double(rows) * share).rounded()), 1), rows - 1)
    var (training, validation) = (self, self)
    training.range = range.lowerBound..<range.upperBound - count
    validation.range = range.upperBound - count..<range.upperBound
    return (training, validation)
  }

  private static func target(
    _ source: ArraySource, for output: Model.Output, sizes: [String: Int], rows: Int, isUnbatched: Bool
  ) throws(Failure) -> Column {
    let expected: [Int]?
    do throws(ShapeError) { expected = try output.shape.bound(sizes).sizes } catch { expected = nil }
    guard let expected else {
      throw Failure(
        .invalidData, "the shape \(output.shape.text) of output `\(output.name)` is not known for this data")
    }
    let name = "the target of `\(output.name)`"
    let rowShape = Array(expected.dropFirst())
    // A single row's target may lack the batch's axis, as the row does.
    let lacksBatch = isUnbatched && (source.shape.count == rowShape.count || source.shape.isEmpty)
    let given = lacksBatch ? [1] + source.shape : source.shape
    if given == expected { return Column(source: source, name: name, form: .values, rowShape: rowShape) }
    if given.first != expected.first {
      let count = given.first ?? 1
      throw Failure(
        .invalidData,
        "the inputs have \(rows) rows, but \(name) has \(count): row \(min(rows, count)), counted from 0, "
          + (count < rows ? "has no target" : "has no input"))
    }
    if expected.count == 2 {
      let isOneARow = given.count == 1 || given == [expected[0], 1]
      if isOneARow, expected[1] == 1 { return Column(source: source, name: name, form: .values, rowShape: [1]) }
      if isOneARow, source.isInteger {
        return Column(source: source, name: name, form: .labels(classes: expected[1]), rowShape: rowShape)
      }
      if isOneARow {
        throw Failure(
          .invalidData,
          "\(name) has one number a row for \(expected[1]) outputs; class labels are integers, but these are "
            + source.type.rawValue)
      }
    }
    throw Failure(.invalidData, "\(name) has the shape \(text(given)), but \(text(expected)) is expected")
  }

  /// What the numbers of a target are like.
  struct TargetFacts: Sendable {
    /// Whether every one is 0 or 1.
    var isBinary = true
  }

  /// The arrays, inputs first.
  package var sources: [ArraySource] { (inputs + targets).map(\.source) }

  /// Reads all rows once, and throws where a number is not finite in the model's type, or a label or a share is out of
  /// range; the first bad row is named, counted from 0. Of the ranks of a job each reads a share of the rows.
  func check(
    _ elementType: ElementType, loss: TrainingConfiguration.Loss, _ communicator: Communicator? = nil
  ) throws(Failure) -> [TargetFacts] {
    for column in inputs { _ = try check(column, elementType, needsShares: false, communicator) }
    var facts: [TargetFacts] = []
    for column in targets { facts.append(try check(column, elementType, needsShares: loss != .mse, communicator)) }
    return facts
  }

  private func check(
    _ column: Column, _ elementType: ElementType, needsShares: Bool, _ communicator: Communicator?
  ) throws(Failure) -> TargetFacts {
    guard let communicator, !isUnbatched else {
      return try check(
        column, elementType, needsShares: needsShares, rows: isUnbatched ? 0..<column.source.rows : range)
    }
    let share = communicator.share(of: range.count)
    let rows = range.lowerBound + share.lowerBound..<range.lowerBound + share.upperBound
    let own = try communicator.agree(
      Result { () throws(Failure) in try check(column, elementType, needsShares: needsShares, rows: rows) })
    return TargetFacts(isBinary: try !communicator.any(!own.isBinary))
  }

  private func check(
    _ column: Column, _ elementType: ElementType, needsShares: Bool, rows: Range<Int>
  ) throws(Failure) -> TargetFacts {
    var facts = TargetFacts()
    let source = column.source
    let width = max(source.count / max(source.rows, 1), 1)
    let step = max((1 << 18) / width, 1)
    var start = rows.lowerBound
    while start < rows.upperBound {
      let range = start..<min(start + step, rows.upperBound)
      start = range.upperBound
      if case .labels(let classes) = column.form {
        for (offset, label) in try source.readIntegers(rows: range).enumerated()
        where label < 0 || label >= classes {
          throw Failure(
            .invalidData,
            "\(source.name): row \(range.lowerBound + offset), counted from 0, has the label \(label), but \(column.name) "
              + "has \(classes) classes: labels are from 0 to \(classes - 1)")
        }
        continue
      }
      let tensor = try source.read(rows: range, as: elementType)
      func firstIndex(where isBad: (Double) -> Bool) -> (row: Int, value: Double)? {
        switch tensor {
        case .float32(let tensor):
          guard let index = tensor.elements.firstIndex(where: { isBad(Double($0)) }) else { return nil }
          return (range.lowerBound + index / width, Double(tensor.elements[index]))
        case .float64(let tensor):
          guard let index = tensor.elements.firstIndex(where: isBad) else { return nil }
          return (range.lowerBound + index / width, tensor.elements[index])
        }
      }
      if let bad = firstIndex(where: { !$0.isFinite }) {
        throw Failure(
          .invalidData,
          "\(source.name): row \(bad.row), counted from 0, of \(column.name) holds \(bad.value), which is not a finite "
            + "\(elementType.rawValue)")
      }
      if needsShares, let bad = firstIndex(where: { $0 < 0 || $0 > 1 }) {
        throw Failure(
          .invalidData,
          "\(source.name): row \(bad.row), counted from 0, of \(column.name) holds \(bad.value), but a cross-entropy's "
            + "targets are from 0 to 1")
      }
      if facts.isBinary, firstIndex(where: { $0 != 0 && $0 != 1 }) != nil { facts.isBinary = false }
    }
    return facts
  }
}

func text(_ shape: [Int]) -> String { "[" + shape.map(String.init).joined(separator: ", ") + "]" }

/// The rows of an array, gathered in any order: from memory where the whole array is small enough to be kept.
final class RowStore<Scalar: TensorScalar> {
  private let column: TrainingData.Column
  private let width: Int
  /// The row that `cached` begins with.
  private let first: Int
  private var cached: [Scalar]?
  private static var largestCachedCount: Int { (1 << 30) / MemoryLayout<Scalar>.size }

  /// The rows `range` of an array, of which the ranks of a job each read what they want.
  init(_ column: TrainingData.Column, _ range: Range<Int>, isShared: Bool = false) throws(Failure) {
    self.column = column
    width = column.rowShape.reduce(1, *)
    first = range.lowerBound
    let isWhole = column.source.count == width
    if isShared { return }
    if column.form == .values, isWhole || range.count * width <= Self.largestCachedCount {
      let read = isWhole ? 0..<column.source.rows : range
      cached = try column.source.read(rows: read, as: Scalar.elementType).converted(to: Scalar.self).elements
    } else if case .labels(let classes) = column.form, range.count * width <= Self.largestCachedCount {
      var elements = [Scalar](repeating: 0, count: range.count * width)
      for (row, label) in try column.source.readIntegers(rows: range).enumerated() {
        elements[row * classes + label] = 1
      }
      cached = elements
    }
  }

  /// The numbers of one row.
  var rowCount: Int { width }

  /// Copies the given rows, one after the other, to memory that holds as many.
  @unsafe
  func gather(_ rows: ArraySlice<Int>, into target: UnsafeMutablePointer<Scalar>) throws(Failure) {
    guard let cached else {
      for (place, element) in try gather(rows).elements.enumerated() { unsafe target[place] = element }
      return
    }
    unsafe cached.withUnsafeBufferPointer { source in
      guard let source = source.baseAddress else { return }
      for (place, row) in rows.enumerated() {
        unsafe (target + place * width).update(from: source + (row - first) * width, count: width)
      }
    }
  }

  /// The given rows, one after the other: [rows.count] + the row's shape.
  func gather(_ rows: ArraySlice<Int>) throws(Failure) -> Tensor<Scalar> {
    let shape = [rows.count] + column.rowShape
    var elements: [Scalar] = []
    elements.reserveCapacity(rows.count * width)
    if let cached {
      for row in rows { elements += cached[(row - first) * width..<(row - first + 1) * width] }
      return Tensor(shape: shape, elements: elements)
    }
    // Rows that follow one another are read together.
    var index = rows.startIndex
    while index < rows.endIndex {
      var end = index + 1
      while end < rows.endIndex, rows[end] == rows[end - 1] + 1 { end += 1 }
      let run = rows[index]..<rows[index] + (end - index)
      index = end
      switch column.form {
      case .values:
        elements += try column.source.read(rows: run, as: Scalar.elementType).converted(to: Scalar.self).elements
      case .labels(let classes):
        for label in try column.source.readIntegers(rows: run) {
          for number in 0..<classes { elements.append(number == label ? 1 : 0) }
        }
      }
    }
    return Tensor(shape: shape, elements: elements)
  }
}
