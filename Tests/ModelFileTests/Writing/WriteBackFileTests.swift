import Diagnostics
import Files
import Foundation
import Tensors
import TestSupport
import Testing
import YAML

@testable import ModelFile

private let frozenModels = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().appending(path: "models/v1")

private let frozenNames =
  ((try? FileManager.default.contentsOfDirectory(atPath: frozenModels.path)) ?? [])
  .filter { $0.hasSuffix(".yaml") }.sorted()

/// A copy of the folder of frozen models.
private func frozenCopy() throws -> TemporaryFolder {
  let folder = try TemporaryFolder()
  try FileManager.default.removeItem(at: folder.url)
  try FileManager.default.copyItem(at: frozenModels, to: folder.url)
  return folder
}

private func load(_ path: String) throws -> Model { try ModelLoader.load(path: path).valid() }

/// New values for every parameter, all different, some of them with long digits or none at all.
private func newValues(_ model: Model) -> [Int: AnyTensor] {
  var state: UInt64 = 7
  func next() -> Double {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    let value = Double(Int64(bitPattern: state) >> 20) / 1e12
    return state >> 60 == 3 ? value.rounded() : state >> 60 == 5 ? value * 1e-20 : value
  }
  return Dictionary(
    uniqueKeysWithValues: model.parameters.enumerated().map { index, parameter in
      let elements = (0..<parameter.count).map { _ in next() }
      switch model.elementType {
      case .float32: return (index, .float32(Tensor(shape: parameter.shape, elements: elements.map { Float($0) })))
      case .float64: return (index, .float64(Tensor(shape: parameter.shape, elements: elements)))
      }
    })
}

/// The bytes of a text around the numbers of its parameters, which are left out.
private func withoutNumbers(_ model: Model) -> [UInt8] {
  var edits = SourceEdits()
  var seen: Set<Int> = []
  for parameter in model.parameters {
    guard case .values(let node) = parameter.origin else { continue }
    node.forEachNumberRange(in: model.source) { range in
      if seen.insert(range.start).inserted { edits.replace(range, with: "") }
    }
  }
  return edits.applied(to: model.source) ?? []
}

/// Whether all parameters stand in the text as lists.
private func isAllLists(_ model: Model) -> Bool {
  model.parameters.allSatisfy { if case .values = $0.origin { true } else { false } }
}

@Suite("models written back to their files")
struct WriteBackFileTests {
  @Test("what is saved is loaded, bit for bit, from every form of storage", arguments: frozenNames)
  func saveAndLoad(name: String) throws {
    let folder = try frozenCopy()
    let before = folder.names
    let model = try load(folder.path(name))
    let used = Set(model.layers.filter(\.isUsed).flatMap(\.parameters))
    let values = newValues(model).filter { used.contains($0.key) }
    try model.writeBack(values)
    let saved = try load(folder.path(name))
    let paths = Dictionary(uniqueKeysWithValues: saved.parameters.enumerated().map { ($1.path, $0) })
    for (index, value) in values {
      let parameter = model.parameters[index]
      let new = try saved.value(of: try #require(paths[parameter.path]))
      // An array in a file keeps its own type, which may be the narrower one.
      if model.elementType == .float64, parameter.array?.type == .float32 {
        #expect(new.converted(to: Float.self).elements == value.converted(to: Float.self).elements)
      } else {
        #expect(new.isIdentical(to: value), "\(parameter.path)")
      }
    }
    #expect(saved.drawnParameters.isEmpty)
    // Nothing lies beside the model but a weight file that it names.
    let added = folder.names.filter { !before.contains($0) }
    #expect(added.isEmpty || (added.count == 1 && saved.root["weights"]?.string == added[0]), "\(added)")
    if isAllLists(model) { #expect(withoutNumbers(model) == withoutNumbers(saved)) }
  }

  @Test("a model that did not change is saved to the same bytes", arguments: frozenNames)
  func unchanged(name: String) throws {
    let folder = try frozenCopy()
    let model = try load(folder.path(name))
    guard model.drawnParameters.isEmpty else { return }
    var values: [Int: AnyTensor] = [:]
    for index in model.parameters.indices { values[index] = try model.value(of: index) }
    #expect(try model.writeBack(values).isEmpty)
    #expect(try folder.bytes(name) == Data(contentsOf: frozenModels.appending(path: name)))
    #expect(try load(folder.path(name)).parameters.count == model.parameters.count)
  }

  @Test("a copy has the new values, its own weight files, and leaves the source alone", arguments: frozenNames)
  func copy(name: String) throws {
    let folder = try frozenCopy()
    let model = try load(folder.path(name))
    let values = newValues(model)
    try FileManager.default.createDirectory(at: folder.url.appending(path: "out"), withIntermediateDirectories: true)
    let output = folder.path("out/copy.yaml")
    try model.writeCopy(values, to: FilePath(output))
    let saved = try load(output)
    for (index, value) in values where model.parameters[index].array?.type != .float32 {
      guard let new = saved.parameters.firstIndex(where: { $0.path == model.parameters[index].path }) else { continue }
      if case .drawn = saved.parameters[new].origin { continue }
      #expect(try saved.value(of: new).isIdentical(to: value), "\(model.parameters[index].path)")
    }
    #expect(saved.drawnParameters.isEmpty)
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path("out"))
    #expect(files.allSatisfy { $0.hasPrefix("copy") }, "\(files)")
    #expect(try folder.bytes(name) == Data(contentsOf: frozenModels.appending(path: name)))
    #expect(throws: Failure.self) { try model.writeCopy(values, to: FilePath(output)) }
    try model.writeCopy(values, to: FilePath(output), replacing: true)
  }

  private static let small = """
    nnrun: 1
    inputs: {x: {shape: [N, 2]}}
    layers:
      - {name: a, type: dense, bias: false, weight: [[1, 2]]}

    """

  @Test("a file that changed since it was read is left alone, and the new version lies beside it")
  func changedMeanwhile() throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.small, to: "m.yaml")
    let model = try load(folder.path("m.yaml"))
    try folder.write(Self.small + "# edited\n", to: "m.yaml")
    do {
      try model.writeBack([0: .float32(Tensor(shape: [1, 2], elements: [3, 4]))])
      Issue.record("it was overwritten")
    } catch {
      #expect(error.kind == .busy)
    }
    #expect(try folder.text("m.yaml") == Self.small + "# edited\n")
    #expect(try folder.text("m.yaml.new") == Self.small.replacing("[[1, 2]]", with: "[[3.0, 4.0]]"))
  }

  @Test("a model reached by a link is written where it is, and its weight file beside it")
  func link() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(at: folder.url.appending(path: "real"), withIntermediateDirectories: true)
    let text = "nnrun: 1\ninputs: {x: {shape: [N, 100]}}\nlayers: [{name: a, type: dense, units: 50}]\n"
    try folder.write(text, to: "real/m.yaml")
    try FileManager.default.createSymbolicLink(atPath: folder.path("link.yaml"), withDestinationPath: "real/m.yaml")
    let model = try load(folder.path("link.yaml"))
    try model.requireWritable()
    try model.writeBack([:])
    #expect(folder.names == ["link.yaml", "real"])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path("real")).sorted() == ["m.safetensors", "m.yaml"])
    #expect(try folder.text("real/m.yaml") == text.replacing("nnrun: 1", with: "nnrun: 1\nweights: m.safetensors"))
    #expect(try load(folder.path("link.yaml")).drawnParameters.isEmpty)
  }

  @Test("a weight file that would be overwritten is found before training")
  func weightFileThere() throws {
    let folder = try TemporaryFolder()
    try folder.write(
      "nnrun: 1\ninputs: {x: {shape: [N, 100]}}\nlayers: [{name: a, type: dense, units: 50}]\n", to: "m.yaml")
    try folder.write("mine", to: "m.safetensors")
    let model = try load(folder.path("m.yaml"))
    for attempt in [{ try model.requireWritable() }, { _ = try model.writeBack([:]) }] {
      do {
        try attempt()
        Issue.record("it was overwritten")
      } catch {
        #expect((error as? Failure)?.kind == .cannotCreate)
      }
    }
    #expect(try folder.text("m.safetensors") == "mine")
    #expect(folder.names == ["m.safetensors", "m.yaml"])
  }
}
