package import Diagnostics
package import ModelFile
import Tensors
import YAML

/// What is wrong with a model's `tests` beyond what the schema says: names of nothing, inputs that are not given, arrays
/// that are ragged or not there.
package func testDiagnostics(of model: Model) -> [Diagnostic] {
  guard case .sequence(let tests)? = model.root["tests"]?.content else { return [] }
  var checks = TestChecks(model: model)
  for test in tests { checks.check(test) }
  return checks.diagnostics
}

/// Gathers what is wrong with tests.
private struct TestChecks {
  let model: Model
  private(set) var diagnostics: [Diagnostic] = []

  init(model: Model) { self.model = model }

  mutating func check(_ test: Node) {
    let inputs = model.inputs.map(\.name)
    let run = model.layers.filter(\.isUsed).map(\.path)
    if let outputs = test["outputs"] {
      check(test["inputs"], in: test, names: inputs, noun: "input", needsAll: true)
      check(outputs, in: test, names: run + model.outputs.map(\.name).filter { !run.contains($0) }, noun: "layer")
    }
    if let train = test["train"] {
      check(train["inputs"], in: train, names: inputs, noun: "input", needsAll: true)
      check(train["targets"], in: train, names: model.outputs.map(\.name), noun: "output")
    }
    if let parameters = test["parameters"] {
      check(parameters, in: test, names: model.parameters.map(\.path), noun: "parameter")
    }
  }

  /// Checks a mapping from names to arrays. `owner` is what it stands in.
  private mutating func check(
    _ mapping: Node?, in owner: Node, names: [String], noun: String, needsAll: Bool = false
  ) {
    let entries = (mapping?.entries ?? []).filter { !$0.key.hasPrefix("x-") }
    for entry in entries {
      if !names.contains(entry.key) {
        let near = suggestion(for: entry.key, among: names)
        let known = names.prefix(12).map { "`\($0)`" }.joined(separator: ", ")
        diagnostics.append(
          Diagnostic(
            .testName, "the model has no \(noun) `\(printable(entry.key))`",
            at: SourcePlace(source: model.source, range: entry.keyRange),
            notes: [
              DiagnosticNote(
                near.map { "did you mean `\($0)`?" } ?? "it has \(known)\(names.count > 12 ? " and more" : "")")
            ]))
      }
      checkArray(entry.value)
    }
    // An input that is misnamed is not missing as well.
    guard needsAll, entries.allSatisfy({ names.contains($0.key) }) else { return }
    for name in names where !entries.contains(where: { $0.key == name }) {
      diagnostics.append(
        Diagnostic(
          .testName, "the test gives no input `\(name)`", at: (mapping ?? owner).place(in: model.source),
          notes: [DiagnosticNote("every input of the model is needed")]))
    }
  }

  private mutating func checkArray(_ node: Node) {
    if node["file"] != nil {
      do throws(Failure) {
        _ = try model.array(node)
      } catch {
        diagnostics += error.diagnostics
      }
    } else if AnyTensor(node, elementType: model.elementType) == nil {
      diagnostics.append(
        Diagnostic(
          .shape, "the lists of numbers are ragged", at: node.place(in: model.source),
          notes: [DiagnosticNote("lists within a list are of one length")]))
    }
  }
}
