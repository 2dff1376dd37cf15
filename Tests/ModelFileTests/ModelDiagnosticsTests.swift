import Diagnostics
import ModelFile
import TestSupport
import Testing

/// Expects that a model gives diagnostics of `codes` at its marks, with `words` in the messages and notes; its files are
/// looked for beside `path`.
func expectDiagnostics(
  _ marked: String, _ codes: [DiagnosticCode], words: [String] = [], path: String = "marked.yaml",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let text = MarkedSource(marked)
  let diagnostics = ModelLoader.load(source: text.source, path: path).diagnostics
  let rendered = DiagnosticRenderer().render(diagnostics)
  #expect(diagnostics.map(\.code) == codes, "\(rendered)", sourceLocation: sourceLocation)
  #expect(diagnostics.map(\.place.range) == text.marks, "\(rendered)", sourceLocation: sourceLocation)
  for word in words { #expect(rendered.contains(word), "\(rendered)", sourceLocation: sourceLocation) }
}

/// A model of rank-2 input with the given layers, a line each.
private func dense(_ layers: String, more: String = "") -> String {
  "nnrun: 1\ninputs: {x: {shape: [N, 3]}}\nlayers:\n\(layers)\n\(more)"
}

/// A model of images with the given layers.
private func image(_ layers: String, more: String = "") -> String {
  "nnrun: 1\ninputs: {x: {shape: [N, 4, 8, 8]}}\nlayers:\n\(layers)\n\(more)"
}

@Suite("What is wrong with a model is said where it is wrong")
struct ModelDiagnosticsTests {
  @Test("a body that shrinks its image is blamed at the padding that does it, with the padding that would not")
  func residualShape() {
    expectDiagnostics(
      image(
        """
          - name: block
            type: residual
            body:
              - {name: conv1, type: conv2d, filters: 4, kernel: 3, padding: 1}
              - {name: conv2, type: conv2d, filters: 4, kernel: 3, ⟦padding⟧: 0, bias: false}
        """), [.residualShape],
      words: [
        "error: the body gives [N, 4, 6, 6] but the shortcut gives [N, 4, 8, 8] [residual-shape]",
        "note: padding 1 would keep 8 by 8",
      ])
  }

  @Test("a body with other channels than its shortcut is blamed at its last filters")
  func residualChannels() {
    expectDiagnostics(
      image("  - {name: b, type: residual, body: [{name: c, type: conv2d, kernel: 1, ⟦filters⟧: 6}]}"),
      [.residualShape], words: ["filters: 4 would fit"])
  }

  @Test("a kernel of even size can keep its image by `padding: same` alone")
  func residualEvenKernel() {
    expectDiagnostics(
      image("  - {name: b, type: residual, body: [{name: c, type: conv2d, filters: 4, kernel: ⟦2⟧}]}"),
      [.residualShape], words: ["padding same would keep 8 by 8"])
  }

  @Test("a body without a convolution to blame is blamed as a whole")
  func residualPooling() {
    expectDiagnostics(
      image("  - {name: ⟦b⟧, type: residual, body: [{name: p, type: maxpool, kernel: 2}]}"),
      [.residualShape], words: ["the shortcut is the identity"])
  }

  @Test("the first layer of a model of two inputs says which it takes")
  func firstInput() {
    expectDiagnostics(
      "nnrun: 1\ninputs: {x: {shape: [N, 3]}, y: {shape: [N, 3]}}\nlayers: [{name: ⟦a⟧, type: relu}]",
      [.missingInput], words: ["the model has 2", "add `input:` with one of `x` and `y`"])
  }

  @Test("shapes are shown as the author lays them out")
  func nhwcShapes() {
    expectDiagnostics(
      "nnrun: 1\nlayout: nhwc\ninputs: {x: {shape: [N, 8, 6, 4]}}\nlayers:\n"
        + "  - {name: c, type: conv2d, filters: 2, kernel: 3}\n  - {name: d, type: ⟦dense⟧, units: 2}",
      [.shape], words: ["[N, 6, 4, 2]", "`gap` or `flatten`"])
  }

  @Test(
    "names",
    arguments: [
      (
        "  - {name: first, type: relu}\n  - {name: b, type: relu, input: ⟦frist⟧}", DiagnosticCode.unknownInput,
        "did you mean `first`?"
      ),
      ("  - {name: a, type: relu}\n  - {name: ⟦a⟧, type: relu}", .duplicateName, "the first one is here"),
      ("  - {name: ⟦x⟧, type: relu}", .duplicateName, "is an input's name already"),
      ("  - {name: r, type: residual, body: [{name: a, type: relu, input: ⟦x⟧}]}", .unknownInput, "`outer`"),
      (
        "  - {name: r, type: residual, body: [{name: a, type: relu}], shortcut: [{name: ⟦a⟧, type: relu}]}",
        .duplicateName, "a"
      ),
      ("  - {name: a, type: relu, input: ⟦b⟧}\n  - {name: b, type: relu, input: a}", .cycle, "a -> b -> a"),
    ])
  func names(layers: String, code: DiagnosticCode, words: String) {
    expectDiagnostics(dense(layers), [code], words: [words])
  }

  @Test("a layer that no output needs is a warning, and of a residual only the whole")
  func unused() {
    expectDiagnostics(
      dense("  - {name: ⟦a⟧, type: residual, body: [{name: b, type: relu}]}\n  - {name: c, type: relu, input: x}"),
      [.unusedLayer])
  }

  @Test("an output that is not there is named with what is near")
  func unknownOutput() {
    expectDiagnostics(
      dense("  - {name: first, type: relu}", more: "outputs: [⟦frist⟧]"), [.unknownOutput],
      words: ["did you mean `first`?"])
  }

  @Test(
    "parameters",
    arguments: [
      ("weight: ⟦[[1, 2]]⟧", DiagnosticCode.parameterShape, "[1, 2], but the layer needs [1, 3]"),
      ("weight: [[1, 2, ⟦.inf⟧]]", .parameterValue, "not finite"),
      ("weight: [[1, 2, ⟦1e39⟧]]", .parameterValue, "too large for float32"),
      ("units: 1, weight: ⟦.nan⟧", .parameterValue, "not finite"),
      ("weight: [[1, 2, 3]], bias: ⟦[1, 2]⟧", .parameterShape, "[2], but the layer needs [1]"),
      ("units: ⟦2⟧, weight: [[1, 2, 3]]", .shape, "`units` says 2"),
      ("units: 1, weight: !!binary ⟦AAAA⟧", .parameterShape, "12 bytes, but the base64 holds 3"),
      ("units: 1, weight: !!binary ⟦AAAAAAAAwH8AAAAA⟧", .parameterValue, "index 1 of the base64 is not finite"),
      ("units: 1, weight: !!int ⟦3⟧", .parameterValue, "cannot be tagged `!!int`"),
      ("weight: [[1, !!int ⟦2⟧, 3]]", .parameterValue, "cannot be tagged `!!int`"),
      ("weight: [[1, 2, 3], ⟦[1, 2]⟧]", .parameterShape, "[2], but the ones before it have [3]"),
      ("weight: [[[1], ⟦[2, 3]⟧], [[4], [5]]]", .parameterShape, "[2], but the ones before it have [1]"),
      ("weight: {file: ⟦/etc/x.npy⟧}", .filePath, "absolute"),
      ("weight: {file: ⟦../x.npy⟧}", .filePath, "leaves the folder"),
      ("weight: {file: ⟦nothing-here.npy⟧}", .missingFile, "cannot be read"),
    ])
  func parameters(given: String, code: DiagnosticCode, words: String) {
    expectDiagnostics(dense("  - {name: d, type: dense, \(given)}"), [code], words: [words])
  }

  @Test("one number for two shapes by an alias cannot be one parameter")
  func sharedShapes() {
    expectDiagnostics(
      dense("  - {name: a, type: dense, units: 2, weight: &w 0.5}\n  - {name: b, type: dense, units: 2, weight: ⟦*w⟧}")
        .replacingMarkByAnchor(), [.parameterShape])
  }

  @Test("an error inside a block shows the place in the block and the place of its use")
  func blockUse() {
    let model = """
      nnrun: 1
      inputs: {x: {shape: [N, 4, 8, 8]}}
      blocks:
        down: {parameters: {size: 3}, layers: [{name: c, type: conv2d, filters: 4, kernel: ⟦$size⟧}]}
      layers:
        - {name: a, block: down, with: {size: 9}}
      """
    expectDiagnostics(model, [.shape], words: ["in block `down`, used here", "marked.yaml:6:22"])
  }

  @Test(
    "blocks",
    arguments: [
      ("{name: a, block: ⟦dwon⟧}", DiagnosticCode.unknownBlock, "did you mean `down`?"),
      ("{name: a, block: down, with: {⟦sise⟧: 1}}", .blockParameter, "did you mean `size`?"),
      ("{name: a, type: conv2d, filters: 2, kernel: ⟦$size⟧}", .blockParameter, "not in a block"),
    ])
  func blocks(layer: String, code: DiagnosticCode, words: String) {
    expectDiagnostics(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 4, 8, 8]}}
      blocks:
        down: {parameters: {size: 3}, layers: [{name: c, type: conv2d, filters: 4, kernel: $size}]}
      layers:
        - \(layer)
      """, [code], words: [words])
  }

  @Test("a value that a use gives and that does not fit is said where it stands for something, with the use")
  func blockParameterValue() {
    expectDiagnostics(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 4, 8, 8]}}
      blocks:
        down: {parameters: {size: 3}, layers: [{name: c, type: conv2d, filters: 4, kernel: ⟦$size⟧}]}
      layers:
        - {name: a, block: down, with: {size: big}}
      """, [.wrongType], words: ["in block `down`, used here"])
  }

  @Test("a block that is used twice cannot hold the values of its weights, in whatever form")
  func blockValues() {
    for value in ["⟦[[1, 2, 3]]⟧", "⟦[[1, 2, !!float 3]]⟧", "!!binary ⟦AAAAAAAAAAAAAAAA⟧", "⟦{file: w.npy}⟧"] {
      expectDiagnostics(
        """
        nnrun: 1
        inputs: {x: {shape: [N, 3]}}
        blocks: {b: {layers: [{name: d, type: dense, units: 1, weight: \(value)}]}}
        layers: [{name: u, block: b}, {name: v, block: b, input: x}]
        outputs: [u, v]
        """, [.blockValues], words: ["keep the values in a `weights` file"])
    }
  }

  @Test("a block that uses itself is an error that names the circle")
  func blockCycle() {
    expectDiagnostics(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 4]}}
      blocks:
        a: {layers: [{name: l, block: b}]}
        b: {layers: [{name: l, block: ⟦a⟧}]}
      layers: [{name: l, block: a}]
      """, [.blockCycle], words: ["a -> b -> a"])
  }

  @Test("a newer format is refused with a message that says so, and nothing else")
  func newerFormat() {
    expectDiagnostics("nnrun: ⟦2⟧\nlayers: {x: 1}", [.newerFormat], words: ["formats up to 1"])
  }

  @Test("all errors of a file come at once, in the order of the file, and what follows an error is not blamed for it")
  func allAtOnce() {
    expectDiagnostics(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 4, 8, 8]}}
      layers:
        - {name: a, type: conv2d, filters: 6, kernel: 3, groups: ⟦4⟧}
        - {name: b, type: relu}
        - {name: c, type: gap}
        - {name: d, type: dense, units: 2, input: ⟦z⟧}
        - {name: e, type: dense, units: 2, input: c, bias: [0, ⟦.nan⟧]}
      outputs: [⟦q⟧]
      """, [.shape, .unknownInput, .parameterValue, .unknownOutput])
  }
}

extension String {
  /// The marked text with the mark on an alias moved to what its diagnostic points at: the value of the anchor.
  fileprivate func replacingMarkByAnchor() -> String {
    var text = self
    for (old, new) in [("⟦*w⟧", "*w"), ("&w 0.5", "&w ⟦0.5⟧")] {
      if let range = text.firstRange(of: old) { text.replaceSubrange(range, with: new) }
    }
    return text
  }
}
