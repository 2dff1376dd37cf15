import Diagnostics
import Graph
import Layers
import ModelFile
import Tensors
import Testing

/// The model of a text that has no errors.
func model(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> Model {
  let loaded = ModelLoader.load(source: SourceText(name: "model.yaml", bytes: Array(text.utf8)), path: "model.yaml")
  let rendered = DiagnosticRenderer().render(loaded.diagnostics)
  return try #require(loaded.model, "\(rendered)", sourceLocation: sourceLocation)
}

@Suite("A model is what its file says")
struct ModelTests {
  @Test("layers run in topological order whatever the order of the list")
  func anyOrder() throws {
    let model = try model(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 2]}}
      layers:
        - {name: last, type: add, input: [a, b]}
        - {name: b, type: relu, input: a}
        - {name: a, type: tanh, input: x}
      outputs: [last]
      """)
    #expect(model.layers.map(\.path) == ["a", "b", "last"])
    #expect(model.outputs.map(\.name) == ["last"])
  }

  @Test("the default output is the layer listed last, also when it runs first")
  func defaultOutput() throws {
    let model = try model(
      "nnrun: 1\ninputs: {x: {shape: [N, 2]}}\nlayers: [{name: b, type: relu, input: a}, {name: a, type: tanh, input: x}]"
    )
    #expect(model.outputs.map(\.name) == ["a"])
  }

  @Test("repeated blocks are numbered, take each other's values, and their name is the last one's value")
  func repeatedBlocks() throws {
    let model = try model(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 4, 8, 8]}}
      blocks:
        down:
          parameters: {filters: 4, stride: 1}
          layers:
            - {name: c, type: conv2d, filters: $filters, kernel: 3, padding: 1, stride: [$stride, $stride]}
      layers:
        - {name: s, block: down, repeat: 3, with: {filters: 6}, first: {stride: 2}}
        - {name: one, block: down, input: s}
        - {name: out, type: gap, input: one}
      outputs: [s.0.c, s, out]
      """)
    #expect(model.layers.map(\.path) == ["s.0.c", "s.1.c", "s.2.c", "one.c", "out"])
    #expect(
      model.outputs.map { "\($0.name) \($0.shape.text)" } == ["s.0.c [N, 6, 4, 4]", "s [N, 6, 4, 4]", "out [N, 4]"])
    #expect(model.layers[2].sources == [.layer(1)])
  }

  @Test("parameters that reach one node are one parameter under the path of their first place")
  func sharedParameters() throws {
    let model = try model(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 2]}}
      layers:
        - {name: a, type: dense, weight: &w [[1, 2], [3, 4]], bias: false}
        - {name: b, type: dense, weight: *w, bias: false}
        - {name: c, type: dense, weight: [[1, 2], [3, 4]], bias: false}
      """)
    #expect(model.parameters.map(\.path) == ["a.weight", "c.weight"])
    #expect(model.layers.map(\.parameters) == [[0], [0], [1]])
  }

  @Test(
    "values, one number and base64 give the same parameter, in float32 and float64", arguments: ["float32", "float64"])
  func forms(dtype: String) throws {
    let base64 = dtype == "float32" ? "AAAAPwAAAD8=" : "AAAAAAAA4D8AAAAAAADgPw=="
    for form in ["[0.5, 0.5]", "0.5", "!!binary \(base64)", "[!!float 0.5, 5e-1]"] {
      let model = try model(
        """
        nnrun: 1
        dtype: \(dtype)
        inputs: {x: {shape: [N, 1]}}
        layers: [{name: d, type: dense, units: 2, weight: [[1], [2]], bias: \(form)}]
        """)
      let expected: AnyTensor =
        dtype == "float32"
        ? .float32(Tensor(shape: [2], elements: [0.5, 0.5])) : .float64(Tensor(shape: [2], elements: [0.5, 0.5]))
      #expect(try model.value(of: 1) == expected, "\(form)")
    }
  }

  @Test("symbols pass through strided convolutions and meet again")
  func symbols() throws {
    let model = try model(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 2, H, W]}}
      layers:
        - name: r
          type: residual
          body:
            - {name: a, type: conv2d, filters: 2, kernel: 3, stride: 2, padding: 1}
            - {name: b, type: conv2d, filters: 2, kernel: 3, padding: same}
          shortcut: [{name: c, type: conv2d, filters: 2, kernel: 1, stride: 2}]
      """)
    #expect(model.outputs[0].shape.text == "[N, 2, (H+1)/2, (W+1)/2]")
  }

  @Test("what is drawn depends on the seed and the path, not on the other layers")
  func drawing() throws {
    func weight(_ before: String, seed: Int) throws -> AnyTensor {
      let model = try model(
        "nnrun: 1\ninputs: {x: {shape: [N, 3]}}\nlayers:\n\(before)  - {name: d, type: dense, units: 4, input: x}\ntraining: {seed: \(seed)}"
      )
      let index = try #require(model.parameters.firstIndex { $0.path == "d.weight" })
      return try model.value(of: index)
    }
    let other = "  - {name: e, type: dense, units: 7}\n"
    #expect(try weight("", seed: 1) == weight(other, seed: 1))
    #expect(try weight("", seed: 1) != weight("", seed: 2))
  }

  @Test("counts are those of He et al. for a residual network of three stages")
  func parameterCount() throws {
    let model = try model(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 3, 32, 32]}}
      layers:
        - {name: conv, type: conv2d, filters: 16, kernel: 3, padding: 1, bias: false}
        - {name: bn, type: batchnorm}
        - {name: pool, type: gap}
        - {name: scores, type: dense, units: 10}
      """)
    let trained = model.parameters.filter { $0.declaration.role == .trained }.reduce(0) { $0 + $1.count }
    #expect(trained == 432 + 32 + 170)
  }
}
