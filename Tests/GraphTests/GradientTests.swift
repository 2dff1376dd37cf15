import Graph
import Tensors
import Testing

/// An operation with operands to differentiate it at.
struct GradientCase: Sendable, CustomTestStringConvertible {
  let operation: any Operation
  let shapes: [[Int]]
  /// Operands that hold statistics or targets: positive, and without a gradient.
  var fixed: Set<Int> = []

  var testDescription: String { "\(operation) \(shapes)" }

  /// The largest relative error of any number of any operand's gradient, against central differences of fourth order in
  /// double precision. A loss is differentiated itself, anything else through its mean squared distance to a random
  /// target, so that the gradient that comes in is random too.
  func worstError() throws -> Double {
    var numbers = Numbers(seed: 7)
    var graph = Graph()
    var values: [Tensor<Double>] = []
    var operands: [ValueID] = []
    for (index, shape) in shapes.enumerated() {
      operands.append(graph.addParameter(shape.map { .fixed($0) }))
      var tensor = numbers.spread(shape)
      if fixed.contains(index) { tensor.elements = tensor.elements.map { abs($0) + 0.2 } }
      values.append(tensor)
    }
    let result = try graph.apply(operation, to: operands, label: "")[0]
    var inputs: [Tensor<Double>] = []
    var loss = result
    if !(operation is any LossOperation) {
      let target = graph.addInput(graph.shape(result))
      inputs = [numbers.spread(try #require(graph.shape(result).sizes))]
      loss = try graph.apply(MeanSquaredError(), to: [result, target], label: "")[0]
    }
    let free = operands.indices.filter { !fixed.contains($0) }
    var forward = graph
    forward.outputs = [loss]
    let gradients = try graph.addGradients(of: [loss], withRespectTo: free.map { operands[$0] })
    graph.outputs = gradients.compactMap { $0 }
    #expect(graph.outputs.count == free.count)
    let analytic = graph.reduced(to: graph.outputs).evaluate(inputs: inputs, parameters: values)
    let step = 1e-3
    var worst = 0.0
    for (operand, gradient) in zip(free, analytic) {
      #expect(gradient.shape == values[operand].shape)
      var numerical = gradient
      for place in gradient.elements.indices {
        func moved(_ distance: Double) -> Double {
          var values = values
          values[operand].elements[place] += distance
          return forward.evaluate(inputs: inputs, parameters: values)[0].elements[0]
        }
        let near = moved(step) - moved(-step)
        let far = moved(2 * step) - moved(-2 * step)
        numerical.elements[place] = (8 * near - far) / (12 * step)
      }
      let scale = numerical.elements.map(abs).max() ?? 0
      for (a, n) in zip(gradient.elements, numerical.elements) {
        worst = max(worst, abs(a - n) / max(abs(a), abs(n), 1e-3 * scale, 1e-9))
      }
    }
    return worst
  }
}

@Suite("Gradients against central differences")
struct GradientTests {
  static let convolutions: [GradientCase] = {
    var cases: [GradientCase] = []
    let paddings: [Padding] = [.none, .explicit(top: 1, left: 0, bottom: 2, right: 1), .same]
    for (kernel, stride, dilation) in [
      ([1, 1], [1, 1], [1, 1]), ([3, 3], [1, 1], [1, 1]), ([2, 3], [2, 1], [1, 1]), ([3, 2], [2, 3], [1, 2]),
      ([1, 2], [3, 2], [1, 3]), ([2, 2], [1, 1], [3, 2]),
    ] {
      for padding in paddings {
        let window = Window(kernel: kernel, stride: stride, dilation: dilation, padding: padding)
        cases.append(
          GradientCase(operation: Convolution(window: window), shapes: [[2, 2, 5, 4], [2, 2] + kernel]))
        cases.append(
          GradientCase(operation: Convolution(window: window, groups: 2), shapes: [[1, 4, 4, 5], [2, 2] + kernel]))
        cases.append(
          GradientCase(operation: Convolution(window: window, groups: 2), shapes: [[2, 2, 5, 4], [4, 1] + kernel]))
      }
    }
    return cases
  }()

  static let poolings: [GradientCase] = {
    var cases: [GradientCase] = []
    for (kernel, stride) in [([2, 2], [2, 2]), ([3, 2], [1, 3]), ([2, 3], [3, 1]), ([1, 1], [2, 2])] {
      let paddings: [Padding] =
        kernel == [1, 1] ? [.none] : [.none, .explicit(top: 1, left: 0, bottom: 1, right: 1), .same]
      for padding in paddings {
        let window = Window(kernel: kernel, stride: stride, padding: padding)
        for operation: any Operation in [
          MaxPool(window: window), AveragePool(window: window), AveragePool(window: window, countsPadding: true),
        ] {
          cases.append(GradientCase(operation: operation, shapes: [[1, 2, 5, 7]]))
        }
      }
    }
    return cases
  }()

  static let others: [GradientCase] = [
    GradientCase(operation: Add(), shapes: [[2, 3], [2, 3], [2, 3]]),
    GradientCase(operation: Multiply(), shapes: [[2, 3], [2, 3]]),
    GradientCase(operation: Bias(), shapes: [[3, 2], [2]]),
    GradientCase(operation: Bias(), shapes: [[2, 3, 2, 3], [3]]),
    GradientCase(operation: MatrixProduct(), shapes: [[2, 3], [3, 4]]),
    GradientCase(operation: MatrixProduct(transposesLeft: true), shapes: [[3, 2], [3, 4]]),
    GradientCase(operation: MatrixProduct(transposesRight: true), shapes: [[2, 3], [4, 3]]),
    GradientCase(operation: MatrixProduct(transposesLeft: true, transposesRight: true), shapes: [[3, 2], [4, 3]]),
    GradientCase(operation: Relu(), shapes: [[3, 5]]),
    GradientCase(operation: Sigmoid(), shapes: [[3, 5]]),
    GradientCase(operation: Tanh(), shapes: [[3, 5]]),
    GradientCase(operation: Softmax(axis: 1), shapes: [[3, 5]]),
    GradientCase(operation: Softmax(axis: 1), shapes: [[2, 3, 2, 2]]),
    GradientCase(operation: Softmax(axis: 0), shapes: [[3, 2]]),
    GradientCase(operation: SpatialMean(), shapes: [[2, 3, 3, 5]]),
    GradientCase(operation: Concatenate(), shapes: [[2, 1, 3, 2], [2, 3, 3, 2], [2, 2, 3, 2]]),
    GradientCase(operation: Concatenate(), shapes: [[2, 1], [2, 3]]),
    GradientCase(operation: PadChannels(channels: 5), shapes: [[2, 3, 2, 2]]),
    GradientCase(operation: Flatten(), shapes: [[2, 3, 2, 2]]),
    GradientCase(operation: Transpose([0, 3, 1, 2]), shapes: [[2, 3, 4, 2]]),
    GradientCase(operation: Transpose([1, 0]), shapes: [[2, 3]]),
    GradientCase(operation: BatchNormalization(epsilon: 1e-5), shapes: [[5, 3], [3], [3], [3], [3]], fixed: [3, 4]),
    GradientCase(
      operation: BatchNormalization(epsilon: 0.1), shapes: [[2, 3, 3, 2], [3], [3], [3], [3]], fixed: [3, 4]),
    GradientCase(operation: BatchStatisticsNormalization(epsilon: 1e-5), shapes: [[5, 3], [3], [3]]),
    GradientCase(operation: BatchStatisticsNormalization(epsilon: 1e-5), shapes: [[3, 2, 3, 5], [2], [2]]),
    GradientCase(operation: BatchStatisticsNormalization(epsilon: 0.1), shapes: [[1, 2, 3, 3], [2], [2]]),
    GradientCase(operation: MeanSquaredError(), shapes: [[3, 4], [3, 4]], fixed: [1]),
    GradientCase(operation: BinaryCrossEntropy(), shapes: [[3, 4], [3, 4]], fixed: [1]),
    GradientCase(operation: CrossEntropy(), shapes: [[3, 4], [3, 4]], fixed: [1]),
  ]

  @Test("every rule gives what differences give, to one part in a million")
  func everyRule() throws {
    var worst: [String: Double] = [:]
    for gradientCase in Self.convolutions + Self.poolings + Self.others {
      let error = try gradientCase.worstError()
      #expect(error < 1e-6, "\(gradientCase.testDescription)")
      worst["\(type(of: gradientCase.operation))", default: 0].formMax(error)
    }
    for (name, error) in worst.sorted(by: { $0.value > $1.value }) {
      print("gradient of \(name): worst relative error \(error)")
    }
  }
}

extension Double {
  fileprivate mutating func formMax(_ other: Double) { self = max(self, other) }
}
