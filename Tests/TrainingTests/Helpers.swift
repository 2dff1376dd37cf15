import Diagnostics
import Files
import Foundation
import ModelFile
import Tensors
import Testing

@testable import Training

/// A model from its text; its folder is one that does not exist.
func model(_ text: String) throws -> Model {
  try ModelLoader.load(source: SourceText(name: "model.yaml", bytes: Array(text.utf8)), path: "/nowhere/model.yaml")
    .valid()
}

/// An array in memory.
func source(_ shape: [Int], _ elements: [Double], name: String = "x.npy") -> ArraySource {
  ArraySource(name: name, .float64(Tensor(shape: shape, elements: elements)))
}

/// Numbers that the PyTorch script makes too.
func wave(_ shape: [Int], _ phase: Double, scale: Double = 1) -> [Double] {
  (0..<shape.reduce(1, *)).map { sin(1.7 * Double($0) + phase) * scale }
}

/// Class labels as a `.npy` file holds them.
func labels(_ values: [Int]) throws -> ArraySource {
  var header = "{'descr': '<i8', 'fortran_order': False, 'shape': (\(values.count),), }"
  while (10 + header.utf8.count + 1) % 64 != 0 { header += " " }
  let length = header.utf8.count + 1
  var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 255), UInt8(length >> 8)]
  bytes += Array(header.utf8) + [0x0A]
  for value in values { bytes += (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
  guard case .array(let source) = try ArrayFile(InputFile(name: "labels.npy", bytes: bytes), suffix: "npy") else {
    throw Failure(.invalidData, "no array")
  }
  return source
}

/// A value in double precision.
func doubles(_ tensor: AnyTensor) -> [Double] { tensor.converted(to: Double.self).elements }

/// The largest difference of two lists, relative to the larger number or one.
func distance(_ a: [Double], _ b: [Double]) -> Double {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).map { abs($0 - $1) / max(1, abs($1)) }.max() ?? 0
}

/// A list as YAML.
func yaml(_ values: [Double]) -> String { "[" + values.map { "\($0)" }.joined(separator: ", ") + "]" }

/// Nested lists as YAML.
func yaml(_ shape: [Int], _ values: [Double]) -> String {
  guard shape.count > 1 else { return yaml(values) }
  let size = values.count / shape[0]
  let rows = (0..<shape[0]).map { yaml(Array(shape.dropFirst()), Array(values[$0 * size..<($0 + 1) * size])) }
  return "[" + rows.joined(separator: ", ") + "]"
}

extension Model {
  /// The value of a parameter in an outcome, by path.
  func value(_ path: String, in outcome: TrainingOutcome) throws -> [Double] {
    doubles(outcome.parameters[try #require(parameters.firstIndex { $0.path == path })])
  }
}

/// Trains a model as its section says, changed by `change`, on rows for its inputs and its first output.
func train(
  _ model: Model, _ inputs: ArraySource..., target: ArraySource, options: TrainingOptions = .init(),
  change: (inout TrainingConfiguration) -> Void = { _ in }
) throws -> TrainingOutcome {
  var configuration = TrainingConfiguration(model)
  change(&configuration)
  let data = try TrainingData(model, inputs: inputs, targets: [0: target])
  return try Trainer(model, configuration: configuration, data: data, options: options).run()
}
