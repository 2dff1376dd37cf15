import Graph
import Tensors

/// A deterministic source of numbers (SplitMix64; Steele, Lea and Flood 2014).
struct Numbers {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }

  /// A tensor of numbers between -1.5 and 1.5, no two of them, and none and zero, closer than 1.5 over their number: far
  /// enough from every kink of a rectifier or a maximum for differences to be taken.
  mutating func spread(_ shape: [Int]) -> Tensor<Double> {
    let count = shape.reduce(1, *)
    let shift = count % 2 == 0 ? -1.5 : -1.49
    var elements: [Double] = (0..<count).map { (Double($0) + 0.5) / Double(count) * 3 + shift }
    for place in elements.indices.dropFirst().reversed() {
      elements.swapAt(place, Int(next() % UInt64(place + 1)))
    }
    return Tensor(shape: shape, elements: elements)
  }
}

/// The results of an operation on tensors, its shape rule having agreed with them.
func results(_ operation: some Operation, _ inputs: Tensor<Double>...) throws -> [Tensor<Double>] {
  let shapes = try operation.outputShapes(inputs.map { $0.shape.map { .fixed($0) } })
  let results = operation.evaluate(inputs)
  for (shape, result) in zip(shapes, results) {
    guard shape.sizes == result.shape else {
      throw ShapeError("the shape rule says \(shape), the result is \(result.shape)")
    }
  }
  return results
}

/// A tensor of the numbers 1, 2, 3 and so on.
func counting(_ shape: Int...) -> Tensor<Double> {
  Tensor(shape: shape, elements: (0..<shape.reduce(1, *)).map { Double($0 + 1) })
}

/// A tensor of the given numbers.
func tensor(_ shape: [Int], _ elements: [Double]) -> Tensor<Double> { Tensor(shape: shape, elements: elements) }

/// The largest difference between two tensors of one shape; infinite where the shapes differ.
func distance(_ a: Tensor<Double>, _ b: Tensor<Double>) -> Double {
  guard a.shape == b.shape else { return .infinity }
  return zip(a.elements, b.elements).map { abs($0 - $1) }.max() ?? 0
}
