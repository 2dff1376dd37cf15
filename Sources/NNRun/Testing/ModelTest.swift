public import Diagnostics
import Graph
public import ModelFile
import Tensors
import YAML

/// One entry of a model's `tests`.
public struct ModelTest: Sendable {
  /// What came of a test.
  public enum Outcome: Sendable, Equatable {
    /// Everything was as expected; the largest difference, as a share of what was allowed.
    case passed
    /// What was not, a line each.
    case failed([String])
  }

  /// Its name, or its number where it has none.
  public let name: String
  let node: Node
  let model: Model

  /// The tests of a model, in the order of the file.
  public static func all(of model: Model) -> [ModelTest] {
    guard case .sequence(let nodes)? = model.root["tests"]?.content else { return [] }
    return nodes.enumerated().map { index, node in
      ModelTest(name: node["name"]?.string ?? "test \(index + 1)", node: node, model: model)
    }
  }

  /// Runs the test. Throws where its data cannot be read.
  public func run(threads: Int? = nil) throws(Failure) -> Outcome {
    var problems: [String] = []
    if let counts = node["counts"] { problems += check(counts: counts) }
    if let outputs = node["outputs"]?.entries { problems += try check(outputs: outputs, threads: threads) }
    if let train = node["train"] { problems += try check(training: train, threads: threads) }
    return problems.isEmpty ? .passed : .failed(problems)
  }

  /// How far a number may be off: absolute plus relative.
  var tolerance: Double { node["tolerance"]?.number ?? 1e-5 }

  private func check(counts: Node) -> [String] {
    let summary = ModelSummary(model)
    let found = ["parameters": summary.parameterCount, "multiply-adds": summary.multiplyAdds?.value]
    return (counts.entries ?? []).compactMap { entry in
      guard let expected = entry.value.integer, let value = found[entry.key] else { return nil }
      guard let value else { return "\(entry.key) depend on sizes that are not known" }
      return value == expected ? nil : "\(entry.key): expected \(expected), found \(value)"
    }
  }

  private func check(outputs: [Node.Entry], threads: Int?) throws(Failure) -> [String] {
    let inputs = try model.inputs.map { input throws(Failure) -> AnyTensor in
      guard let node = node["inputs"]?[input.name] else {
        throw failure("gives no input `\(input.name)`", at: self.node)
      }
      return try tensor(node)
    }
    let network = Network(model, threads: threads, tracing: true)
    let values = Dictionary(
      zip(network.resultNames, try network.run(inputs)), uniquingKeysWith: { first, _ in first })
    var problems: [String] = []
    for entry in outputs where !entry.key.hasPrefix("x-") {
      let path = model.outputs.first { $0.name == entry.key }.map { model.layers[$0.layer].path } ?? entry.key
      guard let value = values[path] else {
        let near = suggestion(for: entry.key, among: network.resultNames)
        throw failure(
          "expects `\(entry.key)`, but no such layer is run" + (near.map { "; did you mean `\($0)`?" } ?? ""),
          at: entry.value)
      }
      problems += try compare(value, with: tensor(entry.value), named: entry.key)
    }
    return problems
  }

  /// The lines that say how a value differs from what is expected, if it does.
  func compare(_ value: AnyTensor, with expected: AnyTensor, named name: String) -> [String] {
    guard value.shape == expected.shape else {
      return ["\(name): expected the shape \(expected.shape), found \(value.shape)"]
    }
    let found = value.converted(to: Double.self).elements
    let wanted = expected.converted(to: Double.self).elements
    var worst: (index: Int, excess: Double)?
    var count = 0
    for (index, (a, b)) in zip(found, wanted).enumerated() where !isClose(a, b) {
      count += 1
      let excess = (a - b).magnitude - tolerance * b.magnitude
      if worst.map({ !($0.excess >= excess) }) ?? true { worst = (index, excess) }
    }
    guard let worst else { return [] }
    return [
      """
      \(name)\(Self.place(worst.index, in: value.shape)): expected \(wanted[worst.index]), found \(found[worst.index]) \
      (off by \((found[worst.index] - wanted[worst.index]).magnitude); \(count) of \(found.count) are off by more than \(tolerance))
      """
    ]
  }

  /// Whether a number is as near as numpy's `allclose` asks.
  func isClose(_ value: Double, _ expected: Double) -> Bool {
    value == expected || (value.isNaN && expected.isNaN)
      || (value - expected).magnitude <= tolerance + tolerance * expected.magnitude
  }

  /// A row-major index as one for each axis: `[0, 2]`.
  private static func place(_ index: Int, in shape: [Int]) -> String {
    var rest = index
    var indices: [Int] = []
    for length in shape.reversed() {
      indices.insert(rest % max(length, 1), at: 0)
      rest /= max(length, 1)
    }
    return shape.isEmpty ? "" : "\(indices)"
  }

  /// An array that a test gives: values in the text, or a file beside the model.
  func tensor(_ node: Node) throws(Failure) -> AnyTensor {
    if node["file"] != nil { return try model.array(node).read(as: model.elementType) }
    guard let tensor = AnyTensor(node, elementType: model.elementType) else {
      throw failure("has a ragged list of numbers", at: node)
    }
    return tensor
  }

  func failure(_ problem: String, at node: Node) -> Failure {
    let position = node.place(in: model.source).start
    return Failure(.invalidData, "\(model.path):\(position.line):\(position.column): test `\(name)` \(problem)")
  }
}
