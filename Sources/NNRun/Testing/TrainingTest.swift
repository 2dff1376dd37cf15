import Diagnostics
import ModelFile
import Tensors
import Training
import YAML

extension ModelTest {
  /// Trains a copy of the model in memory and says how losses and parameters differ from what is expected.
  func check(training: Node, threads: Int?) throws(Failure) -> [TestDifference] {
    var configuration = TrainingConfiguration(model)
    if let epochs = training["epochs"]?.integer { configuration.epochs = epochs }
    let inputs = try model.inputs.map { input throws(Failure) -> ArraySource in
      guard let node = training["inputs"]?[input.name] else {
        throw failure("gives no input `\(input.name)` to train on", at: training)
      }
      return ArraySource(name: "input `\(input.name)`", try tensor(node))
    }
    var targets: [Int: ArraySource] = [:]
    for (index, output) in model.outputs.enumerated() {
      guard let node = training["targets"]?[output.name] else { continue }
      targets[index] = try target(node, named: output.name)
    }
    var options = TrainingOptions()
    options.threads = threads
    let data = try TrainingData(model, inputs: inputs, targets: targets)
    let outcome = try Trainer(model, configuration: configuration, data: data, options: options).run()
    return try differences(of: outcome)
  }

  /// A file keeps its type, by which integers are class labels; numbers in the text are values.
  private func target(_ node: Node, named name: String) throws(Failure) -> ArraySource {
    if node["file"] != nil { return try model.array(node) }
    return ArraySource(name: "target `\(name)`", try tensor(node))
  }

  private func differences(of outcome: TrainingOutcome) throws(Failure) -> [TestDifference] {
    var differences: [TestDifference] = []
    if let entry = node.entry("losses"), let expected = AnyTensor(entry.value, elementType: .float64) {
      let losses = Tensor(shape: [outcome.history.count], elements: outcome.history.map(\.loss))
      if let difference = compare(.float64(losses), with: expected, of: entry, in: node) {
        differences.append(difference)
      }
    }
    guard let parameters = node["parameters"] else { return differences }
    for entry in parameters.entries ?? [] where !entry.key.hasPrefix("x-") {
      guard let index = model.parameters.firstIndex(where: { $0.path == entry.key }) else {
        let near = suggestion(for: entry.key, among: model.parameters.map(\.path))
        throw failure(
          "expects a parameter `\(entry.key)`, which is not there" + (near.map { "; did you mean `\($0)`?" } ?? ""),
          at: entry.value)
      }
      let expected = try tensor(entry.value)
      if let difference = compare(outcome.parameters[index], with: expected, of: entry, in: parameters) {
        differences.append(difference)
      }
    }
    return differences
  }
}
