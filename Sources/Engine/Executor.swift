public import Graph
import Kernels
import Memory
public import Tensors

/// Why a graph cannot be executed.
public enum EngineError: Error, Sendable {
  /// A size of the graph's shapes is not known.
  case unknownSize(label: String)
  /// It would need more memory than there is: so many bytes.
  case outOfMemory(bytes: Int)
  /// The environment variable `NNRUN_ISA` asks for instructions that this processor does not have, or that are not known.
  case unavailableInstructions(String, available: [String])
  /// A value is used before anything computes it.
  case unavailable(String)
  /// Ranks cannot share a batch of it by rows.
  case cannotBeShared
  /// An input's shape is not the graph's.
  case wrongInput(index: Int, found: [Int], expected: [Int])
}

/// A graph compiled once, to be run again and again without allocating.
///
/// The graph's shapes are all known. One run at a time.
public final class Executor {
  /// What a run does, in order.
  public let plan: [PlanStep]
  /// The bytes of activations and scratch that a run uses, allocated beforehand.
  public let arenaBytes: Int
  /// The shapes of the inputs.
  public let inputShapes: [[Int]]
  /// The bytes of activations that are alive during each step of `plan`.
  public let liveBytes: [Int]
  /// The bytes of weights in the form that the kernels read.
  public let weightBytes: Int
  /// The shapes of the outputs.
  public let outputShapes: [[Int]]
  /// The number of threads.
  public let threads: Int
  private let body: Body

  private enum Body {
    /// Double precision: the operations' own evaluation.
    case reference(Graph, parameters: [Tensor<Double>])
    case compiled(BatchedPlan)
  }

  /// Compiles a graph. `parameter` gives the values of the graph's parameter of an index; it is asked for one at a time.
  ///
  /// Throws `EngineError`, and what `parameter` throws.
  public init(
    graph: Graph, elementType: ElementType = .float32, threads: Int, parameter: (Int) throws -> AnyTensor
  ) throws {
    let sizes = try Self.sizes(of: graph)
    inputShapes = graph.inputs.map { sizes[$0.index] }
    outputShapes = graph.outputs.map { sizes[$0.index] }
    try Self.requireMemory(for: graph, sizes: sizes, elementType)
    if elementType == .float64 {
      let parameters = try graph.parameters.indices.map { try parameter($0).converted(to: Double.self) }
      body = .reference(graph, parameters: parameters)
      plan = graph.steps.map { step in
        PlanStep(
          label: step.label, operations: "\(type(of: step.operation))".lowercased(), algorithm: "plain",
          multiplyAdds: 0, shape: sizes[step.outputs[0].index])
      }
      (arenaBytes, liveBytes) = Self.referenceBytes(graph, sizes: sizes)
      weightBytes = parameters.reduce(0) { $0 + $1.elements.count * 8 }
      self.threads = 1
      return
    }
    let split = BatchSplit(graph: graph, sizes: sizes)
    let parts = split?.parts ?? 1
    let partSizes = split?.sizes ?? sizes
    let sharesParts = parts == 1 || BatchedPlan.sharesParts(parts, threads: threads)
    let compiled = try withoutActuallyEscaping(parameter) { parameter in
      var lowering = Lowering(
        graph: graph, sizes: partSizes, threads: sharesParts ? threads : 1, parameter: parameter)
      try lowering.run()
      return try BatchedPlan(
        steps: lowering.steps, buffers: lowering.buffers, parts: parts, threads: threads,
        inputCounts: graph.inputs.map { partSizes[$0.index].reduce(1, *) },
        outputCounts: graph.outputs.map { partSizes[$0.index].reduce(1, *) })
    }
    body = .compiled(compiled)
    plan = compiled.descriptions
    arenaBytes = compiled.bytes
    liveBytes = compiled.liveBytes
    weightBytes = compiled.weightBytes
    self.threads = compiled.threads
  }

  /// Compiles a graph whose parameters change from run to run: `run` takes them after the inputs.
  ///
  /// Throws `EngineError`.
  public init(graph: Graph, parametersVaryWithThreads threads: Int) throws(EngineError) {
    let sizes = try Self.sizes(of: graph)
    if let choice = InstructionSet.unavailableChoice {
      throw .unavailableInstructions(choice, available: InstructionSet.all.map(\.name))
    }
    inputShapes = (graph.inputs + graph.parameters).map { sizes[$0.index] }
    outputShapes = graph.outputs.map { sizes[$0.index] }
    var lowering = Lowering(graph: graph, sizes: sizes, threads: threads, varies: true) { _ in
      throw EngineError.unavailable("")
    }
    do {
      try lowering.run()
    } catch {
      throw (error as? EngineError) ?? .unavailable("")
    }
    let compiled = try BatchedPlan(
      steps: lowering.steps, buffers: lowering.buffers, parts: 1, threads: threads,
      inputCounts: inputShapes.map { $0.reduce(1, *) }, outputCounts: outputShapes.map { $0.reduce(1, *) })
    body = .compiled(compiled)
    plan = compiled.descriptions
    arenaBytes = compiled.bytes
    liveBytes = compiled.liveBytes
    weightBytes = compiled.weightBytes
    self.threads = compiled.threads
  }

  /// The sizes of a graph's values. Throws where one is not known.
  static func sizes(of graph: Graph) throws(EngineError) -> [[Int]] {
    for step in graph.steps {
      for value in step.inputs + step.outputs where graph.shape(value).sizes == nil {
        throw .unknownSize(label: step.label)
      }
    }
    for value in graph.inputs + graph.outputs where graph.shape(value).sizes == nil {
      throw .unknownSize(label: "")
    }
    return graph.shapes.map { $0.sizes ?? [] }
  }

  /// Refuses what memory cannot hold before anything is read or packed: the parameters and the results, and in double
  /// precision the activations, too; those of kernels are refused when their places are known.
  static func requireMemory(
    for graph: Graph, sizes: [[Int]], _ elementType: ElementType
  ) throws(EngineError) {
    if let choice = InstructionSet.unavailableChoice {
      throw .unavailableInstructions(choice, available: InstructionSet.all.map(\.name))
    }
    var bytes = elementType == .float64 ? referenceBytes(graph, sizes: sizes).most : 0
    for value in graph.parameters + graph.outputs {
      bytes = min(bytes + sizes[value.index].reduce(1, *) * elementType.size, 1 << 60)
    }
    guard MemoryLimit.allows(bytes) else { throw .outOfMemory(bytes: bytes) }
  }

  /// The most bytes that live values take at once in a double-precision run, and those of each step.
  private static func referenceBytes(_ graph: Graph, sizes: [[Int]]) -> (most: Int, live: [Int]) {
    var lifetimes = [ClosedRange<Int>?](repeating: nil, count: sizes.count)
    func touch(_ value: ValueID, at step: Int) {
      lifetimes[value.index] = min(lifetimes[value.index]?.lowerBound ?? step, step)...step
    }
    for (index, step) in graph.steps.enumerated() {
      for value in step.inputs + step.outputs { touch(value, at: index) }
    }
    for value in graph.outputs { touch(value, at: graph.steps.count) }
    for value in graph.parameters { lifetimes[value.index] = nil }
    let counts = sizes.map { $0.reduce(1, *) }
    return (
      MemoryPlan(sizes: counts, lifetimes: lifetimes).count * 8,
      MemoryPlan.live(sizes: counts, lifetimes: lifetimes, steps: graph.steps.count).map { $0 * 8 }
    )
  }

  /// The outputs for the inputs, in the graph's order. Throws `EngineError.wrongInput`.
  public func run(_ inputs: [AnyTensor]) throws(EngineError) -> [AnyTensor] {
    try Self.check(inputs, against: inputShapes)
    switch body {
    case .reference(let graph, let parameters):
      let results = graph.evaluate(inputs: inputs.map { $0.converted(to: Double.self) }, parameters: parameters)
      return results.map(AnyTensor.float64)
    case .compiled(let plan):
      return unsafe Self.withMemory(for: inputs, outputShapes: outputShapes) {
        unsafe plan.run(inputs: $0, outputs: $1)
      }
    }
  }

  /// Throws where inputs do not have the shapes that a graph wants.
  static func check(_ inputs: [AnyTensor], against shapes: [[Int]]) throws(EngineError) {
    for (index, expected) in shapes.enumerated() {
      guard index < inputs.count, inputs[index].shape == expected else {
        throw .wrongInput(index: index, found: index < inputs.count ? inputs[index].shape : [], expected: expected)
      }
    }
  }

  /// Calls `body` with pointers to the inputs and to memory for the outputs, and returns the outputs.
  static func withMemory(
    for inputs: [AnyTensor], outputShapes: [[Int]],
    body: (UnsafePointer<UnsafePointer<Float>>, UnsafePointer<UnsafeMutablePointer<Float>>) -> Void
  ) -> [AnyTensor] {
    let operands = inputs.map { $0.converted(to: Float.self).elements }
    var results = outputShapes.map { [Float](repeating: 0, count: $0.reduce(1, *)) }
    unsafe withPointers(operands[...], []) { inputs in
      unsafe withMutablePointers(&results, 0, []) { outputs in unsafe body(inputs, outputs) }
    }
    return zip(outputShapes, results).map { .float32(Tensor(shape: $0, elements: $1)) }
  }

  /// Runs on memory of the caller's: float32, row by row, one pointer for each input and output, in the graph's order.
  ///
  /// Nothing is allocated. Each pointer must hold as many numbers as its shape says. Only for float32 graphs.
  @unsafe
  public func run(inputs: UnsafePointer<UnsafePointer<Float>>, outputs: UnsafePointer<UnsafeMutablePointer<Float>>) {
    guard case .compiled(let plan) = body else { return }
    unsafe plan.run(inputs: inputs, outputs: outputs)
  }

  /// Whether a profile is taken on one thread, where a run gives each thread a part of the batch of its own.
  public var profilesOnOneThread: Bool {
    switch body {
    case .reference: true
    case .compiled(let plan): plan.spreadsParts
    }
  }

  /// Runs once and returns the seconds that each step of `plan` took.
  @unsafe
  public func profile(
    inputs: UnsafePointer<UnsafePointer<Float>>, outputs: UnsafePointer<UnsafeMutablePointer<Float>>
  ) -> [Double] {
    guard case .compiled(let plan) = body else { return [] }
    return unsafe plan.profile(inputs: inputs, outputs: outputs)
  }
}

/// Calls `body` with pointers to all arrays' elements.
private func withPointers(
  _ arrays: ArraySlice<[Float]>, _ pointers: [UnsafePointer<Float>], body: (UnsafePointer<UnsafePointer<Float>>) -> Void
) {
  guard let first = arrays.first else {
    // One more, so that there is an address even when there are no arrays.
    var none: Float = 0
    return unsafe withUnsafePointer(to: &none) { none in
      unsafe (pointers + [none]).withUnsafeBufferPointer { list in
        if let base = list.baseAddress { unsafe body(base) }
      }
    }
  }
  unsafe first.withUnsafeBufferPointer { buffer in
    var none: Float = 0
    unsafe withUnsafePointer(to: &none) { none in
      unsafe withPointers(arrays.dropFirst(), pointers + [buffer.baseAddress ?? none], body: body)
    }
  }
}

private func withMutablePointers(
  _ arrays: inout [[Float]], _ index: Int, _ pointers: [UnsafeMutablePointer<Float>],
  body: (UnsafePointer<UnsafeMutablePointer<Float>>) -> Void
) {
  var none: Float = 0
  unsafe withUnsafeMutablePointer(to: &none) { none in
    guard index < arrays.count else {
      return unsafe (pointers + [none]).withUnsafeBufferPointer { list in
        if let base = list.baseAddress { unsafe body(base) }
      }
    }
    // Taken out of the list meanwhile, so that the deeper calls may change the others.
    var own: [Float] = []
    swap(&own, &arrays[index])
    unsafe own.withUnsafeMutableBufferPointer { buffer in
      unsafe withMutablePointers(&arrays, index + 1, pointers + [buffer.baseAddress ?? none], body: body)
    }
    swap(&own, &arrays[index])
  }
}
