import Diagnostics
import Files
import Foundation
import Tensors
import TestSupport
import Testing

@testable import ModelFile

/// A folder of files of arrays: `w.npy`, `two.npz`, `one.safetensors` and some that are not what they should be.
private func arrays() throws -> TemporaryFolder {
  let folder = try TemporaryFolder()
  func save(_ name: String, _ write: (MemorySink) throws -> Void) throws {
    let sink = MemorySink()
    try write(sink)
    try Data(sink.bytes).write(to: folder.url.appending(path: name))
  }
  func tensor(_ shape: [Int], _ elements: [Float]) -> AnyTensor { .float32(Tensor(shape: shape, elements: elements)) }
  let array = NPYHeader(type: .float32, shape: [1, 2]).bytes + [0, 0, 128, 63, 0, 0, 0, 64]
  try Data(array).write(to: folder.url.appending(path: "w.npy"))
  try Data(array).write(to: folder.url.appending(path: "renamed.npz"))
  try folder.write("no array", to: "bad.npy")
  try FileManager.default.createDirectory(
    at: folder.url.appending(path: "folder.npy"), withIntermediateDirectories: true)
  try save("two.npz") {
    try writeNPZ([("weights", tensor([1, 2], [1, 2])), ("d.bias", tensor([1], [3]))], to: $0)
  }
  try save("one.safetensors") { try writeSafetensors([("anything", tensor([1, 2], [1, 2]))], to: $0) }
  try save("infinite.safetensors") {
    try writeSafetensors([("d.weight", tensor([1, 2], [1, .infinity])), ("d.bias", tensor([1], [0]))], to: $0)
  }
  // Complex numbers are kept when a file is written anew, but are no parameter.
  let header = Array(#"{"d.weight":{"dtype":"C64","shape":[1,1],"data_offsets":[0,8]}}"#.utf8)
  let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
  try Data(length + header + [UInt8](repeating: 0, count: 8)).write(
    to: folder.url.appending(path: "complex.safetensors"))
  return folder
}

@Suite("Parameters in files of arrays")
struct ParameterFileTests {
  private func text(_ layer: String, more: String = "") -> String {
    "nnrun: 1\ninputs: {x: {shape: [N, 2]}}\n\(more)layers: [{name: d, type: dense, units: 1, \(layer)}]\n"
  }

  @Test(
    "an array is found by its key, by the parameter's path, or as the only one of its file",
    arguments: ["{file: w.npy}", "{file: two.npz, key: weights}", "{file: one.safetensors}"])
  func found(weight: String) throws {
    let folder = try arrays()
    try folder.write(text("weight: \(weight), bias: {file: two.npz}"), to: "m.yaml")
    let model = try ModelLoader.load(path: folder.path("m.yaml")).valid()
    #expect(try model.value(of: 0) == .float32(Tensor(shape: [1, 2], elements: [1, 2])))
    #expect(try model.value(of: 1) == .float32(Tensor(shape: [1], elements: [3])))
  }

  @Test(
    "what a file does not hold is said where the model names it",
    arguments: [
      ("weight: {file: two.npz, key: ⟦weight⟧}", DiagnosticCode.missingArray, "did you mean `weights`?"),
      ("weight: {file: two.npz, key: ⟦zzz⟧}", .missingArray, "it has `weights` and `d.bias`"),
      ("weight: ⟦{file: two.npz}⟧", .missingArray, "holds 2 arrays, none of them called `d.weight`"),
      ("weight: {file: ⟦bad.npy⟧}", .badFile, "neither a .npy, a .npz nor a .safetensors file"),
      ("weight: {file: ⟦folder.npy⟧}", .missingFile, "it is a folder"),
      ("weight: ⟦{file: complex.safetensors}⟧", .badFile, "C64"),
    ])
  func notFound(layer: String, code: DiagnosticCode, words: String) throws {
    let folder = try arrays()
    // The model has to be there, for the files that it names are looked for in its folder.
    let path = try folder.write("", to: "m.yaml")
    expectDiagnostics(text(layer), [code], words: [words], path: path.description)
  }

  @Test(
    "the model's `weights` file must be an archive whose arrays can be read",
    arguments: [
      ("⟦renamed.npz⟧", "holds one array without a name"), ("⟦complex.safetensors⟧", "C64"),
    ])
  func weights(file: String, words: String) throws {
    let folder = try arrays()
    let path = try folder.write("", to: "m.yaml")
    expectDiagnostics(
      text("bias: false", more: "weights: \(file)\n"), [.badFile], words: [words], path: path.description)
  }

  @Test("numbers that are not finite are an error when they are read, and the diagnostics find them before")
  func notFinite() throws {
    for (model, count) in [
      (text("bias: 0", more: "weights: infinite.safetensors\n"), 1),
      (text("bias: 0, weight: {file: infinite.safetensors, key: d.weight}"), 1), (text("bias: 0, weight: 1"), 0),
    ] {
      let folder = try arrays()
      try folder.write(model, to: "m.yaml")
      let model = try ModelLoader.load(path: folder.path("m.yaml")).valid()
      #expect(model.storedValueDiagnostics.map(\.code) == Array(repeating: .parameterValue, count: count))
      guard count > 0 else { continue }
      let elements = UnsafeMutableBufferPointer<Float>.allocate(capacity: 2)
      defer { unsafe elements.deallocate() }
      for read in [{ _ = try model.value(of: 0) }, { unsafe try model.readValue(of: 0, into: elements) }] {
        do {
          try read()
          Issue.record("infinity was taken")
        } catch {
          #expect((error as? Failure)?.message.contains("is not finite at index 1") ?? false, "\(error)")
        }
      }
    }
  }

  @Test("where missing files are tolerated, a model is known without its values, which cannot be read")
  func tolerated() throws {
    let folder = try TemporaryFolder()
    for model in [
      text("weight: {file: gone.npy}, bias: {file: gone.npz, key: b}"), text("bias: true", more: "weights: gone.npz\n"),
    ] {
      try folder.write(model, to: "m.yaml")
      #expect(throws: Failure.self) { _ = try ModelLoader.load(path: folder.path("m.yaml")).valid() }
      let model = try ModelLoader.load(path: folder.path("m.yaml"), toleratesMissingFiles: true).valid()
      #expect(model.parameters.map(\.shape) == [[1, 2], [1]])
      #expect(model.drawnParameters.isEmpty)
      for index in model.parameters.indices {
        do {
          _ = try model.value(of: index)
          Issue.record("values of nothing")
        } catch {
          #expect(error.kind == .cannotRead && error.message.contains("gone.np"), "\(error.message)")
        }
      }
      #expect(model.storedValueDiagnostics.map(\.code) == [.missingFile, .missingFile])
    }
  }
}
