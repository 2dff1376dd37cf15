import Diagnostics
import Files
import Foundation
import Tensors
import TestSupport
import Testing

@testable import ModelFile

private let frozenModels = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().appending(path: "models/v1")

private let frozenNames =
  ((try? FileManager.default.contentsOfDirectory(atPath: frozenModels.path)) ?? [])
  .filter { $0.hasSuffix(".yaml") }.sorted()

private func load(_ folder: TemporaryFolder, _ name: String = "m.yaml") throws -> Model {
  try ModelLoader.load(path: folder.path(name)).valid()
}

/// The values of all parameters that an output needs, by their paths.
private func values(_ model: Model) throws -> [String: AnyTensor] {
  let used = Set(model.layers.filter(\.isUsed).flatMap(\.parameters))
  return Dictionary(uniqueKeysWithValues: try used.map { (model.parameters[$0].path, try model.value(of: $0)) })
}

@Suite("parameters move between forms of storage")
struct StorageMoveTests {
  @Test("nothing is lost on the way", arguments: frozenNames)
  func lossless(name: String) throws {
    for storage in [.file("moved.safetensors"), .file("moved.npz"), .binary, .inline] as [ParameterStorage] {
      let folder = try TemporaryFolder()
      try FileManager.default.removeItem(at: folder.url)
      try FileManager.default.copyItem(at: frozenModels, to: folder.url)
      let model = try load(folder, name)
      do {
        try model.move(to: storage)
      } catch {
        // Only what has no text of its own cannot move into the text, and then nothing moves.
        #expect(storage == .inline || storage == .binary, "\(error.message)")
        #expect(error.message.contains("cannot be kept in the text"), "\(error.message)")
        #expect(try folder.bytes(name) == Data(contentsOf: frozenModels.appending(path: name)))
        continue
      }
      let (old, new) = (try values(model), try values(try load(folder, name)))
      #expect(Set(old.keys) == Set(new.keys))
      for (path, value) in old { #expect(new[path]?.isIdentical(to: value) ?? false, "\(path) to \(storage)") }
    }
  }

  private static let text = """
    nnrun: 1  # the format
    inputs: {x: {shape: [N, 1, 2, 2]}}
    layers:
      - name: conv   # first
        type: conv2d
        # the kernel
        weight:
          - [[[1, 2]]]   # one row
        bias: [0.5]
      - {name: flat, type: flatten}
      - {name: out, type: dense, weight: [[1, 2]], bias: 0.25} # last

    """

  @Test("into a file: the values leave the text, the comments stay, and sizes take the place of shapes")
  func intoFile() throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.text, to: "m.yaml")
    try load(folder).move(to: .file("w.safetensors"))
    #expect(
      try folder.text("m.yaml") == """
        nnrun: 1  # the format
        weights: w.safetensors
        inputs: {x: {shape: [N, 1, 2, 2]}}
        layers:
          - name: conv   # first
            type: conv2d
            filters: 1
            kernel: [1, 2]
            # the kernel
            # one row
          - {name: flat, type: flatten}
          - {name: out, type: dense, units: 1} # last

        """)
    #expect(throws: Failure.self) { try load(folder).move(to: .file("m.yaml")) }
  }

  @Test("and back into the text: the file's entry goes, and the numbers are where they belong")
  func intoText() throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.text, to: "m.yaml")
    try load(folder).move(to: .file("w.npz"))
    try load(folder).move(to: .inline)
    #expect(
      try folder.text("m.yaml") == """
        nnrun: 1  # the format
        inputs: {x: {shape: [N, 1, 2, 2]}}
        layers:
          - name: conv   # first
            type: conv2d
            filters: 1
            kernel: [1, 2]
            weight: [[[[1.0, 2.0]]]]
            bias: [0.5]
            # the kernel
            # one row
          - {name: flat, type: flatten}
          - {name: out, type: dense, units: 1, weight: [[1.0, 2.0]], bias: [0.25]} # last

        """)
  }

  @Test("comments among the numbers stay when another form takes their place")
  func commentsAmongNumbers() throws {
    let folder = try TemporaryFolder()
    try folder.write(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 2]}}
      layers:
        - name: a
          type: dense
          weight: [[1, 2], # one
                   [3, 4]]  # two
          bias: [0, 1] # three
        - {name: b, type: dense, units: 1, weight: [ # four
            [1, 2]], bias: false}

      """, to: "m.yaml")
    try load(folder).move(to: .binary)
    #expect(
      try folder.text("m.yaml") == """
        nnrun: 1
        inputs: {x: {shape: [N, 2]}}
        layers:
          - name: a
            type: dense
            units: 2
            weight: !!binary AACAPwAAAEAAAEBAAACAQA== # one  # two
            bias: !!binary AAAAAAAAgD8= # three
          - {name: b, type: dense, units: 1, weight: !!binary AACAPwAAAEA= # four
              , bias: false}

        """)
    try load(folder).move(to: .inline)
    #expect(try folder.text("m.yaml").contains("weight: [[1.0, 2.0], [3.0, 4.0]] # one  # two"))
  }

  @Test("a state dict of other names is matched by kind and order, in natural order, where every shape agrees")
  func matchedByOrder() throws {
    let folder = try TemporaryFolder()
    try folder.write(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 2]}}
      blocks: {b: {layers: [{name: d, type: dense, units: 2, bias: false}]}}
      layers: [{name: s, block: b, repeat: 3}, {name: n, type: batchnorm}]

      """, to: "m.yaml")
    func write(_ arrays: [(String, [Int])]) throws {
      let sink = MemorySink()
      let tensors = arrays.enumerated().map { index, array in
        (array.0, AnyTensor.float32(Tensor(shape: array.1, repeating: Float(index))))
      }
      try writeSafetensors(tensors, to: sink)
      try Data(sink.bytes).write(to: folder.url.appending(path: "torch.safetensors"))
    }
    let source = FilePath(folder.path("torch.safetensors"))
    let norm = ["weight", "bias", "running_mean", "running_var"].map { ("bn.\($0)", [2]) }
    try write([("fc.10.weight", [2, 2]), ("fc.2.weight", [2, 2]), ("fc.9.weight", [2, 2])] + norm)
    let model = try load(folder)
    let found = try model.values(from: source, names: .pytorch)
    #expect(found.matches.map(\.module) == ["fc.2", "fc.9", "fc.10", "bn"])
    #expect(found.matches.map(\.layer) == ["s.0.d", "s.1.d", "s.2.d", "n"])
    #expect((0..<3).map { found.values[$0]?.converted(to: Double.self).elements[0] } == [1, 2, 0])
    // One shape that does not agree, and the names are what counts again.
    try write([("fc.10.weight", [2, 3]), ("fc.2.weight", [2, 2]), ("fc.9.weight", [2, 2])] + norm)
    #expect(throws: Failure.self) { _ = try model.values(from: source, names: .pytorch) }
  }

  @Test("values from a file named as PyTorch names them, and every misfit listed")
  func fromFile() throws {
    let folder = try TemporaryFolder()
    try folder.write(
      "nnrun: 1\ninputs: {x: {shape: [N, 2]}}\nlayers:\n  - {name: fc, type: dense, units: 1, bias: false}\n  - {name: bn, type: batchnorm}\n",
      to: "m.yaml")
    func write(_ arrays: [(String, [Int], [Float])]) throws {
      let sink = MemorySink()
      try writeSafetensors(arrays.map { ($0.0, .float32(Tensor(shape: $0.1, elements: $0.2))) }, to: sink)
      try Data(sink.bytes).write(to: folder.url.appending(path: "torch.safetensors"))
    }
    try write([
      ("fc.weight", [1, 2], [3, 4]), ("bn.weight", [1], [5]), ("bn.bias", [1], [6]), ("bn.running_mean", [1], [7]),
      ("bn.running_var", [1], [8]), ("bn.num_batches_tracked", [], [9]),
    ])
    let model = try load(folder)
    let source = FilePath(folder.path("torch.safetensors"))
    try model.writeBack(try model.values(from: source, names: .pytorch).values)
    #expect(
      try folder.text("m.yaml")
        == "nnrun: 1\ninputs: {x: {shape: [N, 2]}}\nlayers:\n  - {name: fc, type: dense, units: 1, bias: false, weight: [[3.0, 4.0]]}\n  - {name: bn, type: batchnorm, gamma: [5.0], beta: [6.0], mean: [7.0], variance: [8.0]}\n"
    )
    try write([("fc.weights", [1, 2], [3, 4]), ("bn.gamma", [2], [5, 5]), ("bn.beta", [1], [.infinity])])
    do {
      _ = try load(folder).values(from: source, names: .paths)
      Issue.record("the misfits were taken")
    } catch {
      for words in [
        "no array `fc.weight` for `fc.weight`; did you mean `fc.weights`?", "`bn.gamma` has the shape [2]",
        "`bn.beta` is not finite at index 0", "no array `bn.mean`", "no parameter takes the array `fc.weights`",
      ] { #expect((error as? Failure)?.message.contains(words) ?? false, "\(words)") }
    }
  }
}
