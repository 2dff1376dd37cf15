import CKernels

/// A kernel with its arguments: one step of a plan. Its operands are bound to memory before it runs.
@safe
public final class KernelCall {
  /// What a call reads and writes.
  public enum Operand: Int, CaseIterable, Sendable {
    /// What it computes on.
    case input
    /// The residual, or the second of two operands.
    case second
    /// Packed weights, or a normalisation's gamma.
    case weights
    /// A summand for each channel: a bias, or a normalisation's beta.
    case bias
    /// The mean of each channel.
    case mean
    /// The variance of each channel.
    case variance
    /// The result after relu, which tells where a gradient passes.
    case activated
    /// The result.
    case output
    /// The second result: a mean, or the gradient of gamma.
    case output2
    /// The third result: a variance, or the gradient of beta.
    case output3
    /// The fourth result: the gradient of a bias.
    case output4
    /// Becomes 1 where a parameter is not finite any more.
    case diverged
  }

  /// The floats of scratch that each thread needs.
  public let scratch: Int
  /// The pieces that can run at the same time.
  public let tasks: Int
  /// How it is computed, for profiles.
  public let algorithm: String
  /// Whether the pieces are worth spreading over threads.
  public var together: Bool
  let kernel: NNKernel
  let arguments: UnsafeMutableRawPointer
  private let offsets: [Int?]
  private let retained: [AlignedBuffer]
  /// The bytes of packed weights and biases that belong to the call.
  public var retainedBytes: Int { retained.reduce(0) { $0 + 4 * $1.count } }
  private let copyArguments: (UnsafeMutableRawPointer) -> UnsafeMutableRawPointer
  private let release: (UnsafeMutableRawPointer) -> Void

  /// The field of the arguments for each operand.
  ///
  /// Pairs, since looking up how a new kind of key is hashed takes longer at the start than all there is to do with them.
  typealias Fields<Arguments> = KeyValuePairs<Operand, PartialKeyPath<Arguments>>

  init<Arguments>(
    _ arguments: Arguments, kernel: NNKernel, fields: Fields<Arguments>, tasks: Int, scratch: Int = 0,
    algorithm: String, work: Int, retaining retained: [AlignedBuffer] = []
  ) {
    let memory = UnsafeMutablePointer<Arguments>.allocate(capacity: 1)
    unsafe memory.initialize(to: arguments)
    unsafe self.arguments = UnsafeMutableRawPointer(memory)
    unsafe self.kernel = unsafe kernel
    self.tasks = tasks
    self.scratch = scratch
    self.algorithm = algorithm
    self.retained = retained
    together = tasks > 1 && work > KernelCall.workWorthSpreading
    var offsets = [Int?](repeating: nil, count: Operand.allCases.count)
    for (operand, field) in fields { offsets[operand.rawValue] = MemoryLayout<Arguments>.offset(of: field) }
    self.offsets = offsets
    unsafe copyArguments = { source in
      let memory = UnsafeMutablePointer<Arguments>.allocate(capacity: 1)
      unsafe memory.initialize(to: source.assumingMemoryBound(to: Arguments.self).pointee)
      return UnsafeMutableRawPointer(memory)
    }
    unsafe release = { unsafe $0.assumingMemoryBound(to: Arguments.self).deallocate() }
  }

  private init(copying call: KernelCall) {
    unsafe kernel = unsafe call.kernel
    (scratch, tasks, algorithm, together) = (call.scratch, call.tasks, call.algorithm, call.together)
    (offsets, retained) = (call.offsets, call.retained)
    unsafe (copyArguments, release) = unsafe (call.copyArguments, call.release)
    unsafe arguments = unsafe call.copyArguments(call.arguments)
  }

  /// The same call to be bound to other memory; packed weights are shared.
  public func copy() -> KernelCall { KernelCall(copying: self) }

  deinit { unsafe release(arguments) }

  /// Below this many operations waking another thread costs more than it saves.
  static let workWorthSpreading = 150_000

  /// Changes the arguments, which are of the type that the call was made with.
  func withArguments<Arguments>(of _: Arguments.Type, _ body: (UnsafeMutablePointer<Arguments>) -> Void) {
    unsafe body(arguments.assumingMemoryBound(to: Arguments.self))
  }

  /// Where an operand lies in memory. It must hold what the call's shape says.
  @unsafe
  public func bind(_ operand: Operand, to pointer: UnsafePointer<Float>?) {
    guard let offset = offsets[operand.rawValue] else { return }
    unsafe arguments.storeBytes(of: pointer, toByteOffset: offset, as: UnsafePointer<Float>?.self)
  }
}

/// Calls in the order in which they run, ready for the thread pool.
@safe
public struct KernelSequence {
  private let calls: [KernelCall]
  private let steps: [NNStep]

  /// The calls in order.
  public init(_ calls: [KernelCall]) {
    self.calls = calls
    unsafe steps = calls.map { call in
      unsafe NNStep(
        kernel: call.kernel, arguments: UnsafeRawPointer(call.arguments), tasks: call.tasks,
        together: call.together ? 1 : 0)
    }
  }

  /// Runs all calls. `scratch` has `stride` floats for each thread of the pool.
  public func run(on pool: ThreadPool?, scratch: AlignedBuffer, stride: Int) {
    unsafe steps.withUnsafeBufferPointer { steps in
      guard let first = steps.baseAddress else { return }
      unsafe nnPoolRun(pool?.pool, first, steps.count, scratch.pointer, stride)
    }
  }

  func repeated(
    _ loop: UnsafeMutablePointer<NNLoop>, times: Int, on pool: ThreadPool?, scratch: AlignedBuffer, stride: Int
  ) -> Int {
    unsafe steps.withUnsafeBufferPointer { steps in
      guard let first = steps.baseAddress else { return 0 }
      return unsafe nnPoolRepeat(pool?.pool, first, steps.count, scratch.pointer, stride, loop, times)
    }
  }

  /// Runs one call.
  public func run(_ index: Int, on pool: ThreadPool?, scratch: AlignedBuffer, stride: Int) {
    var step = unsafe steps[index]
    unsafe nnPoolRun(pool?.pool, &step, 1, scratch.pointer, stride)
  }
}
