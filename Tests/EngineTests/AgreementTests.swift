import Engine
import Graph
import Tensors
import Testing

@Suite("The engine computes what the operations mean")
struct AgreementTests {
  @Test(
    "a convolution of any geometry",
    arguments: [
      (channels: 1, filters: 1, size: [1, 1], kernel: [1, 1], stride: [1, 1], groups: 1),
      (3, 16, [9, 7], [3, 3], [1, 1], 1), (3, 7, [17, 16], [7, 7], [2, 2], 1), (8, 8, [5, 13], [3, 3], [1, 1], 1),
      (9, 17, [14, 15], [3, 3], [1, 1], 1), (16, 24, [8, 8], [1, 1], [1, 1], 1), (16, 24, [9, 9], [1, 1], [2, 2], 1),
      (33, 31, [7, 7], [3, 3], [2, 1], 1), (12, 12, [11, 6], [3, 5], [1, 1], 12),
      (12, 24, [6, 6], [3, 3], [1, 1], 12),
      (12, 18, [6, 6], [3, 3], [1, 1], 6), (32, 64, [6, 7], [3, 3], [1, 1], 4), (40, 40, [5, 5], [5, 5], [3, 2], 1),
    ])
  func convolution(
    _ c: (channels: Int, filters: Int, size: [Int], kernel: [Int], stride: [Int], groups: Int)
  ) throws {
    for padding in [
      Padding.same, .explicit(top: 2, left: 0, bottom: 1, right: 3), .explicit(top: 9, left: 9, bottom: 9, right: 9),
    ] {
      for batch in [1, 3] {
        var sketch = Sketch(seed: c.channels + c.filters)
        let x = sketch.input([batch, c.channels] + c.size)
        // The second reads a blocked value, the first a plain one.
        let first = try sketch.convolution(x, filters: c.channels, kernel: [1, 1])
        let direct = try sketch.convolution(
          x, filters: c.filters, kernel: c.kernel, stride: c.stride, padding: padding, groups: c.groups)
        let second = try sketch.convolution(
          first, filters: c.filters, kernel: c.kernel, stride: c.stride, padding: padding, groups: c.groups)
        sketch.graph.outputs = [direct, second]
        try sketch.expectAgreement(threads: batch == 1 ? 1 : 2)
      }
    }
  }

  @Test("dilated convolutions", arguments: [[2, 2], [1, 3], [3, 1]])
  func dilation(_ dilation: [Int]) throws {
    var sketch = Sketch()
    let x = sketch.input([2, 3, 12, 13])
    let y = try sketch.convolution(x, filters: 10, dilation: dilation)
    sketch.graph.outputs = [try sketch.convolution(y, filters: 5, dilation: dilation, padding: .none)]
    try sketch.expectAgreement()
  }

  @Test("a residual network with normalisation, in either order of its branches", arguments: [1, 2, 3], [false, true])
  func residual(batch: Int, shortcutFirst: Bool) throws {
    var sketch = Sketch()
    let x = sketch.input([batch, 3, 18, 15])
    var value = try sketch.apply(Relu(), try sketch.normalised(try sketch.convolution(x, filters: 16)))
    for (filters, stride) in [(16, 1), (20, 2), (40, 2)] {
      func body(_ sketch: inout Sketch, _ value: ValueID) throws -> ValueID {
        let first = try sketch.normalised(try sketch.convolution(value, filters: filters, stride: [stride, stride]))
        return try sketch.normalised(try sketch.convolution(try sketch.apply(Relu(), first), filters: filters))
      }
      func shortcut(_ sketch: inout Sketch, _ value: ValueID) throws -> ValueID {
        guard stride > 1 else { return value }
        let projected = try sketch.convolution(value, filters: filters, kernel: [1, 1], stride: [stride, stride])
        return try sketch.normalised(projected)
      }
      var branches: [ValueID] = []
      if shortcutFirst {
        branches.append(try shortcut(&sketch, value))
        branches.append(try body(&sketch, value))
      } else {
        branches.append(try body(&sketch, value))
        branches.append(try shortcut(&sketch, value))
      }
      value = try sketch.apply(Relu(), try sketch.apply(Add(), branches[0], branches[1]))
    }
    let mean = try sketch.apply(SpatialMean(), value)
    sketch.graph.outputs = [try sketch.apply(Sigmoid(), try sketch.dense(mean, units: 11)), value]
    try sketch.expectAgreement(threads: 2, tolerance: 1e-4)
  }

  @Test("pooling, padding and concatenating channels, elementwise functions", arguments: [3, 8, 13])
  func others(channels: Int) throws {
    var sketch = Sketch()
    let x = sketch.input([2, channels, 9, 11])
    let window = Window(kernel: [3, 2], stride: [2, 1], padding: .explicit(top: 1, left: 1, bottom: 1, right: 0))
    let largest = try sketch.apply(MaxPool(window: window), x)
    let average = try sketch.apply(AveragePool(window: window), x)
    let counting = try sketch.apply(AveragePool(window: window, countsPadding: true), x)
    let padded = try sketch.apply(PadChannels(channels: channels + 5), largest)
    let joined = try sketch.apply(Concatenate(), padded, average, counting)
    let convolved = try sketch.convolution(joined, filters: 9)
    let summed = try sketch.apply(Add(), convolved, convolved, convolved)
    let squashed = try sketch.apply(Tanh(), try sketch.apply(Sigmoid(), summed))
    let preactivated = try sketch.apply(Relu(), try sketch.normalised(joined))
    sketch.graph.outputs = [
      squashed, preactivated, try sketch.apply(Softmax(axis: 3), largest), try sketch.apply(Softmax(axis: 1), average),
      try sketch.apply(Flatten(), squashed), padded,
    ]
    try sketch.expectAgreement()
  }

  @Test("images with the channels last")
  func channelsLast() throws {
    var sketch = Sketch()
    let x = sketch.input([2, 7, 6, 3])
    let inner = try sketch.apply(Transpose.channelsFirst, x)
    let y = try sketch.apply(Relu(), try sketch.convolution(inner, filters: 12))
    let again = try sketch.apply(Add(), try sketch.convolution(y, filters: 12), y)
    let flat = try sketch.apply(Flatten(), try sketch.apply(Transpose.channelsLast, again))
    sketch.graph.outputs = [try sketch.apply(Transpose.channelsLast, again), try sketch.dense(flat, units: 5), inner]
    try sketch.expectAgreement()
  }

  @Test("dense layers of awkward sizes", arguments: [1, 2, 5, 6, 7, 13, 100], [1, 15, 16, 17, 40])
  func dense(rows: Int, units: Int) throws {
    var sketch = Sketch()
    let x = sketch.input([rows, 39])
    let hidden = try sketch.apply(Relu(), try sketch.dense(x, units: units))
    let wide = try sketch.normalised(try sketch.dense(hidden, units: 900, bias: false))
    sketch.graph.outputs = [try sketch.apply(Softmax(axis: 1), try sketch.dense(wide, units: units)), hidden]
    try sketch.expectAgreement(threads: 2)
  }

  @Test("outputs that are inputs, parameters, or asked for twice; batches of none")
  func edges() throws {
    var sketch = Sketch()
    let x = sketch.input([2, 3])
    let parameter = sketch.parameter([2, 3])
    let sum = try sketch.apply(Add(), x, parameter)
    sketch.graph.outputs = [x, parameter, sum, sum, try sketch.apply(Relu(), sum)]
    try sketch.expectAgreement()

    var empty = Sketch()
    let none = empty.input([0, 3, 5, 5])
    let y = try empty.apply(SpatialMean(), try empty.convolution(none, filters: 8))
    empty.graph.outputs = [try empty.dense(y, units: 4)]
    #expect(try empty.run().outputs.map(\.shape) == [[0, 4]])
  }

  @Test("normalisation by the batch's own statistics, and weights that are computed")
  func constantsOfKernelsThatVary() throws {
    var sketch = Sketch()
    let x = sketch.input([2, 5, 6, 4])
    let (gamma, beta) = (sketch.parameter([5]), sketch.parameter([5]))
    let y = try sketch.apply(BatchStatisticsNormalization(epsilon: 1e-5), x, gamma, beta)
    let weight = try sketch.apply(Tanh(), sketch.parameter([7, 5, 3, 3]))
    let convolved = try sketch.apply(Convolution(window: Window(kernel: [3, 3], padding: .same)), y, weight)
    sketch.graph.outputs = [y, try sketch.apply(Bias(), convolved, sketch.parameter([7]))]
    try sketch.expectAgreement()
  }

  @Test("the same bits on any number of threads, again and again")
  func sameBits() throws {
    var sketch = Sketch()
    let x = sketch.input([2, 3, 40, 37])
    var value = try sketch.convolution(x, filters: 32, kernel: [5, 5], stride: [2, 2])
    for filters in [32, 48, 64, 64] {
      value = try sketch.apply(Relu(), try sketch.convolution(value, filters: filters))
      value = try sketch.convolution(value, filters: filters, kernel: [1, 1])
    }
    value = try sketch.convolution(value, filters: 96, stride: [2, 2])
    sketch.graph.outputs = [value, try sketch.dense(try sketch.apply(Flatten(), value), units: 40)]
    let alone = try sketch.run(threads: 1).outputs
    for threads in [1, 2, 3, 5, 8] {
      let together = try sketch.run(threads: threads).outputs
      #expect(together == alone, "\(threads) threads")
    }
  }

  @Test("double precision by the operations' own evaluation")
  func double() throws {
    var sketch = Sketch()
    let x = sketch.input([1, 2, 5, 5])
    sketch.graph.outputs = [try sketch.apply(Relu(), try sketch.convolution(x, filters: 3))]
    var numbers = Numbers(3)
    let input = AnyTensor.float64(AnyTensor.float32(numbers.tensor([1, 2, 5, 5])).converted(to: Double.self))
    let parameters = sketch.parameters.map(AnyTensor.float32)
    let executor = try Executor(graph: sketch.graph, elementType: .float64, threads: 2) { parameters[$0] }
    let expected = sketch.graph.evaluate(
      inputs: [input.converted(to: Double.self)], parameters: parameters.map { $0.converted(to: Double.self) })
    #expect(try executor.run([input]) == expected.map(AnyTensor.float64))
  }

  @Test("an input of the wrong shape is refused")
  func wrongInput() throws {
    var sketch = Sketch()
    let x = sketch.input([2, 3])
    sketch.graph.outputs = [try sketch.apply(Relu(), x)]
    let executor = try Executor(graph: sketch.graph, threads: 1) { _ in .float32(Tensor(shape: [], repeating: 0)) }
    #expect(throws: EngineError.self) { try executor.run([.float32(Tensor(shape: [3, 2], repeating: 0))]) }
    #expect(throws: EngineError.self) { try executor.run([]) }
  }
}
