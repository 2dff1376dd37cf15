import Diagnostics
import Testing
import YAML

@testable import ModelFile

@Suite("a model with its blocks written out")
struct ExpandedTextTests {
  private static let text = """
    nnrun: 1   # kept out: comments belong to the text with the blocks
    name: towers
    inputs:
      x: {shape: [N, 4]}
    outputs: [b.0.r.d, top]
    blocks:
      pair:
        parameters: {units: 4, act: relu}
        layers:
          - {name: d, type: dense, units: $units, weight: {init: xavier-normal, seed: 3}}
          - {name: a, type: $act, x-note: "mine: yes"}
          - {name: both, type: add, input: [a, outer]}
      unit:
        layers:
          - {name: r, type: residual, body: [{name: p, block: pair}, {name: d, type: dense, units: 4, bias: 0.5}]}
    layers:
      - {name: shared, type: dense, weight: &w [[1, 2, 3, 4], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]}
      - {name: b, block: unit, repeat: 2}
      - {name: top, type: dense, weight: *w, bias: false}
      - {name: shared-2, type: relu, input: x}
    training:
      optimizer: {type: adam}
      freeze: [b.0, top]
    tests:
      - inputs: {x: [[1, 2, 3, 4]]}
        outputs: {b.1.r: [[0, 0, 0, 0]]}

    """

  @Test("says what it says with blocks, with names that the format takes")
  func text() throws {
    let model = try load(Self.text)
    #expect(
      try model.expandedText() == """
        # The blocks are written out here; where a path led through one, its dots are dashes.
        # Parameters without values are drawn by their paths, so some of these are drawn otherwise.
        nnrun: 1
        name: towers
        inputs:
          x: {shape: [N, 4]}
        layers:
          - {name: shared, type: dense, weight: &shared-1 [[1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]}
          - {name: shared-2, type: relu, input: x}
          - name: b-0-r
            type: residual
            input: shared
            body:
              - {name: p-d, type: dense, units: 4, weight: {init: xavier-normal, seed: 3}}
              - {name: p-a, type: relu, x-note: "mine: yes"}
              - {name: p-both, type: add, input: [p-a, outer]}
              - {name: d, type: dense, units: 4, bias: 0.5}
          - name: b-1-r
            type: residual
            body:
              - {name: p-d, type: dense, units: 4, weight: {init: xavier-normal, seed: 3}}
              - {name: p-a, type: relu, x-note: "mine: yes"}
              - {name: p-both, type: add, input: [p-a, outer]}
              - {name: d, type: dense, units: 4, bias: 0.5}
          - {name: top, type: dense, weight: *shared-1, bias: false}
        outputs: [b-0-r.d, top]
        training:
          optimizer: {type: adam}
          freeze: [b-0-r, top]
        tests:
          - inputs: {x: [[1, 2, 3, 4]]}
            outputs: {b-1-r: [[0, 0, 0, 0]]}

        """)
  }

  @Test("is a model of the same layers, shapes and frozen parameters")
  func sameModel() throws {
    let model = try load(Self.text)
    let expanded = try load(try model.expandedText())
    #expect(expanded.layers.map(\.type) == model.layers.map(\.type))
    #expect(expanded.layers.map(\.sources) == model.layers.map(\.sources))
    #expect(expanded.layers.map(\.parameters) == model.layers.map(\.parameters))
    let frozen = [FreezePattern("b-0-r"), FreezePattern("top")].map { $0.frozenParameters(in: expanded) }
    #expect(frozen == [FreezePattern("b.0"), FreezePattern("top")].map { $0.frozenParameters(in: model) })
  }

  @Test("a name that is taken already gets a number")
  func names() throws {
    let model = try load(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 4]}}
      blocks: {b: {layers: [{name: r, type: relu}]}}
      layers: [{name: s, block: b}, {name: s-r, type: tanh}]

      """)
    #expect(try model.expandedText().contains("  - {name: s-r, type: relu}\n  - {name: s-r-2, type: tanh}\n"))
  }

  private func load(_ text: String) throws -> Model {
    let loaded = ModelLoader.load(source: SourceText(name: "m.yaml", bytes: Array(text.utf8)), path: "m.yaml")
    try #require(
      loaded.diagnostics.allSatisfy { $0.severity == .warning }, "\(DiagnosticRenderer().render(loaded.diagnostics))")
    return try loaded.valid()
  }
}
