import Engine
import Graph
import Tensors
import Testing

@Suite("Graphs with gradients, whose parameters change from run to run")
struct TrainingTests {
  /// Checks outputs and gradients against the operations' own evaluation in double precision.
  private func expectAgreement(_ sketch: inout Sketch, outputs: [ValueID], threads: Int = 1) throws {
    // The sum of squares of all outputs, so that every gradient differs.
    var losses: [ValueID] = []
    for output in outputs {
      let target = sketch.graph.addInput(sketch.graph.shape(output))
      losses.append(try sketch.apply(MeanSquaredError(), output, target))
    }
    let parameters = sketch.graph.parameters
    let gradients = try sketch.graph.addGradients(of: losses, withRespectTo: parameters + [sketch.graph.inputs[0]])
    sketch.graph.outputs = losses + gradients.compactMap { $0 } + outputs
    let executor = try Executor(graph: sketch.graph, parametersVaryWithThreads: threads)
    for seed in [1, 2] {
      var numbers = Numbers(seed)
      let inputs = sketch.graph.inputs.map { numbers.tensor(sketch.sizes($0)) }
      let values = sketch.parameters.map { parameter in
        Tensor(shape: parameter.shape, elements: parameter.elements.map { $0 + Float(seed) * 0.01 })
      }
      func double(_ tensor: Tensor<Float>) -> Tensor<Double> {
        Tensor(shape: tensor.shape, elements: tensor.elements.map(Double.init))
      }
      let expected = sketch.graph.evaluate(inputs: inputs.map(double), parameters: values.map(double))
      let found = try executor.run((inputs + values).map(AnyTensor.float32)).map { $0.converted(to: Float.self) }
      for (index, (found, expected)) in zip(found, expected).enumerated() {
        let scale = expected.elements.reduce(0) { max($0, abs($1)) } + 1e-6
        let worst = zip(found.elements, expected.elements).map { abs(Double($0) - $1) }.max() ?? 0
        #expect(worst <= 2e-4 * scale, "output \(index) of shape \(expected.shape)")
      }
    }
  }

  private func normalised(_ sketch: inout Sketch, _ x: ValueID) throws -> ValueID {
    let channels = sketch.sizes(x)[1]
    return try sketch.graph.apply(
      BatchStatisticsNormalization(epsilon: 1e-5),
      to: [x, sketch.parameter([channels], 0.5...1.5), sketch.parameter([channels])], label: "norm")[0]
  }

  @Test("a residual network with batch normalisation", arguments: [1, 2])
  func residual(threads: Int) throws {
    var sketch = Sketch(seed: 3)
    let x = sketch.input([3, 3, 13, 10])
    var value = try sketch.apply(Relu(), try normalised(&sketch, try sketch.convolution(x, filters: 16)))
    for (filters, stride) in [(16, 1), (24, 2)] {
      let first = try sketch.convolution(value, filters: filters, stride: [stride, stride])
      let second = try sketch.convolution(
        try sketch.apply(Relu(), try normalised(&sketch, first)), filters: filters)
      var shortcut = value
      if stride > 1 {
        let projected = try sketch.convolution(
          value, filters: filters, kernel: [1, 1], stride: [2, 2], padding: .none)
        shortcut = try normalised(&sketch, projected)
      }
      value = try sketch.apply(Relu(), try sketch.apply(Add(), try normalised(&sketch, second), shortcut))
    }
    let scores = try sketch.dense(try sketch.apply(SpatialMean(), value), units: 5)
    try expectAgreement(&sketch, outputs: [scores], threads: threads)
  }

  @Test("the gradients of a convolution of any geometry", arguments: 0..<40)
  func convolutions(seed: Int) throws {
    var numbers = Numbers(seed + 100)
    func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &numbers) }
    let kernel = [pick(1...4), pick(1...4)]
    let groups = pick(0...3) == 0 ? 2 : 1
    let padding: Padding =
      pick(0...1) == 0 ? .same : .explicit(top: pick(0...2), left: pick(0...2), bottom: pick(0...2), right: pick(0...2))
    var sketch = Sketch(seed: seed)
    let x = sketch.input([pick(1...3), groups * pick(1...12), pick(8...14), pick(8...14)])
    let y = try sketch.convolution(
      x, filters: groups * pick(1...20), kernel: kernel, stride: [pick(1...3), pick(1...2)],
      dilation: [pick(1...2), pick(1...2)], padding: padding, groups: groups)
    let biased = try sketch.apply(Bias(), y, sketch.parameter([sketch.sizes(y)[1]]))
    try expectAgreement(&sketch, outputs: [try sketch.apply(Tanh(), biased)], threads: 1 + seed % 2)
  }

  @Test("the filter gradient in Winograd's form, at sizes around its tiles", arguments: [8, 9, 20], [11, 12, 13])
  func tiles(channels: Int, size: Int) throws {
    var sketch = Sketch(seed: channels * size)
    let x = sketch.input([6, channels, size, 12])
    let y = try sketch.convolution(x, filters: 25 - channels)
    try expectAgreement(&sketch, outputs: [try sketch.apply(Tanh(), y)], threads: 2)
  }

  @Test("dense layers, pooling, padding of channels and the rest")
  func others() throws {
    var sketch = Sketch(seed: 5)
    let x = sketch.input([4, 5, 9, 8])
    let window = Window(kernel: [3, 2], stride: [2, 2], padding: .explicit(top: 1, left: 0, bottom: 1, right: 1))
    let pooled = try sketch.apply(MaxPool(window: window), try sketch.convolution(x, filters: 6, kernel: [1, 1]))
    let averaged = try sketch.apply(AveragePool(window: window), pooled)
    let padded = try sketch.apply(PadChannels(channels: 11), averaged)
    let joined = try sketch.apply(Concatenate(), padded, averaged)
    let flat = try sketch.apply(Flatten(), joined)
    let hidden = try sketch.apply(Sigmoid(), try sketch.dense(flat, units: 20))
    let other = try sketch.apply(Relu(), try sketch.dense(hidden, units: 17, bias: false))
    try expectAgreement(&sketch, outputs: [try sketch.apply(Softmax(axis: 1), other), hidden])
  }

  @Test(
    "a small dense layer and its loss are one call", arguments: [1, 3, 8, 9, 128], [true, false])
  func perceptron(rows: Int, sigmoid: Bool) throws {
    for (inner, units, isBinary) in [(2, 1, false), (32, 3, false), (5, 16, true)] where sigmoid || !isBinary {
      var sketch = Sketch(seed: rows + inner)
      let x = sketch.input([rows, inner])
      let scores = try sketch.dense(x, units: units)
      let output = sigmoid ? try sketch.apply(Sigmoid(), scores) : scores
      let target = sketch.graph.addInput(sketch.graph.shape(output))
      let loss =
        isBinary
        ? try sketch.apply(BinaryCrossEntropy(), scores, target) : try sketch.apply(MeanSquaredError(), output, target)
      let gradients = try sketch.graph.addGradients(of: [loss], withRespectTo: sketch.graph.parameters)
      sketch.graph.outputs = [loss] + gradients.compactMap { $0 } + [output]
      let executor = try Executor(graph: sketch.graph, parametersVaryWithThreads: 1)
      #expect(executor.plan.contains { $0.algorithm == "all at once" } && executor.plan.count == 3)
      var numbers = Numbers(rows)
      let inputs = [numbers.tensor([rows, inner]), numbers.tensor([rows, units])]
      func double(_ tensor: Tensor<Float>) -> Tensor<Double> {
        Tensor(shape: tensor.shape, elements: tensor.elements.map(Double.init))
      }
      let expected = sketch.graph.evaluate(
        inputs: inputs.map(double), parameters: sketch.parameters.map(double))
      let found = try executor.run((inputs + sketch.parameters).map(AnyTensor.float32))
      for (found, expected) in zip(found, expected) {
        let values = found.converted(to: Double.self).elements
        let worst = zip(values, expected.elements).map { abs($0 - $1) }.max() ?? 0
        #expect(worst < 1e-5)
      }
    }
  }
}
