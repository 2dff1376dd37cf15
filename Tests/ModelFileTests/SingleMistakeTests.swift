import Diagnostics
import Testing

/// One mistake is one error: nothing that follows from it is said beside it, and nothing is said twice.
@Suite("One mistake is one error")
struct SingleMistakeTests {
  private func model(_ layers: String, more: String = "") -> String {
    "nnrun: 1\ninputs: {x: {shape: [N, 3]}}\n\(more)layers:\n\(layers)\n"
  }

  @Test("an alias of nothing is not a missing key as well")
  func undefinedAlias() {
    expectDiagnostics(model("  - {name: a, type: dense, units: ⟦*u⟧}"), [.undefinedAlias])
  }

  @Test("a block's unknown parameter is not a missing key as well")
  func unknownParameter() {
    expectDiagnostics(
      model(
        "  - {name: s, block: b, repeat: 2}", more: "blocks: {b: {layers: [{name: q, type: dense, units: ⟦$n⟧}]}}\n"),
      [.blockParameter])
  }

  @Test("an unknown parameter is found in a block that nothing uses")
  func unusedBlock() {
    expectDiagnostics(
      model(
        "  - {name: r, type: relu}",
        more: "blocks: {b: {parameters: {units: 2}, layers: [{name: q, type: dense, units: ⟦$unit⟧}]}}\n"),
      [.blockParameter], words: ["did you mean `$units`?"])
  }

  @Test("what is wrong in a repeated block is said once, and outputs in the rest of it are known")
  func repeatedBlock() {
    expectDiagnostics(
      model(
        "  - {name: s, block: b, repeat: 5}",
        more: "outputs: [s.3.q, s.4]\nblocks: {b: {layers: [{name: q, type: relu, input: ⟦y⟧}]}}\n"), [.unknownInput])
  }

  @Test("outputs in a block within the rest of a repeated block are known, too")
  func nestedBlock() {
    expectDiagnostics(
      model(
        "  - {name: s, block: outer, repeat: 3}",
        more: """
          outputs: [s.2.u, s.2.u.i, s.2.n.0.i]
          blocks:
            inner: {layers: [{name: i, type: relu}]}
            outer: {layers: [{name: u, block: inner}, {name: n, block: inner, repeat: 1}, {name: q, type: relu, input: ⟦y⟧}]}

          """), [.unknownInput])
  }

  @Test("a layer without a type is told so, and nothing of what follows from it")
  func noType() { expectDiagnostics(model("  - ⟦{⟧name: a}\n  - {name: b, type: relu}"), [.missingKey]) }

  @Test("a layer with an input's name is not a cycle as well")
  func inputsName() {
    expectDiagnostics(
      model("  - {name: a, type: add, input: [x, x]}\n  - {name: ⟦x⟧, type: relu, input: a}"), [.duplicateName])
  }

  @Test("an output that is an input is told so")
  func outputIsInput() {
    expectDiagnostics(
      model("  - {name: a, type: relu}", more: "outputs: [⟦x⟧]\n"), [.unknownOutput], words: ["`x` is an input"])
  }

  @Test("a weights file of the wrong kind is not opened")
  func weightsFile() {
    expectDiagnostics(model("  - {name: a, type: relu}", more: "weights: ⟦nothing.npy⟧\n"), [.patternMismatch])
  }

  @Test("values that do not tell a size are blamed where they stand")
  func sizeFromValues() {
    expectDiagnostics(
      model("  - {name: a, type: dense, weight: ⟦[1, 2, 3]⟧}"), [.shape],
      words: ["`weight` has the shape [3], which does not tell `units`", "its axes are [units, inputs]"])
  }

  @Test("every number that is not finite is shown")
  func notFinite() {
    expectDiagnostics(
      model("  - {name: a, type: dense, weight: [[1, ⟦.inf⟧, ⟦.nan⟧]], bias: [⟦1e39⟧]}"),
      [.parameterValue, .parameterValue, .parameterValue])
  }
}
