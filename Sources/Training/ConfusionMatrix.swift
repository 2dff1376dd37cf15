import Communication
import Diagnostics
import Graph
import ModelFile
import Tensors

/// How often rows of each class were taken for each class.
public struct ConfusionMatrix: Sendable {
  /// The output that was judged.
  public let output: String
  /// `counts[true class][predicted class]`; with one score there are two classes, 0 and 1.
  public private(set) var counts: [[Int]]
  /// The output's place among the metrics.
  let metric: Int

  /// An empty matrix for an output; nil where it has no classes. Throws where it has too many to be counted in memory.
  init?(_ metric: Metric, index: Int, of output: Model.Output) throws(Failure) {
    guard metric.kind == .accuracy, let scores = output.shape.last?.value else { return nil }
    let classes = max(scores, 2)
    guard classes <= 8192 else {
      throw Failure(
        .usage, "`\(output.name)` has \(classes) classes; a table of confusions is made for 8192 at most")
    }
    self.output = output.name
    self.metric = index
    counts = [[Int]](repeating: [Int](repeating: 0, count: classes), count: classes)
  }

  mutating func add<Scalar: TensorScalar>(_ output: Tensor<Scalar>, _ target: Tensor<Scalar>) {
    let scores = output.shape[1]
    for row in 0..<output.shape[0] {
      let range = row * scores..<(row + 1) * scores
      counts[predictedClass(target.elements[range])][predictedClass(output.elements[range])] += 1
    }
  }

  /// Takes in what the other ranks of a job have counted.
  mutating func addCounts(of communicator: Communicator) throws(Failure) {
    let all = try communicator.gatherNumbers(counts.joined().map(Double.init))
    let classes = counts.count
    counts = counts.map { $0.map { _ in 0 } }
    for (place, count) in all.enumerated() {
      counts[place / classes % classes][place % classes] += Int(count)
    }
  }

  /// The share of the rows taken for a class that are of it; nil where none are.
  public func precision(_ index: Int) -> Double? { share(index, of: counts.reduce(0) { $0 + $1[index] }) }

  /// The share of the rows of a class that are taken for it; nil where there are none.
  public func recall(_ index: Int) -> Double? { share(index, of: counts[index].reduce(0, +)) }

  private func share(_ index: Int, of total: Int) -> Double? {
    total == 0 ? nil : Double(counts[index][index]) / Double(total)
  }
}
