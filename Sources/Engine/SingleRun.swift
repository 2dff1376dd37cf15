public import Graph
import Kernels
public import Tensors

extension Executor {
  /// Runs a float32 graph once: each large weight is asked of `read` when its step comes, packed in the caches where it is
  /// used, and let go, so that a first answer costs little more than reading the weights.
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
    let place: AlignedBuffer
    do throws(OutOfMemory) {
      place = try AlignedBuffer(count: plan.onceParameters.map { counts[$0] }.max() ?? 0, zeroed: false)
    } catch {
      throw EngineError.outOfMemory(bytes: error.bytes)
    }
    var failure: (any Error)?
    let outputs = unsafe withMemory(for: inputs, outputShapes: graph.outputs.map { sizes[$0.index] }) {
      inputs, outputs in
      do {
        try unsafe plan.runOnce(inputs: inputs, outputs: outputs) { parameter in
          try unsafe read(parameter, UnsafeMutableBufferPointer(start: place.pointer, count: counts[parameter]))
          return unsafe UnsafePointer(place.pointer)
        }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return outputs
  }
}
