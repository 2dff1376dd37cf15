package import Communication
package import Engine
public import Tensors

/// What a benchmark measures.
public struct BenchmarkOptions: Sendable {
  /// The rows of a call or a step: by default those of `inputs`, else one, else those of the model's `training` section.
  public var batchSize: Int?
  /// The number of threads; by default one for each core.
  public var threads: Int?
  /// Whether a training step is measured (forward, backward, update), and not a run.
  public var trains = false
  /// The sizes of the inputs' symbols other than the batch.
  public var sizes: [String: Int] = [:]
  /// An array for each of the model's inputs; by default random numbers.
  public var inputs: [ArraySource]?
  /// Targets for outputs, by index; by default random ones that suit the loss.
  public var targets: [Int: ArraySource] = [:]
  /// The seed of random data.
  public var seed: UInt64 = 0
  /// The ranks that share a training step; all of them measure together.
  package var communicator: Communicator?
  /// How they add up what each has.
  package var sums = BatchShare.Sums.ofPieces

  /// The defaults.
  public init() {}
}
