/// What an executor does at every run, for tables of layers and profiles.
public struct PlanStep: Sendable {
  /// The path of the layer that it computes, the last one where several are fused.
  public let label: String
  /// The operations that it computes, the fused ones joined by `+`.
  public let operations: String
  /// How it is computed.
  public let algorithm: String
  /// The multiply-adds of its convolution or matrix product, counted as a direct computation does.
  public let multiplyAdds: Int
  /// The shape of what it computes.
  public let shape: [Int]
  /// The bytes that it reads and writes at least: its operands, its weights and its results, each once.
  public internal(set) var bytes = 0

  /// The step over `parts` parts of a batch.
  func times(_ parts: Int) -> PlanStep {
    PlanStep(
      label: label, operations: operations, algorithm: algorithm, multiplyAdds: multiplyAdds * parts,
      shape: shape.isEmpty ? shape : [shape[0] * parts] + shape.dropFirst(), bytes: bytes * parts)
  }
}

/// A block of memory that steps read and write.
struct Buffer {
  /// Where it lies.
  enum Place: Equatable {
    /// In the executor's own block of memory.
    case arena
    /// Given by the caller: an input.
    case input(Int)
    /// Given by the caller: an output.
    case output(Int)
    /// In memory that outlives the executor, so many floats from its start.
    case lasting(Int)
  }
  let count: Int
  let place: Place
}

/// A buffer's number.
struct BufferID: Hashable {
  let index: Int
}
