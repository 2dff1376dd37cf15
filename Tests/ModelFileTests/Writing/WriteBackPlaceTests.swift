import Diagnostics
import Files
import Foundation
import Tensors
import TestSupport
import Testing

@testable import ModelFile

private func load(_ folder: TemporaryFolder) throws -> Model {
  try ModelLoader.load(path: folder.path("m.yaml")).valid()
}

private func write(_ arrays: [(key: String, value: AnyTensor)], to name: String, in folder: TemporaryFolder) throws {
  let sink = MemorySink()
  try name.hasSuffix("npz") ? writeNPZ(arrays, to: sink) : writeSafetensors(arrays, to: sink)
  try Data(sink.bytes).write(to: folder.url.appending(path: name))
}

private func tensor(_ shape: [Int], _ elements: [Float]) -> AnyTensor {
  .float32(Tensor(shape: shape, elements: elements))
}

/// What a failure says.
private func message(_ body: () throws -> Void, sourceLocation: SourceLocation = #_sourceLocation) -> String {
  do {
    try body()
    Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    return ""
  } catch {
    return (error as? Failure)?.message ?? "\(error)"
  }
}

/// A model of one dense layer [N, 2] -> [N, 2].
private func dense(_ keys: String, more: String = "") -> String {
  "nnrun: 1\n\(more)inputs: {x: {shape: [N, 2]}}\nlayers:\n  - {name: a, type: dense, units: 2, \(keys)}\n"
}

/// A model of one use of a block with one dense layer, whose parameter `w` is given.
private func block(_ weight: String, units: Int, given: String) -> String {
  """
  nnrun: 1
  inputs: {x: {shape: [N, \(units)]}}
  blocks:
    b: {parameters: {w: 0}, layers: [{name: a, type: dense, units: \(units), bias: false, weight: \(weight)}]}
  layers:
    - {name: u, block: b, with: {w: \(given)}}

  """
}

@Suite("places that values are written to, and where there is none")
struct WriteBackPlaceTests {
  @Test(
    "values take the place of what stood for them",
    arguments: [
      // A promise of a bias.
      ("weight: 1, bias: true", "weight: 1, bias: [5.0, 6.0]", ["a.bias": [5, 6]]),
      // Base64 whose text has escapes.
      (
        #"bias: false, weight: !!binary "AACAPwAAAEAAAEBAAACAQA\x3d=""#,
        "bias: false, weight: !!binary AAAAQAAAAEAAAEBAAACAQA==", ["a.weight": [2, 2, 3, 4]]
      ),
    ] as [(String, String, [String: [Float]])])
  func forms(old: String, new: String, given: [String: [Float]]) throws {
    let folder = try TemporaryFolder()
    try folder.write(dense(old), to: "m.yaml")
    let model = try load(folder)
    try model.requireWritable()
    try model.writeBack(try values(model, given))
    #expect(try folder.text("m.yaml") == dense(new))
    #expect(folder.names == ["m.yaml"])
    let saved = try load(folder)
    #expect(try values(saved, given).allSatisfy { try saved.value(of: $0.key).isIdentical(to: $0.value) })
  }

  @Test(
    "what a block's parameter stands for gives way to the values, where the block is used once",
    arguments: ["$w", "'$w'", "\"$w\""])
  func reference(_ reference: String) throws {
    for (given, written) in [
      ("[[1, 2], [3, 4]]", "[[1.0, 2.0], [3.0, 9.0]]"), ("[&r [1, 2], *r]", "[[1.0, 2.0], [3.0, 9.0]]"),
      ("!!binary AACAPwAAAEAAAEBAAACAQA==", "!!binary AACAPwAAAEAAAEBAAAAQQQ=="), ("0.5", "[[1.0, 2.0], [3.0, 9.0]]"),
    ] {
      let text = { (weight: String) in block(weight, units: 2, given: given) }
      let folder = try TemporaryFolder()
      try folder.write(text(reference), to: "m.yaml")
      let model = try load(folder)
      #expect(try model.writeBack([:]).isEmpty)
      try model.writeBack(try values(model, ["u.a.weight": [1, 2, 3, 9]]))
      #expect(try folder.text("m.yaml") == text(written))
    }
  }

  @Test("a list of one number, or one with a number that a block's parameter stands for, stays a list")
  func referenceInList() throws {
    for reference in ["$w", "'$w'"] {
      for (weight, given, written) in [
        (reference, "[[1]]", "[[2.0]]"), ("[[\(reference)]]", "1", "[[2.0]]"), (reference, "1", "2.0"),
      ] {
        let text = { (weight: String) in block(weight, units: 1, given: given) }
        let folder = try TemporaryFolder()
        try folder.write(text(weight), to: "m.yaml")
        let model = try load(folder)
        try model.writeBack(try values(model, ["u.a.weight": [2]]))
        #expect(try folder.text("m.yaml") == text(written))
      }
    }
  }

  @Test("one number that layers share and that becomes too many is an array that both name")
  func sharedNumber() throws {
    let folder = try TemporaryFolder()
    let text = { (weight: String, other: String, more: String) in
      """
      nnrun: 1\(more)
      inputs: {x: {shape: [N, 65]}}
      layers:
        - {name: a, type: dense, units: 65, bias: false, weight: \(weight)}
        - {name: b, type: dense, units: 65, bias: false, weight: \(other)}

      """
    }
    try folder.write(text("&w 0.5", "*w", ""), to: "m.yaml")
    let model = try load(folder)
    let new = tensor([65, 65], (0..<65 * 65).map(Float.init))
    try model.writeBack([0: new])
    let saved = try load(folder)
    #expect(saved.layers.map(\.parameters) == [[0], [0]])
    #expect(try saved.value(of: 0).isIdentical(to: new))
    #expect(
      try folder.text("m.yaml")
        == text("&w {file: m.safetensors, key: a.weight}", "*w", "\nweights: m.safetensors"))
  }

  @Test("drawn parameters join the weight file that the model names; an array of their name there gives way")
  func joins() throws {
    let folder = try TemporaryFolder()
    try folder.write(dense("weight: {init: ones}, bias: {init: ones}", more: "weights: w.npz\n"), to: "m.yaml")
    try write([("other", tensor([1], [7]))], to: "w.npz", in: folder)
    let model = try load(folder)
    try model.writeBack(try values(model, ["a.weight": [1, 2, 3, 4]]))
    let archive = try #require(try? ArrayFile(FilePath(folder.path("w.npz"))))
    guard case .archive(let found) = archive else {
      Issue.record("no archive")
      return
    }
    #expect(found.keys.sorted() == ["a.bias", "a.weight", "other"])
    #expect(try found.read("a.weight", as: .float32) == tensor([2, 2], [1, 2, 3, 4]))
  }

  @Test("a value that moves into the model's own weight file replaces the array that no parameter took")
  func movesOver() throws {
    let folder = try TemporaryFolder()
    try folder.write(dense("weight: [[1, 2], [3, 4]]", more: "weights: w.npz\n"), to: "m.yaml")
    try write(
      [("a.bias", tensor([2], [7, 8])), ("a.weight", tensor([2, 2], [0, 0, 0, 0]))], to: "w.npz", in: folder)
    let model = try load(folder)
    try model.move(to: .file("w.npz"), try values(model, ["a.bias": [9, 8]]))
    #expect(try folder.text("m.yaml") == dense("", more: "weights: w.npz\n").replacing("2, }", with: "2}"))
    let saved = try load(folder)
    #expect(try saved.value(of: 0) == tensor([2, 2], [1, 2, 3, 4]))
    #expect(try saved.value(of: 1) == tensor([2], [9, 8]))
  }

  @Test("base64 that moves to base64 takes new values in its place")
  func binaryAgain() throws {
    let folder = try TemporaryFolder()
    try folder.write(dense("bias: false, weight: !!binary AACAPwAAAEAAAEBAAACAQA=="), to: "m.yaml")
    let model = try load(folder)
    try model.move(to: .binary, try values(model, ["a.weight": [2, 2, 3, 4]]))
    #expect(try folder.text("m.yaml") == dense("bias: false, weight: !!binary AAAAQAAAAEAAAEBAAACAQA=="))
  }

  @Test("text that has no place for a value is left as it is, and the message names the parameter or the key")
  func noPlace() throws {
    let merged = "x-base: &base {weight: [[1, 2], [3, 4]]}\n"
    let weights = "x-base: &base {weights: w.npz}\n"
    for (text, storage, words) in [
      (dense("<<: *base", more: merged), .file("new.npz"), "no place in"),
      (dense("bias: false", more: weights + "<<: *base\n"), .inline, "the `weights` entry cannot be removed"),
    ] as [(String, ParameterStorage, String)] {
      let folder = try TemporaryFolder()
      try folder.write(text, to: "m.yaml")
      try write([("a.weight", tensor([2, 2], [1, 2, 3, 4]))], to: "w.npz", in: folder)
      let found = message { _ = try load(folder).move(to: storage) }
      #expect(found.contains(words), "\(found)")
      #expect(try folder.text("m.yaml") == text)
      #expect(folder.names == ["m.yaml", "w.npz"])
    }
  }

  @Test("a number in a merged mapping stays while it is one, and has no place as too many")
  func mergedNumber() throws {
    let text = """
      nnrun: 1
      x-base: &base {units: 65, weight: 0.5}
      inputs: {x: {shape: [N, 65]}}
      layers: [{name: a, type: dense, <<: *base, bias: false}]

      """
    let folder = try TemporaryFolder()
    try folder.write(text, to: "m.yaml")
    let model = try load(folder)
    let found = message { _ = try model.requireWritable() }
    #expect(found.contains("no place in") && found.contains("`a.weight`"), "\(found)")
    let tried = message { _ = try model.writeBack([0: tensor([65, 65], (0..<65 * 65).map(Float.init))]) }
    #expect(tried.contains("no place in"), "\(tried)")
    #expect(folder.names == ["m.yaml"])
    try model.writeBack([0: tensor([65, 65], [Float](repeating: 2, count: 65 * 65))])
    #expect(try folder.text("m.yaml") == text.replacing("0.5", with: "2.0"))
  }

  @Test("values that would be nested too deep in the text go into a file")
  func deep() throws {
    // A residual takes two levels for its body; the layer in the innermost stands at depth 3 + 2 * count.
    for (count, isInline) in [(29, true), (30, false)] {
      var layer = "{name: d, type: dense, units: 1, bias: false}"
      for level in 0..<count { layer = "{name: r\(level), type: residual, body: [\(layer)]}" }
      let folder = try TemporaryFolder()
      try folder.write("nnrun: 1\ninputs: {x: {shape: [N, 1]}}\nlayers:\n  - \(layer)\n", to: "m.yaml")
      let model = try load(folder)
      try model.requireWritable()
      try model.writeBack(try values(model, ["\(model.parameters[0].path)": [3]]))
      #expect(try load(folder).value(of: 0) == tensor([1, 1], [3]))
      #expect(folder.names == (isInline ? ["m.yaml"] : ["m.safetensors", "m.yaml"]))
      if isInline { continue }
      let found = message { _ = try load(folder).move(to: .inline) }
      #expect(found.contains("more than 64 lists and mappings"), "\(found)")
      try load(folder).move(to: .binary)
      #expect(try load(folder).value(of: 0) == tensor([1, 1], [3]))
    }
  }

  @Test("a weight file that vanished since the model was read is not made anew without its other arrays")
  func vanished() throws {
    let folder = try TemporaryFolder()
    let text = dense("bias: {init: ones}", more: "weights: w.npz\n")
    try folder.write(text, to: "m.yaml")
    try write([("a.weight", tensor([2, 2], [1, 2, 3, 4]))], to: "w.npz", in: folder)
    let model = try load(folder)
    try FileManager.default.removeItem(atPath: folder.path("w.npz"))
    #expect(message { _ = try model.writeBack([:]) }.contains("w.npz vanished since"))
    #expect(folder.names == ["m.yaml"])
    #expect(try folder.text("m.yaml") == text)
  }

  @Test("files of one name in two folders come beside a copy under two names")
  func copiedNames() throws {
    let folder = try TemporaryFolder()
    for name in ["one", "two", "out"] {
      try FileManager.default.createDirectory(at: folder.url.appending(path: name), withIntermediateDirectories: true)
    }
    try write([("w", tensor([2, 2], [1, 2, 3, 4]))], to: "one/w.npz", in: folder)
    try write([("w", tensor([2], [5, 6]))], to: "two/w.npz", in: folder)
    try folder.write(dense("weight: {file: one/w.npz}, bias: {file: two/w.npz}"), to: "m.yaml")
    try load(folder).writeCopy([:], to: FilePath(folder.path("out/copy.yaml")))
    let copy = try ModelLoader.load(path: folder.path("out/copy.yaml")).valid()
    #expect(try copy.value(of: 0) == tensor([2, 2], [1, 2, 3, 4]))
    #expect(try copy.value(of: 1) == tensor([2], [5, 6]))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path("out")).sorted()
        == ["copy-w-2.npz", "copy-w.npz", "copy.yaml"])
  }

  @Test("a file that a block's parameter names cannot be copied, and the message says what to do")
  func copiedReference() throws {
    let folder = try TemporaryFolder()
    try write([("w", tensor([2, 2], [1, 2, 3, 4]))], to: "w.npz", in: folder)
    try folder.write(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 2]}}
      blocks:
        b: {parameters: {f: w.npz}, layers: [{name: a, type: dense, units: 2, bias: false, weight: {file: $f}}]}
      layers: [{name: u, block: b}]

      """, to: "m.yaml")
    let found = message { _ = try load(folder).writeCopy([:], to: FilePath(folder.path("copy.yaml"))) }
    #expect(found.contains("`$f`") && found.contains("name it in the layer"), "\(found)")
    #expect(folder.names == ["m.yaml", "w.npz"])
  }

  @Test("one array without a name gives no values to a model, and a file elsewhere cannot be its weights")
  func refusedFiles() throws {
    let folder = try TemporaryFolder()
    try folder.write(dense("bias: false"), to: "m.yaml")
    let array = NPYHeader(type: .float32, shape: [2]).bytes + [UInt8](repeating: 0, count: 8)
    try Data(array).write(to: folder.url.appending(path: "w.npy"))
    let model = try load(folder)
    let found = message { _ = try model.values(from: FilePath(folder.path("w.npy")), names: .paths) }
    #expect(found.contains("one array without a name"), "\(found)")
    let own = FilePath(folder.path("m.yaml"))
    #expect(try nameBesideModel(FilePath(folder.path("sub-w.npz")), model: own) == "sub-w.npz")
    #expect(message { _ = try nameBesideModel("/elsewhere/w.npz", model: own) }.contains("not in the folder of"))
  }
}
