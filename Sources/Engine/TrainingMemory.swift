public import Kernels
public import Tensors

/// What training keeps from step to step: parameters, their gradients, what the update rule remembers, and what a step
/// leaves to be looked at. Plans for different numbers of rows work on one of it.
///
/// One block: the trained parameters one after the other, each on a cache line's boundary, then their gradients and the
/// rule's memories in the same order, so that an update is one pass; then the other parameters.
public final class TrainingMemory {
  /// Where a step leaves its results, as offsets in floats.
  struct Results {
    let losses: Int
    let lossCount: Int
    /// Doubles.
    let metrics: Int
    let metricCount: Int
    let diverged: Int
    let factor: Int
  }

  /// How parameters follow their gradients.
  public let rule: UpdateRule
  /// How many steps were taken.
  public var steps = 0
  /// The bytes that it takes.
  public var bytes: Int { block.count * 4 }
  let block: AlignedBuffer
  let results: Results
  /// The floats of the trained parameters, padding included.
  let trainedCount: Int
  /// Where each parameter begins, by index.
  let offsets: [Int]
  private let shapes: [[Int]]
  private let trained: Set<Int>

  /// Memory for parameters of these shapes, those of `trained` updated by a rule, and for so many losses and metrics.
  ///
  /// Throws `EngineError.outOfMemory`.
  public init(
    shapes: [[Int]], trained: [Int], rule: UpdateRule, losses: Int, metrics: Int
  ) throws(EngineError) {
    func padded(_ count: Int) -> Int { (count + 15) / 16 * 16 }
    self.rule = rule
    self.shapes = shapes
    self.trained = Set(trained)
    var offsets = [Int](repeating: 0, count: shapes.count)
    var end = 0
    for index in trained {
      offsets[index] = end
      end += padded(shapes[index].reduce(1, *))
    }
    trainedCount = end
    end *= 2 + rule.memories
    for index in shapes.indices where !self.trained.contains(index) {
      offsets[index] = end
      end += padded(shapes[index].reduce(1, *))
    }
    self.offsets = offsets
    let metricStart = end + padded(losses)
    let diverged = metricStart + padded(metrics * 2)
    results = Results(
      losses: end, lossCount: losses, metrics: metricStart, metricCount: metrics, diverged: diverged,
      factor: diverged + 16)
    do {
      block = try AlignedBuffer(count: diverged + 32)
    } catch {
      throw .outOfMemory(bytes: error.bytes)
    }
  }

  /// A parameter's values.
  public func parameter(_ index: Int) -> Tensor<Float> { tensor(index, at: offsets[index]) }

  /// Sets a parameter's values.
  public func setParameter(_ index: Int, to values: [Float]) { set(offsets[index], to: values) }

  /// What the rule remembers of a trained parameter, the first or the second thing; empty where there is nothing.
  public func memory(_ which: Int, of index: Int) -> [Float] {
    guard which < rule.memories, trained.contains(index) else { return [] }
    return tensor(index, at: offsets[index] + (2 + which) * trainedCount).elements
  }

  /// Sets what the rule remembers of a trained parameter.
  public func setMemory(_ which: Int, of index: Int, to values: [Float]) {
    guard which < rule.memories, trained.contains(index) else { return }
    set(offsets[index] + (2 + which) * trainedCount, to: values)
  }

  /// The index of the first trained parameter, in the order given, that is not finite.
  public func firstNotFinite(in order: [Int]) -> (parameter: Int, value: Float)? {
    for index in order {
      for value in parameter(index).elements where !value.isFinite { return (index, value) }
    }
    return nil
  }

  func gradient(_ index: Int) -> Int { offsets[index] + trainedCount }

  private func tensor(_ index: Int, at offset: Int) -> Tensor<Float> {
    let count = shapes[index].reduce(1, *)
    let values = unsafe UnsafeBufferPointer(start: block.pointer + offset, count: count)
    return unsafe Tensor(shape: shapes[index], elements: Array(values))
  }

  private func set(_ offset: Int, to values: [Float]) {
    for (place, value) in values.enumerated() { unsafe block.pointer[offset + place] = value }
  }
}
