import Communication
import Diagnostics
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
    /// A kernel whose plain weights are there only while it runs.
    case once(KernelCall)
    /// An exchange with other ranks, by its number.
    case begin(Int)
    case finish(Int)
  }
  /// A place in a call that a caller's pointer goes to.
  private struct External {
    let call: KernelCall
    let operand: KernelCall.Operand
  }

  let descriptions: [PlanStep]
  let bytes: Int
  /// The bytes of activations that are alive during each step.
  let liveBytes: [Int]
  /// The bytes of packed weights.
  let weightBytes: Int
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
  private let lasting: AlignedBuffer?
  /// The steps at the beginning that need not run again on the same inputs.
  private let settledCount: Int
  private let pool: ThreadPool?
  private var callerInputs: [UnsafePointer<Float>?]
  private var callerOutputs: [UnsafeMutablePointer<Float>?]
  private let hasEvaluations: Bool
  private let team: Communicator?
  private var exchanges: [Int: Collective] = [:]
  private var parts: [Int: (part: BufferID, offset: Int, count: Int, whole: BufferID)] = [:]
  private var underWay: Set<Int> = []
  /// Why an exchange with other ranks came to nothing.
  private(set) var failure: Failure?

  /// Allocates the memory for steps, and a pool of `threads` threads if they have use for it. What outlives the plan lies
  /// in `lasting`; `team` are the ranks of exchanges.
  init(
    steps: [PlannedStep], buffers: [Buffer], threads: Int, lasting: AlignedBuffer? = nil, team: Communicator? = nil
  ) throws(EngineError) {
    self.lasting = lasting
    self.team = team
    // What depends on the caller's inputs alone comes first, and stays when the plan is repeated on the same inputs.
    let settled = lasting == nil ? [] : Self.settledSteps(steps, buffers)
    let steps = settled.map { steps[$0] } + steps.indices.filter { !settled.contains($0) }.map { steps[$0] }
    settledCount = settled.count
    var lifetimes = [ClosedRange<Int>?](repeating: nil, count: buffers.count)
    for (index, step) in steps.enumerated() {
      for buffer in step.reads + step.writes where buffers[buffer.index].place == .arena {
        let last = index < settled.count ? steps.count - 1 : index
        let life = lifetimes[buffer.index] ?? index...last
        lifetimes[buffer.index] = life.lowerBound...max(life.upperBound, last)
      }
    }
    let memory = MemoryPlan(sizes: buffers.map(\.count), lifetimes: lifetimes)
    liveBytes = MemoryPlan.live(sizes: buffers.map(\.count), lifetimes: lifetimes, steps: steps.count).map { $0 * 4 }
    weightBytes = steps.reduce(0) { if case .kernel(let call, _, _) = $1.body { $0 + call.retainedBytes } else { $0 } }
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
      case .arena, .lasting: break
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
      if index == settledCount, index > 0 {
        close(at: index)
        start = index
      }
      switch step.body {
      case .evaluation:
        close(at: index)
        segments.append(.evaluation(step: index))
      case .begin(let exchange):
        close(at: index)
        add(exchange)
        segments.append(.begin(exchange.number))
      case .finish(let exchange):
        close(at: index)
        segments.append(.finish(exchange.number))
      case .kernel(let call, let reads, let writes):
        for (operand, buffer) in reads + writes { bind(call, operand, to: buffer) }
        if step.onceParameter != nil {
          close(at: index)
          segments.append(.once(call))
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
    case .lasting(let offset): unsafe call.bind(operand, to: lasting.map { unsafe UnsafePointer($0.pointer + offset) })
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
    runBound()
  }

  /// Whether a run is nothing but kernels, so that it can be repeated without coming back.
  var isKernelsOnly: Bool {
    !hasEvaluations && exchanges.isEmpty && segments.count == (settledCount > 0 ? 2 : 1)
  }

  /// The steps that read nothing but the caller's inputs and what such steps leave, where only they write it.
  private static func settledSteps(_ steps: [PlannedStep], _ buffers: [Buffer]) -> [Int] {
    var writers = [Int](repeating: 0, count: buffers.count)
    for buffer in steps.flatMap(\.writes) { writers[buffer.index] += 1 }
    var isSettled = buffers.map { if case .input = $0.place { true } else { false } }
    var settled: [Int] = []
    for (index, step) in steps.enumerated() {
      guard case .kernel = step.body, !step.reads.isEmpty, step.reads.allSatisfy({ isSettled[$0.index] }),
        step.writes.allSatisfy({ buffers[$0.index].place == .arena && writers[$0.index] == 1 })
      else { continue }
      for buffer in step.writes { isSettled[buffer.index] = true }
      settled.append(index)
    }
    return settled
  }

  /// Binds the caller's inputs; there are no outputs of the caller's.
  @unsafe
  func bind(inputs given: [UnsafePointer<Float>]) {
    for index in inputs.indices where index < (unsafe given.count) {
      for place in inputs[index] { unsafe place.call.bind(place.operand, to: given[index]) }
      unsafe callerInputs[index] = unsafe given[index]
    }
  }

  /// Runs all steps on what is bound.
  func runBound() {
    for segment in segments { run(segment) }
  }

  /// Runs all steps on what is bound once for each of `rates`; only where `isKernelsOnly`.
  func repeatBound(rates: [Double], update: KernelCall, stepsBefore: Int, leaves: TrainingMemory.Results) -> RunRecord?
  {
    guard case .kernels(let sequence, _)? = segments.last, let lasting else { return nil }
    if settledCount > 0 { run(segments[0]) }
    let base = unsafe lasting.pointer
    return unsafe UnsafeRawPointer(base + leaves.metrics).withMemoryRebound(
      to: Double.self, capacity: max(leaves.metricCount, 1)
    ) { metrics in
      unsafe UnsafeRawPointer(base + leaves.diverged).withMemoryRebound(to: Int32.self, capacity: 1) { diverged in
        unsafe sequence.run(
          rates: rates, update: update, stepsBefore: stepsBefore, losses: base + leaves.losses,
          lossCount: leaves.lossCount, metrics: metrics, metricCount: leaves.metricCount, diverged: diverged, on: pool,
          scratch: scratch, stride: scratchStride)
      }
    }
  }

  /// The parameters that are asked for while the plan runs.
  var onceParameters: [Int] { steps.compactMap(\.onceParameter) }

  /// Runs a plan whose large weights are read as their steps come: those of the next such step while one of them is
  /// multiplied. `place` is for the weights of `onceParameters`. Throws what `read` throws.
  @unsafe
  func runOnce(
    inputs given: UnsafePointer<UnsafePointer<Float>>, outputs wanted: UnsafePointer<UnsafeMutablePointer<Float>>,
    place: WeightPlace, read: (_ parameter: Int, UnsafeMutableBufferPointer<Float>) throws -> Void
  ) throws {
    unsafe bindCaller(inputs: given, outputs: wanted)
    let parameters = onceParameters
    var readCount = 0
    var unread: (any Error)?
    func readNext() {
      guard readCount < parameters.count, unread == nil else { return }
      do { try unsafe read(parameters[readCount], place[readCount]) } catch { unread = error }
      readCount += 1
    }
    var used = 0
    for segment in segments {
      switch segment {
      case .kernels(let sequence, _): sequence.run(on: pool, scratch: scratch, stride: scratchStride)
      case .evaluation, .begin, .finish: run(segment)
      case .once(let call):
        if readCount == used { readNext() }
        if let unread { throw unread }
        unsafe call.bind(.weights, to: UnsafePointer(place[used].baseAddress))
        used += 1
        call.run(on: pool, scratch: scratch, stride: scratchStride, beside: readNext)
      }
    }
    if let unread { throw unread }
  }

  private func run(_ segment: Segment) {
    switch segment {
    case .kernels(let sequence, _): sequence.run(on: pool, scratch: scratch, stride: scratchStride)
    case .evaluation(let step): evaluate(step)
    case .once: break
    case .begin(let number): attempt { () throws(Failure) in try begin(number) }
    case .finish(let number): attempt { () throws(Failure) in try finish(number) }
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
      case .evaluation, .begin, .finish: seconds.append(timed { run(segment) })
      case .once: seconds.append(0)
      }
    }
    return seconds
  }

  // MARK: - Exchanges

  private func add(_ exchange: Exchange) {
    guard let team else { return }
    switch exchange.kind {
    case .summing(let buffer, let count, let type):
      guard let values = unsafe pointer(buffer) else { return }
      exchanges[exchange.number] = unsafe team.summing(UnsafeMutableRawPointer(values), count: count, of: type)
    case .gathering(let part, let whole, let counts):
      guard let values = unsafe pointer(whole) else { return }
      exchanges[exchange.number] = unsafe team.gathering(
        UnsafeMutableRawPointer(values), counts: counts.map { $0 * MemoryLayout<Float>.stride })
      parts[exchange.number] = (part, counts[..<team.rank].reduce(0, +), counts[team.rank], whole)
    }
  }

  private func begin(_ number: Int) throws(Failure) {
    if let (part, offset, count, whole) = parts[number], let from = unsafe pointer(part), let to = unsafe pointer(whole)
    {
      unsafe (to + offset).update(from: from, count: count)
    }
    try exchanges[number]?.begin()
    underWay.insert(number)
    try goOn()
  }

  private func finish(_ number: Int) throws(Failure) {
    guard underWay.remove(number) != nil else { return }
    try exchanges[number]?.finish(alongside: underWay.sorted().compactMap { exchanges[$0] })
  }

  /// Lets what is under way go on.
  private func goOn() throws(Failure) {
    for number in underWay.sorted() { _ = try exchanges[number]?.advance() }
  }

  /// The first failure is kept, and nothing is exchanged after it.
  private func attempt(_ body: () throws(Failure) -> Void) {
    if failure != nil { return }
    do throws(Failure) { try body() } catch { failure = error }
  }

  private func timed(_ body: () -> Void) -> Double {
    let start = secondsNow()
    body()
    return secondsNow() - start
  }

  private func pointer(_ buffer: BufferID) -> UnsafeMutablePointer<Float>? {
    switch buffers[buffer.index].place {
    case .arena: return unsafe offsets[buffer.index].map { unsafe arena.pointer + $0 }
    case .lasting(let offset): return unsafe lasting.map { unsafe $0.pointer + offset }
    case .input(let index): return unsafe callerInputs[index].map { unsafe UnsafeMutablePointer(mutating: $0) }
    case .output(let index): return unsafe callerOutputs[index]
    }
  }

  private func evaluate(_ index: Int) {
    guard case .evaluation(let operation, let operands, let targets, let firstRow) = steps[index].body else { return }
    let values = operands.map { operand -> Tensor<Float> in
      switch operand {
      case .constant(let tensor): return tensor
      case .buffer(let buffer, let shape):
        let count = shape.reduce(1, *)
        guard let source = unsafe pointer(buffer) else { return Tensor(shape: shape, repeating: 0) }
        return unsafe Tensor(shape: shape, elements: Array(UnsafeBufferPointer(start: source, count: count)))
      }
    }
    for (target, result) in zip(targets, operation.evaluate(values)) {
      guard let to = unsafe pointer(target) else { continue }
      let count = buffers[target.index].count
      // Of rows that ranks share, those that are this one's.
      let first =
        result.elements.count == count ? 0 : firstRow * result.elements.count / max(result.shape.first ?? 1, 1)
      for place in 0..<min(count, result.elements.count - first) { unsafe to[place] = result.elements[first + place] }
    }
  }
}
