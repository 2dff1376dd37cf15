import ArgumentParser
import Diagnostics
import Tensors

/// The forms of `--output`, told by the suffix.
enum ResultFormat {
  case npy(String)
  case npz(String)
  case json(String)
  case csv(String)

  /// The form that a path asks for; `-` is `.npy` on standard output. Throws where the suffix is not known.
  init(path: String) throws {
    if path == "-" || path.hasSuffix(".npy") {
      self = .npy(path)
    } else if path.hasSuffix(".npz") {
      self = .npz(path)
    } else if path.hasSuffix(".json") {
      self = .json(path)
    } else if path.hasSuffix(".csv") {
      self = .csv(path)
    } else {
      throw ValidationError("--output `\(printable(path))` ends in none of .npy, .npz, .json and .csv")
    }
  }

  /// Throws where so many outputs cannot be written in this form.
  func check(outputs: Int) throws {
    if case .npy(let path) = self, outputs > 1 {
      throw ValidationError(
        "a .npy file holds one array, but the model has \(outputs) outputs; \(path == "-" ? "name a .npz file" : "end --output in .npz")"
      )
    }
  }
}

/// Lays the batches of each result together.
struct GatheredResults {
  let descriptions: [ResultDescription]
  private var batches: [[AnyTensor]] = []

  init(_ descriptions: [ResultDescription]) { self.descriptions = descriptions }

  mutating func append(_ tensors: [AnyTensor]) { batches.append(tensors) }

  /// The whole results.
  var tensors: [AnyTensor] {
    if batches.count == 1 { return batches[0] }
    return descriptions.enumerated().map { index, description in
      switch batches.first?[index] {
      case .float64: .float64(joined(index, description.shape))
      default: .float32(joined(index, description.shape))
      }
    }
  }

  private func joined<Scalar: TensorScalar>(_ index: Int, _ shape: [Int]) -> Tensor<Scalar> {
    var elements: [Scalar] = []
    elements.reserveCapacity(shape.reduce(1, *))
    for batch in batches { elements += batch[index].converted(to: Scalar.self).elements }
    return Tensor(shape: shape, elements: elements)
  }
}
