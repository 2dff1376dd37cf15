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

/// A path of `freeze`: it freezes what is at it or under it; `*` stands for any characters.
struct FreezePattern {
  private let pattern: [UInt8]

  init(_ pattern: String) { self.pattern = Array(pattern.utf8) }

  /// Whether the path, or a path that it lies under, matches.
  func freezes(_ path: String) -> Bool {
    let path = Array(path.utf8)
    let dot = UInt8(ascii: ".")
    for end in 1..<(path.count + 1) where end == path.count || path[end] == dot {
      if matches(path[..<end]) { return true }
    }
    return false
  }

  func matchesAnything(in model: Model) -> Bool {
    model.layers.contains { freezes($0.path) } || !frozenParameters(in: model).isEmpty
  }

  /// The parameters that are frozen in any of their places, by index.
  func frozenParameters(in model: Model) -> Set<Int> {
    var frozen: Set<Int> = []
    for layer in model.layers {
      for index in layer.parameters {
        let parameter = model.parameters[index]
        if freezes("\(layer.path).\(parameter.declaration.name)") || freezes(parameter.path) { frozen.insert(index) }
      }
    }
    return frozen
  }

  /// Wildcard matching that goes back to the last star only, so that no pattern takes long.
  private func matches(_ path: ArraySlice<UInt8>) -> Bool {
    var (place, index) = (path.startIndex, 0)
    var retry: (place: Int, index: Int)?
    while place < path.endIndex {
      if index < pattern.count, pattern[index] == UInt8(ascii: "*") {
        retry = (place, index + 1)
        index += 1
      } else if index < pattern.count, pattern[index] == path[place] {
        place += 1
        index += 1
      } else if let last = retry {
        retry = (last.place + 1, last.index)
        (place, index) = (last.place + 1, last.index)
      } else {
        return false
      }
    }
    return pattern[index...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
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
