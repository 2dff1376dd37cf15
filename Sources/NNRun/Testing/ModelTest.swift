public import Diagnostics
import Graph
public import ModelFile
import Tensors
import YAML

/// One entry of a model's `tests`.
public struct ModelTest: Sendable {
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

  /// Where it stands.
  public var place: SourcePlace { node.place(in: model.source) }

  /// Runs the test and returns what came out otherwise than expected. Throws where its data cannot be read.
  public func run(threads: Int? = nil) throws(Failure) -> [TestDifference] {
    var differences: [TestDifference] = []
    if let counts = node["counts"] { differences += check(counts: counts) }
    if let outputs = node["outputs"] { differences += try check(outputs: outputs, threads: threads) }
    if let train = node["train"] { differences += try check(training: train, threads: threads) }
    return differences
  }

  /// How far a number may be off: absolute plus relative.
  var tolerance: Double { node["tolerance"]?.number ?? 1e-5 }

  private func check(counts: Node) -> [TestDifference] {
    let summary = ModelSummary(model)
    let found = ["parameters": summary.parameterCount, "multiply-adds": summary.multiplyAdds?.value]
    return (counts.entries ?? []).compactMap { entry in
      guard let expected = entry.value.integer, let value = found[entry.key], value != expected else { return nil }
      return TestDifference(
        name: entry.key, finding: .count(expected: expected, found: value),
        expectation: TestDifference.Expectation(mapping: counts, entry: entry, found: nil), source: model.source)
    }
  }

  private func check(outputs: Node, threads: Int?) throws(Failure) -> [TestDifference] {
    let inputs = try model.inputs.map { input throws(Failure) -> AnyTensor in
      guard let node = node["inputs"]?[input.name] else {
        throw failure("gives no input `\(input.name)`", at: self.node)
      }
      return try tensor(node)
    }
    let network = Network(model, threads: threads, tracing: true)
    let values = Dictionary(
      zip(network.resultNames, try network.run(inputs)), uniquingKeysWith: { first, _ in first })
    var differences: [TestDifference] = []
    for entry in outputs.entries ?? [] where !entry.key.hasPrefix("x-") {
      let path = model.outputs.first { $0.name == entry.key }.map { model.layers[$0.layer].path } ?? entry.key
      guard let value = values[path] else {
        let near = suggestion(for: entry.key, among: network.resultNames)
        throw failure(
          "expects `\(entry.key)`, but no such layer is run" + (near.map { "; did you mean `\($0)`?" } ?? ""),
          at: entry.value)
      }
      if let difference = compare(value, with: try tensor(entry.value), of: entry, in: outputs) {
        differences.append(difference)
      }
    }
    return differences
  }

  /// How a value differs from what an entry of `mapping` expects; nil where it does not.
  func compare(
    _ value: AnyTensor, with expected: AnyTensor, of entry: Node.Entry, in mapping: Node
  ) -> TestDifference? {
    let expectation = TestDifference.Expectation(mapping: mapping, entry: entry, found: value)
    func difference(_ finding: TestDifference.Finding) -> TestDifference {
      TestDifference(name: entry.key, finding: finding, expectation: expectation, source: model.source)
    }
    guard value.shape == expected.shape else {
      return difference(.shape(expected: expected.shape, found: value.shape))
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
    guard let worst else { return nil }
    let type = value.elementType
    return difference(
      .numbers(
        TestDifference.Numbers(
          place: worst.index, index: unravelled(worst.index, in: value.shape),
          expected: type.decimal(wanted[worst.index]), found: type.decimal(found[worst.index]), count: count,
          total: found.count, tolerance: tolerance)))
  }

  /// Whether a number is as near as numpy's `allclose` asks.
  private func isClose(_ value: Double, _ expected: Double) -> Bool {
    value == expected || (value.isNaN && expected.isNaN)
      || (value - expected).magnitude <= tolerance + tolerance * expected.magnitude
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
