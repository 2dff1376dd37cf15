import Foundation
import NNRun
import Testing

/// What a program does that has nothing but `import NNRun`.
@Suite("The library")
struct LibraryTests {
  static let neuron = """
    nnrun: 1
    inputs: {x: {shape: [N, 2]}}
    layers:
      - {name: out, type: dense-sigmoid, weight: [[0.1, -0.2]], bias: [0]}   # to be trained
    training: {learning-rate: 0.1, batch-size: full, epochs: 2}

    """

  static let sum = """
    nnrun: 1
    inputs: {a: {shape: [N, 2]}, b: {shape: [N, 2]}}
    layers: [{name: total, type: add, input: [a, b]}, {name: positive, type: relu}]
    outputs: [total, positive]

    """

  static let rows = Tensor<Float>([[1, 2], [2, 1], [-1, -2]])
  static let targets = Tensor<Float>([[1], [0], [0]])

  /// Calls `body` with the path of a model file in a folder of its own.
  private func withFile<Result>(_ text: String, _ body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "library-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "model.yaml")
    try Data(text.utf8).write(to: file)
    return try body(file.path)
  }

  private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

  @Test("a model is loaded, trained, saved and run in ten lines")
  func tenLines() throws {
    try withFile(Self.neuron) { path in
      let model = try Model(path: path)
      let data = try TrainingData(model, input: .values(Self.rows), target: .values(Self.targets))
      var losses: [Double] = []
      let outcome = try model.train(on: data) { event in
        if case .epoch(let record) = event { losses.append(record.loss) }
      }
      let saved = try outcome.model.save()
      let scores = try Network(saved).run(Self.rows)

      #expect(losses == outcome.history.map(\.loss) && losses.count == 2 && losses[1] < losses[0])
      #expect(scores == (try Network(outcome.model).run(Self.rows)))
      #expect(scores != (try Network(model).run(Self.rows)))
      #expect(try text(path).contains("# to be trained"))
      #expect(try Model(path: path).values(of: "out.weight") == outcome.model.values(of: "out.weight"))
    }
  }

  @Test("a model tells of its inputs, outputs, layers and parameters")
  func inspection() throws {
    let model = try Model(text: Self.neuron)
    #expect(model.inputs.map(\.name) == ["x"] && model.inputs[0].shape == [.symbol("N"), .fixed(2)])
    #expect(model.outputs.map(\.name) == ["out"] && model.outputs[0].shape.map(\.value) == [nil, 1])
    #expect(model.layers.map(\.type) == ["dense-sigmoid"])
    #expect(model.parameters.map(\.path) == ["out.weight", "out.bias"])
    #expect(model.parameters.allSatisfy(\.isTrained) && model.parameters[0].shape == [1, 2])
    #expect(model.warnings.isEmpty && model.drawnParameters.isEmpty)
  }

  @Test("what is wrong in a model is thrown as diagnostics with places")
  func diagnostics() throws {
    let failure = try #require(throws: Failure.self) {
      try Model(text: Self.neuron.replacing("bias", with: "bais"), path: "mine.yaml")
    }
    let diagnostic = try #require(failure.diagnostics.first)
    #expect(diagnostic.code == .unknownKey && diagnostic.place.start.line == 4 && diagnostic.place.start.column == 61)
    #expect(failure.description.contains("mine.yaml:4:61: error: "), "\(failure)")
    #expect(throws: Failure.self) { try Model(path: "/nowhere/model.yaml") }
  }

  @Test("training ends after the step at which it is interrupted, or its task cancelled, and keeps what was learnt")
  func cancellation() async throws {
    let model = try Model(text: Self.neuron)
    let data = try TrainingData(model, input: .values(Self.rows), target: .values(Self.targets))
    var steps = 0
    let outcome = try model.train(on: data) { event in
      if case .step = event { steps += 1 }
    } isInterrupted: {
      steps == 1
    }
    #expect(outcome.end == .interrupted(epoch: 2, steps: 0) && outcome.history.count == 1)
    #expect(try outcome.model.values(of: "out.weight") != model.values(of: "out.weight"))

    let task = Task {
      unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
      return try model.train(on: data).end
    }
    #expect(try await task.value == .interrupted(epoch: 1, steps: 0))
  }

  @Test("evaluation is of the values at hand, trained ones too")
  func evaluation() throws {
    let model = try Model(text: Self.neuron)
    let data = try TrainingData(model, inputs: ["x": .values(Self.rows)], targets: ["out": .values(Self.targets)])
    let trained = try model.train(on: data).model
    #expect(try trained.evaluate(on: data).loss < model.evaluate(on: data).loss)
  }

  @Test("inputs and results go by name where there are several, and a wrong name is explained")
  func names() throws {
    let network = Network(try Model(text: Self.sum))
    let inputs: [String: AnyTensor] = [
      "a": AnyTensor(Tensor<Float>([[1, -2]])), "b": AnyTensor(Tensor<Float>([[1, 1]])),
    ]
    let results = try network.run(inputs)
    #expect(results["total"]?.converted(to: Float.self) == Tensor([[2, -1]]))
    #expect(results["positive"]?.converted(to: Float.self) == Tensor([[2, 0]]))

    let misnamed = try #require(throws: Failure.self) {
      try network.run(["a": AnyTensor(Self.rows), "c": AnyTensor(Self.rows)])
    }
    #expect(misnamed.kind == .usage && misnamed.message.contains("`c`"))
    #expect(throws: Failure.self) { try network.run(["a": AnyTensor(Self.rows)]) }
    #expect(throws: Failure.self) { try network.run(Self.rows) }
  }

  @Test("a prepared network computes the same on memory of the caller's", arguments: ["float32", "float64"])
  func preparedNetwork(type: String) throws {
    let network = Network(try Model(text: Self.neuron + "dtype: \(type)\n"))
    let prepared = try network.prepared(for: [[3, 2]])
    #expect(prepared.outputShapes == [[3, 1]] && prepared.inputCounts == [6] && prepared.outputCounts == [3])
    var scores = [Float](repeating: -1, count: 3)
    let rows = Self.rows
    for _ in 0..<2 {
      var target = scores.mutableSpan
      try prepared.run(rows.elements.span, into: &target)
    }
    #expect(scores == (try network.run(Self.rows)).elements)
    #expect(throws: Failure.self) {
      var target = scores.mutableSpan
      let short: [Float] = [1, 2]
      try prepared.run(short.span, into: &target)
    }
    #expect(throws: Failure.self) { try network.prepared(for: [[3, 5]]) }
    #expect(throws: Failure.self) { try network.prepared(for: [[.max, 2]]) }
  }

  @Test("values are replaced in memory, and go into the file when the model is saved")
  func replacing() throws {
    try withFile(Self.neuron) { path in
      let model = try Model(path: path)
      let changed = try model.replacing(["out.weight": AnyTensor(Tensor<Double>([[0.5, 0.25]]))])
      #expect(try text(path) == Self.neuron)
      try changed.save()
      #expect(try text(path) == Self.neuron.replacing("[[0.1, -0.2]]", with: "[[0.5, 0.25]]"))

      let stale = try #require(throws: Failure.self) {
        try model.replacing(["out.bias": AnyTensor(Tensor<Float>([1]))]).save()
      }
      #expect(stale.kind == .busy)
      for wrong in ["out.wieght", "out.bias"] {
        #expect(throws: Failure.self) { try model.replacing([wrong: AnyTensor(Self.rows)]) }
      }
      #expect(throws: Failure.self) { try model.replacing(["out.bias": AnyTensor(Tensor<Float>([.nan]))]) }
    }
  }

  @Test("a model is saved elsewhere with its values, and replaces nothing unless told to")
  func savingACopy() throws {
    try withFile(Self.neuron) { path in
      let changed = try Model(path: path).replacing(["out.bias": AnyTensor(Tensor<Float>([3]))])
      let copy = path + "-copy.yaml"
      #expect(try changed.save(to: copy).values(of: "out.bias") == AnyTensor(Tensor<Float>([3])))
      #expect(try text(path) == Self.neuron)
      #expect(throws: Failure.self) { try changed.save(to: copy) }
      try changed.save(to: copy, replacing: true)
    }
  }

  @Test("arrays go into files and come back; labels are integers")
  func arrays() throws {
    try withFile("") { path in
      let file = path + ".npy"
      try Self.rows.save(to: file)
      #expect(try Tensor<Float>(path: file) == Self.rows)
      #expect(throws: Failure.self) { try Tensor<Float>(path: file, key: "x") }
    }
    #expect(try ArraySource.labels([2, 0]).read() == AnyTensor(Tensor<Double>([2, 0])))
    #expect(ArraySource.labels([2, 0]).isInteger)
    var table = Tensor<Double>([[1, 2], [3, 4]])
    table[1, 0] = 5
    #expect(table[1, 0] == 5 && table.elements == [1, 2, 5, 4])
    #expect("\(table)" == "[[1. 2.]\n [5. 4.]]")
  }
}

extension String {
  fileprivate func replacing(_ old: String, with new: String) -> String {
    replacingOccurrences(of: old, with: new)
  }
}
