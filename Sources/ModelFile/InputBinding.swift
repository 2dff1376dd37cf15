package import Diagnostics
import Graph

/// The sizes that arrays give to a model's symbols, and how their rows can be cut.
package struct InputBinding: Sendable {
  /// The sizes of the symbols.
  package private(set) var sizes: [String: Int] = [:]
  /// Whether the arrays came without the first axis, as a batch of one.
  package let isUnbatched: Bool
  /// The symbol of the first axis, where rows can be cut along it and results laid together again.
  package let batchSymbol: String?

  /// The number of rows along the batch's axis.
  package var rows: Int? { batchSymbol.flatMap { sizes[$0] } }

  /// Binds arrays of the given shapes, in the order of the model's inputs.
  ///
  /// Throws a failure that names the input, what was expected and what was found.
  package init(_ model: Model, shapes: [[Int]]) throws(Failure) {
    let lacksBatch = zip(model.inputs, shapes).map { input, shape in
      shape.count == input.shape.count - 1 && input.shape.first.map(Self.isSymbol) == true
    }
    isUnbatched = !lacksBatch.isEmpty && lacksBatch.allSatisfy { $0 }
    if !isUnbatched, let index = lacksBatch.firstIndex(of: true), let other = lacksBatch.firstIndex(of: false) {
      throw Failure(
        .invalidData,
        """
        input `\(model.inputs[index].name)` lacks its first axis but input `\(model.inputs[other].name)` has it; \
        leave the batch out of all of them or of none
        """)
    }
    var origins: [String: String] = [:]
    for (input, given) in zip(model.inputs, shapes) {
      let shape = isUnbatched ? [1] + given : given
      guard shape.count == input.shape.count else {
        throw Failure(
          .invalidData,
          "input `\(input.name)` has the shape \(input.shape.text), but the array is of rank \(given.count): \(Self.text(given))"
        )
      }
      for (axis, (dimension, size)) in zip(input.shape, shape).enumerated() {
        let place = "axis \(axis) of input `\(input.name)`"
        switch dimension {
        case .fixed(let expected):
          guard size == expected else {
            throw Failure(
              .invalidData,
              "input `\(input.name)` has the shape \(input.shape.text), but the array is \(Self.text(given)): axis \(axis) is \(size) where \(expected) is expected"
            )
          }
        case .quotient(let symbol, _, _):
          if let known = sizes[symbol], let origin = origins[symbol], known != size {
            throw Failure(
              .invalidData,
              "`\(symbol)` has one size everywhere, but \(origin) is \(known) and \(place) is \(size)")
          }
          guard size > 0 || axis == 0 else {
            throw Failure(.invalidData, "\(place) is empty; only the batch can have no rows")
          }
          sizes[symbol] = size
          origins[symbol] = place
        case .product, .sum: break
        }
      }
    }
    batchSymbol = model.cuttableBatchSymbol
  }

  private static func isSymbol(_ dimension: Dimension) -> Bool { dimension.value == nil }

  private static func text(_ shape: [Int]) -> String { "[" + shape.map(String.init).joined(separator: ", ") + "]" }
}

extension Model {
  /// The symbol of the inputs' first axis, where it stands nowhere else in them and every output has it first: then
  /// rows can be cut, run apart, and laid together again.
  package var cuttableBatchSymbol: String? {
    guard let symbol = batchSymbol else { return nil }
    let isElsewhere = inputs.contains { input in input.shape.dropFirst().contains(.symbol(symbol)) }
    let isFirst = outputs.allSatisfy { $0.shape.first == .symbol(symbol) }
    return isElsewhere || !isFirst ? nil : symbol
  }

  /// Whether a result depends on the other rows of its batch.
  package var usesBatchStatistics: Bool {
    graph.steps.contains { $0.operation is BatchStatisticsNormalization }
  }
}
