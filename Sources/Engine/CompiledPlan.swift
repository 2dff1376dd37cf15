import Graph
import Kernels
import Tensors

/// Steps bound to memory.
@safe
final class CompiledPlan {
  /// A stretch of a plan.
  private enum Segment {
    case kernels(KernelSequence, steps: Range<Int>)
    case evaluation(step: Int)
    /// A kernel whose plain weights, the parameter of an index, are there only while it runs.
    case once(KernelSequence, KernelCall, parameter: Int)
  }
  /// A place in a call that a caller's pointer goes to.
  private struct External {
    let call: KernelCall
    let operand: KernelCall.Operand
  }

  let descriptions: [PlanStep]
  let bytes: Int
  let threads: Int
  private let steps: [PlannedStep]
  private let buffers: [Buffer]
  private let arena: AlignedBuffer
  private let scratch: AlignedBuffer
  private let scratchStride: Int
  private let offsets: [Int?]
  private var segments: [Segment] = []
  private var inputs: [[External]] = []
  private var outputs: [[External]] = []
  private let pool: ThreadPool?
  private var callerInputs: [UnsafePointer<Float>?]
  private var callerOutputs: [UnsafeMutablePointer<Float>?]
  private let hasEvaluations: Bool

  /// Allocates the memory for steps, and a pool of `threads` threads if they have use for it.
  init(steps: [PlannedStep], buffers: [Buffer], threads: Int) throws(EngineError) {
    var lifetimes = [ClosedRange<Int>?](repeating: nil, count: buffers.count)
    for (index, step) in steps.enumerated() {
      for buffer in step.reads + step.writes where buffers[buffer.index].place == .arena {
        lifetimes[buffer.index] = (lifetimes[buffer.index]?.lowerBound ?? index)...index
      }
    }
    let memory = MemoryPlan(sizes: buffers.map(\.count), lifetimes: lifetimes)
    var stride = 0
    var works = false
    for case .kernel(let call, _, _) in steps.map(\.body) {
      stride = max(stride, call.scratch)
      works = works || call.together
    }
    // A cache line apart, so that threads do not share one.
    stride = (stride + 15) / 16 * 16 + 16
    pool = threads > 1 && works ? ThreadPool(threads: threads) : nil
    self.threads = pool?.threads ?? 1
    do {
      arena = try AlignedBuffer(count: memory.count)
      scratch = try AlignedBuffer(count: stride * (pool?.threads ?? 1))
    } catch {
      throw .outOfMemory(bytes: error.bytes)
    }
    scratchStride = stride
    bytes = (arena.count + scratch.count) * 4
    offsets = memory.offsets
    descriptions = steps.map { step in
      var description = step.description
      description.bytes = 4 * (step.reads + step.writes).reduce(0) { $0 + buffers[$1.index].count }
      if case .kernel(let call, _, _) = step.body { description.bytes += call.retainedBytes }
      return description
    }
    self.steps = steps
    self.buffers = buffers
    var inputCount = 0
    var outputCount = 0
    for buffer in buffers {
      switch buffer.place {
      case .arena: break
      case .input(let index): inputCount = max(inputCount, index + 1)
      case .output(let index): outputCount = max(outputCount, index + 1)
      }
    }
    inputs = Array(repeating: [], count: inputCount)
    outputs = Array(repeating: [], count: outputCount)
    unsafe callerInputs = Array(repeating: nil, count: inputCount)
    unsafe callerOutputs = Array(repeating: nil, count: outputCount)
    hasEvaluations = steps.contains { if case .evaluation = $0.body { true } else { false } }
    bind()
  }

  /// Binds every call to its memory and strings the calls together.
  private func bind() {
    var calls: [KernelCall] = []
    var start = 0
    func close(at end: Int) {
      if !calls.isEmpty { segments.append(.kernels(KernelSequence(calls), steps: start..<end)) }
      calls = []
      start = end + 1
    }
    for (index, step) in steps.enumerated() {
      switch step.body {
      case .evaluation:
        close(at: index)
        segments.append(.evaluation(step: index))
      case .kernel(let call, let reads, let writes):
        for (operand, buffer) in reads + writes { bind(call, operand, to: buffer) }
        if let parameter = step.onceParameter {
          close(at: index)
          segments.append(.once(KernelSequence([call]), call, parameter: parameter))
        } else {
          calls.append(call)
        }
      }
    }
    close(at: steps.count)
  }

  private func bind(_ call: KernelCall, _ operand: KernelCall.Operand, to buffer: BufferID) {
    switch buffers[buffer.index].place {
    case .arena:
      if let offset = offsets[buffer.index] { unsafe call.bind(operand, to: arena.pointer + offset) }
    case .input(let index): inputs[index].append(External(call: call, operand: operand))
    case .output(let index): outputs[index].append(External(call: call, operand: operand))
    }
  }

  private func bindCaller(
    inputs given: UnsafePointer<UnsafePointer<Float>>, outputs wanted: UnsafePointer<UnsafeMutablePointer<Float>>
  ) {
    for index in inputs.indices {
      for place in inputs[index] { unsafe place.call.bind(place.operand, to: given[index]) }
    }
    for index in outputs.indices {
      for place in outputs[index] { unsafe place.call.bind(place.operand, to: wanted[index]) }
    }
    if hasEvaluations {
      for index in inputs.indices { unsafe callerInputs[index] = unsafe given[index] }
      for index in outputs.indices { unsafe callerOutputs[index] = unsafe wanted[index] }
    }
  }

  /// Runs all steps on the caller's memory.
  @unsafe
  func run(
    inputs given: UnsafePointer<UnsafePointer<Float>>, outputs wanted: UnsafePointer<UnsafeMutablePointer<Float>>
  ) {
    unsafe bindCaller(inputs: given, outputs: wanted)
    for segment in segments {
      switch segment {
      case .kernels(let sequence, _): sequence.run(on: pool, scratch: scratch, stride: scratchStride)
      case .evaluation(let step): evaluate(step)
      case .once: break
      }
    }
  }

  /// The parameters that are asked for while the plan runs.
  var onceParameters: [Int] { steps.compactMap(\.onceParameter) }

  /// Runs a plan whose large weights are read as their steps come. Throws what `weights` throws.
  @unsafe
  func runOnce(
    inputs given: UnsafePointer<UnsafePointer<Float>>, outputs wanted: UnsafePointer<UnsafeMutablePointer<Float>>,
    weights: (_ parameter: Int) throws -> UnsafePointer<Float>
  ) throws {
    unsafe bindCaller(inputs: given, outputs: wanted)
    for segment in segments {
      switch segment {
      case .kernels(let sequence, _): sequence.run(on: pool, scratch: scratch, stride: scratchStride)
      case .evaluation(let step): evaluate(step)
      case .once(let sequence, let call, let parameter):
        unsafe call.bind(.weights, to: try weights(parameter))
        sequence.run(on: pool, scratch: scratch, stride: scratchStride)
      }
    }
  }

  /// Runs step by step; the seconds of each.
  @unsafe
  func profile(
    inputs given: UnsafePointer<UnsafePointer<Float>>, outputs wanted: UnsafePointer<UnsafeMutablePointer<Float>>
  ) -> [Double] {
    unsafe bindCaller(inputs: given, outputs: wanted)
    var seconds: [Double] = []
    for segment in segments {
      switch segment {
      case .kernels(let sequence, let range):
        for index in range.indices {
          seconds.append(
            timed { sequence.run(index - range.lowerBound, on: pool, scratch: scratch, stride: scratchStride) })
        }
      case .evaluation(let step): seconds.append(timed { evaluate(step) })
      case .once: seconds.append(0)
      }
    }
    return seconds
  }

  private func timed(_ body: () -> Void) -> Double {
    let start = secondsNow()
    body()
    return secondsNow() - start
  }

  private func pointer(_ buffer: BufferID) -> UnsafeMutablePointer<Float>? {
    switch buffers[buffer.index].place {
    case .arena: return unsafe offsets[buffer.index].map { unsafe arena.pointer + $0 }
    case .input(let index): return unsafe callerInputs[index].map { unsafe UnsafeMutablePointer(mutating: $0) }
    case .output(let index): return unsafe callerOutputs[index]
    }
  }

  private func evaluate(_ index: Int) {
    guard case .evaluation(let operation, let operands, let targets) = steps[index].body else { return }
    let values = operands.map { operand -> Tensor<Float> in
      switch operand {
      case .constant(let tensor): return tensor
      case .buffer(let buffer, let shape):
        let count = buffers[buffer.index].count
        guard let source = unsafe pointer(buffer) else { return Tensor(shape: shape, repeating: 0) }
        return unsafe Tensor(shape: shape, elements: Array(UnsafeBufferPointer(start: source, count: count)))
      }
    }
    for (target, result) in zip(targets, operation.evaluate(values)) {
      guard let to = unsafe pointer(target) else { continue }
      for (place, element) in result.elements.enumerated() { unsafe to[place] = element }
    }
  }
}
