import Graph
import ModelFile
import Tensors

/// A number beside the loss that people read: of one output, over all rows.
public struct Metric: Sendable, Equatable {
  /// What is counted.
  public enum Kind: String, Sendable {
    /// The share of rows whose largest score is the target's; with one score, whose score and target lie on one side of
    /// one half.
    case accuracy
    /// The mean of the differences' sizes over rows and outputs.
    case meanAbsoluteError = "mean_absolute_error"
  }

  /// What is counted.
  public let kind: Kind
  /// Its name: the kind's, after the output's where several outputs have targets.
  public let name: String

  /// The metrics of a model's outputs that have targets.
  static func metrics(
    of model: Model, data: TrainingData, facts: [TrainingData.TargetFacts], loss: TrainingConfiguration.Loss
  ) -> [Metric] {
    zip(data.outputs.indices, data.outputs).map { place, index in
      let output = model.outputs[index]
      var hasClasses = loss != .mse || data.targets[place].form != .values
      if problem(of: .binaryCrossEntropy, forOutput: index, of: model) == nil || model.endsWithSoftmax(index) {
        hasClasses = hasClasses || facts[place].isBinary
      }
      let kind: Kind = hasClasses && output.shape.count == 2 ? .accuracy : .meanAbsoluteError
      return Metric(kind: kind, name: data.outputs.count == 1 ? kind.rawValue : "\(output.name)_\(kind.rawValue)")
    }
  }

  /// The sum that the mean is made of, and what it is divided by.
  func sum<Scalar: TensorScalar>(_ output: Tensor<Scalar>, _ target: Tensor<Scalar>) -> (sum: Double, count: Int) {
    switch kind {
    case .meanAbsoluteError:
      var sum = 0.0
      for (y, t) in zip(output.elements, target.elements) { sum += abs(Double(y) - Double(t)) }
      return (sum, output.elements.count)
    case .accuracy:
      let (rows, scores) = (output.shape[0], output.shape[1])
      var hits = 0
      for row in 0..<rows {
        let range = row * scores..<(row + 1) * scores
        if predictedClass(output.elements[range]) == predictedClass(target.elements[range]) { hits += 1 }
      }
      return (Double(hits), rows)
    }
  }
}

/// The class that a row of scores, or of targets, stands for: the first of the largest; of one score, whether it reaches
/// one half.
func predictedClass<Scalar: TensorScalar>(_ row: ArraySlice<Scalar>) -> Int {
  if row.count == 1 { return row[row.startIndex] >= 0.5 ? 1 : 0 }
  var best = row.startIndex
  for place in row.indices where row[place] > row[best] { best = place }
  return best - row.startIndex
}

/// Means that grow batch by batch.
struct MetricMeans {
  private var sums: [Double]
  private var counts: [Int]

  init(count: Int) {
    sums = [Double](repeating: 0, count: count)
    counts = [Int](repeating: 0, count: count)
  }

  mutating func add(_ index: Int, _ part: (sum: Double, count: Int)) {
    sums[index] += part.sum
    counts[index] += part.count
  }

  var values: [Double] { zip(sums, counts).map { $0 / Double(max($1, 1)) } }
}

extension Model {
  /// Whether the output comes from a softmax over its classes.
  fileprivate func endsWithSoftmax(_ index: Int) -> Bool {
    let value = layers[outputs[index].layer].value
    let step = traceGraph().graph.steps.last { $0.outputs.contains(value) }
    return (step?.operation as? Softmax)?.axis == 1
  }
}
