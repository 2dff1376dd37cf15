import Graph
import Kernels

/// Cuts a batch into parts that run one after the other (or side by side) through the whole graph, so that activations
/// stay in the caches: what a part computes does not depend on the others.
struct BatchSplit {
  /// The sizes of all values for one part.
  let sizes: [[Int]]
  /// The number of parts.
  let parts: Int

  // Nanoseconds for a byte of activation that goes through the last-level cache, or past it.
  private static let nearBytes = 0.12
  private static let farBytes = 0.5
  private static let nearCapacity = 320 << 10
  private static let farCapacity = 12 << 20

  /// The best cut of a graph's batch; nil when it cannot or need not be cut.
  ///
  /// It depends on the graph alone, never on the number of threads, since algorithms are chosen for a part's size.
  init?(graph: Graph, sizes: [[Int]]) {
    let edges = graph.inputs + graph.outputs
    guard let batch = graph.inputs.first.flatMap({ sizes[$0.index].first }), batch > 1,
      edges.allSatisfy({ sizes[$0.index].first == batch }), graph.steps.allSatisfy(Self.keepsRowsApart),
      !edges.contains(where: graph.parameters.contains)
    else { return nil }
    var best: (cost: Double, sizes: [[Int]], size: Int)?
    for size in 1...batch where batch % size == 0 {
      guard let bound = Self.sizes(of: graph, sizes: sizes, batch: size) else { return nil }
      let cost = Self.cost(graph, sizes: bound) * Double(batch / size)
      if best.map({ cost < $0.cost }) ?? true { best = (cost, bound, size) }
      // More rows at once only help while weights are what is waited for.
      if size >= 16 { break }
    }
    guard let best, best.size < batch else { return nil }
    self.sizes = best.sizes
    parts = batch / best.size
  }

  private static func keepsRowsApart(_ step: Graph.Step) -> Bool {
    switch step.operation {
    case is Convolution, is Bias, is BatchNormalization, is Relu, is Sigmoid, is Tanh, is MaxPool, is AveragePool,
      is Add, is Concatenate, is PadChannels, is SpatialMean, is Flatten:
      true
    case let operation as MatrixProduct: !operation.transposesLeft
    case let operation as Softmax: operation.axis > 0
    case let operation as Transpose: operation.permutation.first == 0
    default: false
    }
  }

  /// The graph's shapes for another batch size; nil if that is not simply their first axis.
  private static func sizes(of graph: Graph, sizes: [[Int]], batch: Int) -> [[Int]]? {
    var shapes = sizes.map { $0.map(Dimension.fixed) }
    for value in graph.inputs { shapes[value.index][0] = .fixed(batch) }
    for step in graph.steps {
      guard let outputs = try? step.operation.outputShapes(step.inputs.map { shapes[$0.index] }) else { return nil }
      for (value, shape) in zip(step.outputs, outputs) { shapes[value.index] = shape }
    }
    let bound = shapes.map { $0.sizes ?? [] }
    for value in graph.outputs {
      guard bound[value.index].first == batch, bound[value.index].dropFirst() == sizes[value.index].dropFirst() else {
        return nil
      }
    }
    return bound
  }

  private static func cost(_ graph: Graph, sizes: [[Int]]) -> Double {
    var cost = 0.0
    for step in graph.steps {
      let (input, output) = (sizes[step.inputs[0].index], sizes[step.outputs[0].index])
      switch step.operation {
      case let operation as Convolution:
        let shape = ConvolutionShape(operation, input: input, output: output)
        cost += ConvolutionChoice(threads: 1).cost(of: shape)
        let bytes = (input.reduce(1, *) + output.reduce(1, *)) * 4
        if bytes > nearCapacity { cost += Double(bytes) * (bytes > farCapacity ? farBytes : nearBytes) }
      case is MatrixProduct:
        // The weights pass once whatever the number of rows.
        cost += Double(input[1] * output[1]) * (0.3 + Double(input[0]) / 40)
      default: cost += 200
      }
    }
    return cost
  }
}

extension ConvolutionShape {
  /// The same of another batch.
  func batched(_ batch: Int) -> ConvolutionShape {
    var shape = self
    shape.batch = batch
    return shape
  }

  /// The geometry of an operation between values of known sizes.
  init(_ operation: Convolution, input: [Int], output: [Int]) {
    self.init(operation.window, input: input, output: output, groups: operation.groups)
  }

  /// The geometry of a window that slides over a value of known size.
  init(_ window: Window, input: [Int], output: [Int], groups: Int = 1) {
    self.init(
      batch: input[0], channels: input[1], filters: output[1], groups: groups, input: [input[2], input[3]],
      output: [output[2], output[3]], kernel: window.kernel, stride: window.stride, dilation: window.dilation,
      padTop: window.leadingPadding(.height, input: input[2]), padLeft: window.leadingPadding(.width, input: input[3]))
  }
}
