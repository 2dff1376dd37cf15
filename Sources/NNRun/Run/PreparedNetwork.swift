public import Diagnostics
import Engine
import Tensors

/// A network made ready for inputs of one shape: it runs on memory of the caller's, again and again, and a float32 model
/// allocates nothing while it does.
///
/// Numbers are float32, in row-major order; a float64 model computes in double precision between them. A prepared
/// network is used by one task at a time.
public final class PreparedNetwork {
  /// The lengths of the inputs' axes, in the order of the model's inputs.
  public let inputShapes: [[Int]]
  /// The lengths of the results' axes, in order.
  public let outputShapes: [[Int]]
  /// How many numbers each input has.
  public let inputCounts: [Int]
  /// How many numbers each result has.
  public let outputCounts: [Int]
  /// The bytes of activations and scratch that a run uses; they are held as long as this lives.
  public let memoryBytes: Int
  /// Nil where there are no rows, and nothing to compute.
  private let executor: Executor?
  private let elementType: ElementType

  init(_ executor: Executor?, inputShapes: [[Int]], outputShapes: [[Int]], elementType: ElementType) {
    self.executor = executor
    self.inputShapes = inputShapes
    self.outputShapes = outputShapes
    self.elementType = elementType
    inputCounts = inputShapes.map { $0.reduce(1, *) }
    outputCounts = outputShapes.map { $0.reduce(1, *) }
    memoryBytes = executor?.arenaBytes ?? 0
  }

  /// Computes the only result of the only input.
  ///
  /// Throws `usage` where the model has several, or the memory holds more or fewer numbers than `inputCounts` and
  /// `outputCounts` say.
  public func run(_ input: Span<Float>, into output: inout MutableSpan<Float>) throws(Failure) {
    guard inputCounts == [input.count], outputCounts == [output.count] else {
      throw Failure(
        .usage,
        "\(input.count) numbers are given and room for \(output.count), but this takes \(inputCounts) and gives "
          + "\(outputCounts)")
    }
    unsafe input.withUnsafeBufferPointer { input in
      unsafe output.withUnsafeMutableBufferPointer { output in
        guard var source = input.baseAddress, var target = output.baseAddress else { return }
        unsafe run(inputs: &source, outputs: &target)
      }
    }
  }

  /// Computes all results: `inputs` points to a pointer for each input, to as many numbers as `inputCounts` says, and
  /// `outputs` likewise.
  @unsafe
  public func run(inputs: UnsafePointer<UnsafePointer<Float>>, outputs: UnsafePointer<UnsafeMutablePointer<Float>>) {
    guard let executor else { return }
    if elementType == .float32 { return unsafe executor.run(inputs: inputs, outputs: outputs) }
    var tensors: [AnyTensor] = []
    for (index, shape) in executor.inputShapes.enumerated() {
      let numbers = unsafe UnsafeBufferPointer(start: inputs[index], count: inputCounts[index])
      tensors.append(.float64(Tensor(shape: shape, elements: unsafe numbers.map { Double($0) })))
    }
    // The shapes are the executor's own, which is all that it could object to.
    guard let results = try? executor.run(tensors) else { return }
    for (index, result) in results.enumerated() {
      let numbers = result.converted(to: Float.self).elements
      for place in numbers.indices { unsafe outputs[index][place] = numbers[place] }
    }
  }
}
