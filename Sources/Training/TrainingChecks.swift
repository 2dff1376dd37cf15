public import Diagnostics
import Graph
import Layers
public import ModelFile
import YAML

/// What is wrong with a model's `training` section beyond what the schema says.
public func trainingDiagnostics(of model: Model) -> [Diagnostic] {
  guard let section = model.root["training"] else { return [] }
  let configuration = TrainingConfiguration(model)
  var diagnostics: [Diagnostic] = []
  if let node = section["loss"] {
    for (index, _) in model.outputs.enumerated() {
      guard let problem = problem(of: configuration.loss, forOutput: index, of: model) else { continue }
      diagnostics.append(
        Diagnostic(
          .trainingLoss, problem.message, at: node.place(in: model.source), notes: [DiagnosticNote(problem.hint)]))
      break
    }
  }
  if case .sequence(let nodes)? = section["freeze"]?.content {
    for node in nodes {
      guard let pattern = node.string, !FreezePattern(pattern).matchesAnything(in: model) else { continue }
      let near = suggestion(for: pattern, among: model.layers.map(\.path))
      diagnostics.append(
        Diagnostic(
          .unmatchedFreeze, "`\(pattern)` matches no layer and no parameter", at: node.place(in: model.source),
          notes: [
            DiagnosticNote(
              near.map { "did you mean `\($0)`?" }
                ?? "a path names a layer or a parameter, such as `block.conv1.weight`")
          ]))
    }
  }
  return diagnostics
}

/// Why a loss does not suit an output, and what to do; nil where it does.
func problem(
  of loss: TrainingConfiguration.Loss, forOutput index: Int, of model: Model
) -> (message: String, hint: String)? {
  let output = model.outputs[index]
  let layer = model.layers[output.layer]
  switch loss {
  case .mse: return nil
  case .binaryCrossEntropy:
    if operationBehind(layer, of: model) is Sigmoid { return nil }
    return (
      "the loss `binary-cross-entropy` needs an output that comes from a sigmoid, but `\(output.name)` is a "
        + "`\(layer.type)`",
      "end with a `sigmoid` layer, `dense-sigmoid`, or `dense` with `activation: sigmoid`"
    )
  case .crossEntropy:
    if output.shape.count == 2 { return nil }
    return (
      "the loss `cross-entropy` needs scores of rank 2, a row for each example, but `\(output.name)` is "
        + output.shape.text,
      "`gap` or `flatten` and a `dense` layer give a score for each class"
    )
  }
}

/// The operation that gives a layer's value.
private func operationBehind(_ layer: Model.Layer, of model: Model) -> (any Operation)? {
  model.traceGraph().graph.steps.last { $0.outputs.contains(layer.value) }?.operation
}

extension TrainingConfiguration {
  /// The parameters that training leaves alone, by index. Throws for a path that matches nothing.
  func frozenParameters(of model: Model) throws(Failure) -> Set<Int> {
    var frozen: Set<Int> = []
    for path in freeze {
      let pattern = FreezePattern(path)
      guard pattern.matchesAnything(in: model) else {
        throw Failure(.invalidData, "`freeze`: `\(path)` matches no layer and no parameter of \(model.path)")
      }
      frozen.formUnion(pattern.frozenParameters(in: model))
    }
    return frozen
  }
}
