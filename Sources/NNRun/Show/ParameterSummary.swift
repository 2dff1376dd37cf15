public import Diagnostics
import Graph
import Layers
public import ModelFile
import Tensors

/// What `nnrun show --parameters` tells of the values of one parameter.
public struct ParameterSummary: Sendable {
  /// Its path.
  public let path: String
  /// The lengths of its axes.
  public let shape: [Int]
  /// Whether training moves it; else it is a running statistic.
  public let isTrained: Bool
  /// Where its values come from: `text`, `number`, `binary`, a file's name, or how it is drawn.
  public let origin: String
  /// The mean of its values.
  public let mean: Double
  /// Their standard deviation, over all of them.
  public let standardDeviation: Double
  /// The smallest and the largest.
  public let range: ClosedRange<Double>
  /// How many values lie in each of twelve stretches of equal length from the smallest to the largest; all in the middle
  /// where they are the same.
  public let histogram: [Int]

  /// The number of its values.
  public var count: Int { shape.reduce(1, *) }

  /// The stretches of a histogram.
  static let bins = 12

  /// The summaries of a model's parameters, each read once, in the order of the model. Throws where one cannot be read.
  public static func all(
    of model: Model, report: (_ done: Int, _ path: String) -> Void = { _, _ in }
  ) throws(Failure) -> [ParameterSummary] {
    var summaries: [ParameterSummary] = []
    for (index, parameter) in model.parameters.enumerated() {
      report(index, parameter.path)
      let values = try model.value(of: index).converted(to: Double.self).elements
      summaries.append(ParameterSummary(parameter, values))
    }
    return summaries
  }

  private init(_ parameter: Parameter, _ values: [Double]) {
    path = parameter.path
    shape = parameter.shape
    isTrained = parameter.declaration.role == .trained
    origin = parameter.origin.summary
    let count = Double(max(values.count, 1))
    let mean = values.reduce(0, +) / count
    self.mean = mean
    standardDeviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot()
    let (low, high) = (values.min() ?? 0, values.max() ?? 0)
    range = low...high
    var histogram = [Int](repeating: 0, count: Self.bins)
    for value in values {
      // Halves, as the difference of two finite numbers need not be finite.
      let share = high > low ? (value / 2 - low / 2) / (high / 2 - low / 2) : 0.5
      histogram[min(Int(share * Double(Self.bins)), Self.bins - 1)] += 1
    }
    self.histogram = histogram
  }
}

extension Parameter.Origin {
  fileprivate var summary: String {
    switch self {
    case .values: "text"
    case .number: "number"
    case .binary: "binary"
    case .file(let reference), .weights(let reference): reference.writtenFile
    case .drawn(let drawing, _): "drawn (\(drawing.initialiser.name))"
    }
  }
}
