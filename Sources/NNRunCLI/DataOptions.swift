import ArgumentParser
import Diagnostics
import ModelFile
import Tensors
import Training

/// The arrays that training and evaluation take.
struct DataOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: "An array of inputs (.npy or .npz): PATH, or NAME=PATH again and again, - for standard input.",
    completion: .file(extensions: ["npy", "npz"]))
  var input: [String] = []

  @Option(
    name: .shortAndLong, help: "An array of targets, or of class labels: PATH, or OUTPUT=PATH again and again.",
    completion: .file(extensions: ["npy", "npz"]))
  var target: [String] = []

  /// The arrays, checked against the model.
  func arrays(for model: Model) throws -> TrainingData {
    try Self.arrays(inputs: input, targets: target, for: model, prefix: "--")
  }

  static func arrays(inputs: [String], targets: [String], for model: Model, prefix: String) throws -> TrainingData {
    if inputs.contains("-"), targets.contains("-") { throw ValidationError("standard input can be read only once") }
    let inputArrays = try NamedArrays(
      inputs, names: model.inputs.map(\.name), option: prefix + "input", noun: "input", requiresAll: true)
    let targetArrays = try NamedArrays(
      targets, names: model.outputs.map(\.name), option: prefix + "target", noun: "target", requiresAll: false)
    return try TrainingData(model, inputs: inputArrays.all, targets: targetArrays.byIndex)
  }
}

/// Refuses a number of threads that makes no sense.
func checkThreads(_ threads: Int?) throws {
  if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads is from 1 to 1024, not \(threads)") }
}
