import Engine
import Graph
import Tensors
import Testing

/// Numbers that are the same on every machine.
struct Numbers: RandomNumberGenerator {
  var state: UInt64

  init(_ seed: Int) { state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 | 1 }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }

  mutating func tensor(_ shape: [Int], _ range: ClosedRange<Float> = -1...1) -> Tensor<Float> {
    Tensor(shape: shape, elements: (0..<shape.reduce(1, *)).map { _ in Float.random(in: range, using: &self) })
  }
}

/// A graph in the making, with values for its parameters.
struct Sketch {
  var graph = Graph()
  var parameters: [Tensor<Float>] = []
  var numbers: Numbers

  init(seed: Int = 1) { numbers = Numbers(seed) }

  mutating func input(_ shape: [Int]) -> ValueID { graph.addInput(shape.map { .fixed($0) }) }

  mutating func parameter(_ shape: [Int], _ range: ClosedRange<Float> = -1...1) -> ValueID {
    parameters.append(numbers.tensor(shape, range))
    return graph.addParameter(shape.map { .fixed($0) })
  }

  func sizes(_ value: ValueID) -> [Int] { graph.shape(value).sizes ?? [] }

  mutating func apply(_ operation: any Operation, _ values: ValueID...) throws -> ValueID {
    try graph.apply(operation, to: values, label: "layer\(graph.steps.count)")[0]
  }

  mutating func convolution(
    _ x: ValueID, filters: Int, kernel: [Int] = [3, 3], stride: [Int] = [1, 1], dilation: [Int] = [1, 1],
    padding: Padding = .same, groups: Int = 1
  ) throws -> ValueID {
    let channels = sizes(x)[1] / groups
    let bound = (3 / Float(channels * kernel[0] * kernel[1])).squareRoot()
    let weight = parameter([filters, channels] + kernel, -bound...bound)
    let window = Window(kernel: kernel, stride: stride, dilation: dilation, padding: padding)
    return try apply(Convolution(window: window, groups: groups), x, weight)
  }

  mutating func normalised(_ x: ValueID) throws -> ValueID {
    let channels = sizes(x)[1]
    return try graph.apply(
      BatchNormalization(epsilon: 1e-5),
      to: [
        x, parameter([channels], 0.5...1.5), parameter([channels]), parameter([channels]),
        parameter([channels], 0.5...1.5),
      ], label: "norm")[0]
  }

  mutating func dense(_ x: ValueID, units: Int, bias: Bool = true) throws -> ValueID {
    let inner = sizes(x)[1]
    let bound = (3 / Float(inner)).squareRoot()
    let product = try apply(MatrixProduct(transposesRight: true), x, parameter([units, inner], -bound...bound))
    return bias ? try apply(Bias(), product, parameter([units])) : product
  }

  /// The executor's outputs, for inputs drawn at random.
  mutating func run(threads: Int = 1, seed: Int = 7) throws -> (inputs: [Tensor<Float>], outputs: [Tensor<Float>]) {
    var numbers = Numbers(seed)
    let inputs = graph.inputs.map { numbers.tensor(sizes($0)) }
    let executor = try Executor(graph: graph, threads: threads) { .float32(parameters[$0]) }
    let outputs = try executor.run(inputs.map(AnyTensor.float32)).map { $0.converted(to: Float.self) }
    return (inputs, outputs)
  }

  /// Checks the executor, and a single run, against the operations' own evaluation in double precision.
  mutating func expectAgreement(
    threads: Int = 1, tolerance: Double = 2e-5, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let (inputs, outputs) = try run(threads: threads)
    let parameters = parameters
    let single = unsafe try Executor.runOnce(
      graph, inputs.map(AnyTensor.float32), threads: threads, parameter: { .float32(parameters[$0]) },
      read: { _ = unsafe $1.update(fromContentsOf: parameters[$0].elements) })
    func double(_ tensor: Tensor<Float>) -> Tensor<Double> {
      Tensor(shape: tensor.shape, elements: tensor.elements.map(Double.init))
    }
    let expected = graph.evaluate(inputs: inputs.map(double), parameters: parameters.map(double))
    #expect(outputs.count == expected.count && single.count == expected.count, sourceLocation: sourceLocation)
    for (output, expected) in zip(outputs + single.map { $0.converted(to: Float.self) }, expected + expected) {
      #expect(output.shape == expected.shape, sourceLocation: sourceLocation)
      let worst = zip(output.elements, expected.elements).map { abs(Double($0) - $1) / (1 + abs($1)) }.max() ?? 0
      #expect(worst <= tolerance, "\(output.shape)", sourceLocation: sourceLocation)
    }
  }
}
