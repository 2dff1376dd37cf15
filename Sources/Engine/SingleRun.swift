public import Graph
import Kernels
public import Tensors

extension Executor {
  /// Runs a float32 graph once: each large weight is asked of `read` during the step before its own, packed in the caches
  /// where it is used, and let go, so that a first answer costs little more than reading the weights.
  ///
  /// `parameter` gives the values of the parameter of an index, `read` writes them to a place of their count. A batch that
  /// is worth cutting into parts goes through a plan like any other. Throws `EngineError`, and what the two throw.
  public static func runOnce(
    _ graph: Graph, _ inputs: [AnyTensor], threads: Int, parameter: (Int) throws -> AnyTensor,
    read: (Int, UnsafeMutableBufferPointer<Float>) throws -> Void
  ) throws -> [AnyTensor] {
    let sizes = try sizes(of: graph)
    guard BatchSplit(graph: graph, sizes: sizes) == nil else {
      return try Executor(graph: graph, threads: threads, parameter: parameter).run(inputs)
    }
    try requireMemory(for: graph, sizes: sizes, .float32)
    try check(inputs, against: graph.inputs.map { sizes[$0.index] })
    let plan = try withoutActuallyEscaping(parameter) { parameter in
      var lowering = Lowering(graph: graph, sizes: sizes, threads: threads, once: true, parameter: parameter)
      try lowering.run()
      return try CompiledPlan(steps: lowering.steps, buffers: lowering.buffers, threads: threads)
    }
    let counts = graph.parameters.map { sizes[$0.index].reduce(1, *) }
    var failure: (any Error)?
    let place = try WeightPlace(plan.onceParameters.map { counts[$0] })
    let outputs = unsafe withMemory(for: inputs, outputShapes: graph.outputs.map { sizes[$0.index] }) {
      inputs, outputs in
      do {
        try unsafe plan.runOnce(inputs: inputs, outputs: outputs, place: place, read: read)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return outputs
  }
}

/// Memory for weights that are used one after the other, where one lies while the next is read: at the start and at the
/// end in turn.
@safe
struct WeightPlace {
  private let buffer: AlignedBuffer
  private let counts: [Int]

  /// A place for weights of these counts, in the order of their use. Throws `EngineError.outOfMemory`.
  init(_ counts: [Int]) throws(EngineError) {
    self.counts = counts
    let padded = counts.map { ($0 + 15) / 16 * 16 }
    let pairs = zip(padded, padded.dropFirst() + [0]).map { $0 + $1 }
    do throws(OutOfMemory) {
      buffer = try AlignedBuffer(count: pairs.max() ?? 0, zeroed: false)
    } catch {
      throw .outOfMemory(bytes: error.bytes)
    }
  }

  /// The memory of the weights at an index.
  subscript(index: Int) -> UnsafeMutableBufferPointer<Float> {
    let start = index % 2 == 0 ? 0 : buffer.count - (counts[index] + 15) / 16 * 16
    return unsafe UnsafeMutableBufferPointer(start: buffer.pointer + start, count: counts[index])
  }
}
