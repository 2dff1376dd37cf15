package import Diagnostics
import Files
import Graph
import Layers
import Schema
import Tensors
import YAML

/// A model that was read, and everything that was found wrong on the way.
package struct LoadedModel: Sendable {
  /// The model; nil where the file has errors.
  package let model: Model?
  /// Errors and warnings in the order of the file.
  package let diagnostics: [Diagnostic]

  /// The model, or the failure that its errors make.
  package func valid() throws(Failure) -> Model {
    guard let model else { throw Failure(diagnostics) }
    return model
  }
}

/// Reads model files: text, nodes, schema, layers, graph, parameters, each stage going on where the one before could.
package struct ModelLoader {
  private let path: String
  private let source: SourceText
  private let status: FileStatus?
  private let toleratesMissingFiles: Bool
  private var sink: DiagnosticSink
  private var brokenRanges: [SourceRange] = []

  /// Reads the model file at `path`. Throws only where the file itself cannot be read.
  ///
  /// With `toleratesMissingFiles`, parameters in files that are not there have no values, which is no error; such a model
  /// can be looked at, but not run.
  package static func load(path: String, toleratesMissingFiles: Bool = false) throws(Failure) -> LoadedModel {
    try FileTransaction.reading(FilePath(path)) { () throws(Failure) in
      let (bytes, status) = try readWholeFileWithStatus(FilePath(path), limit: largestTextFile)
      return load(
        source: SourceText(name: path, bytes: bytes), path: path, status: status,
        toleratesMissingFiles: toleratesMissingFiles)
    }
  }

  /// Reads a model from a text; `path` is where its other files are looked for.
  package static func load(source: SourceText, path: String, toleratesMissingFiles: Bool = false) -> LoadedModel {
    load(source: source, path: path, status: nil, toleratesMissingFiles: toleratesMissingFiles)
  }

  private static func load(
    source: SourceText, path: String, status: FileStatus?, toleratesMissingFiles: Bool
  ) -> LoadedModel {
    var loader = ModelLoader(path: path, source: source, status: status, toleratesMissingFiles: toleratesMissingFiles)
    var model = loader.load()
    let diagnostics = loader.sink.diagnostics.sorted { $0.place.range.start < $1.place.range.start }
    model?.warnings = diagnostics.filter { $0.severity == .warning }
    return LoadedModel(model: loader.sink.hasErrors ? nil : model, diagnostics: diagnostics)
  }

  private init(path: String, source: SourceText, status: FileStatus?, toleratesMissingFiles: Bool) {
    self.path = path
    self.source = source
    self.status = status
    self.toleratesMissingFiles = toleratesMissingFiles
    sink = DiagnosticSink(source: source)
  }

  private mutating func load() -> Model? {
    let document = YAMLDocument.parse(source: source)
    for diagnostic in document.diagnostics {
      sink.add(diagnostic)
      if Self.leavesNoValue.contains(diagnostic.code) { brokenRanges.append(diagnostic.place.range) }
    }
    guard let root = document.root, !document.diagnostics.contains(where: { $0.code == .syntax }) else { return nil }
    if let version = root["nnrun"], let number = version.number, number > 1, number.rounded(.down) == number {
      let written = printable(version.scalar?.text ?? "", limit: 40)
      sink.add(
        .newerFormat, "this file is of format \(written), but this program knows formats up to 1", at: version.range,
        notes: [DiagnosticNote("update nnrun to read it")])
      return nil
    }
    for diagnostic in ModelSchema.validate(root, source: source) {
      sink.add(diagnostic)
      if diagnostic.severity == .error { brokenRanges.append(diagnostic.place.range) }
    }
    guard let layersNode = root["layers"], case .sequence = layersNode.content else { return nil }
    let elementType = root["dtype"]?.string.flatMap(ElementType.init) ?? .float32
    let layout = root["layout"]?.string.flatMap(Layout.init) ?? .nchw

    let source = source
    var expansion = BlockExpansion(root: root, brokenRanges: brokenRanges) { node in
      ModelSchema.validateLayers(node, source: source)
    }
    let items = expansion.expand(layersNode, into: &sink)
    let files = ParameterFiles(modelPath: path, toleratesMissing: toleratesMissingFiles)
    let brokenStarts = Set(brokenRanges.map(\.start))
    let weights = root["weights"].flatMap { node in
      brokenStarts.contains(node.range.start) ? nil : files.weightFile(node, sink: &sink)
    }
    let reader = ParameterReader(source: source, elementType: elementType, files: files)

    var context = LayerContext(layout: layout)
    let inputs = readInputs(root)
    var built: [(name: String, value: ValueID?)] = []
    for input in inputs {
      var value: ValueID?
      if input.isSound {
        do throws(ShapeError) {
          value = try context.addInput(input.shape)
        } catch {
          if !isBroken(input.range) {
            sink.add(.shape, "input `\(input.name)`: \(error.message.text())", at: input.range)
          }
        }
      }
      built.append((input.name, value))
    }
    var assembly = GraphAssembly(
      context: context, inputs: built, parameters: ParameterTable(reader: reader, weights: weights), sink: sink)
    let last = assembly.assemble(items)
    sink = assembly.sink
    let outputs = readOutputs(root, items: items, last: last, assembly: assembly)
    guard !sink.hasErrors, let outputs else { return nil }
    let model = finish(
      assembly, root: root, elementType: elementType, layout: layout,
      inputs: inputs.map { Model.Input(name: $0.name, shape: $0.shape, description: $0.description) },
      outputs: outputs, files: ModelFiles(model: status, arrays: files.opened))
    if let model {
      reportUnusedLayers(of: model, items: assembly.layers)
      weights?.reportUnused(takenBy: model.parameters, sink: &sink)
    }
    return model
  }

  /// Errors of the text in whose place nothing stands, so that what the place lacks is no error of its own.
  private static let leavesNoValue: Set<DiagnosticCode> = [.undefinedAlias, .recursiveAlias, .tagMismatch]

  /// Whether the schema has found something wrong within a range.
  private func isBroken(_ range: SourceRange) -> Bool {
    brokenRanges.contains { range.start <= $0.start && $0.end <= range.end }
  }

  private struct ReadInput {
    let name: String
    let shape: Shape
    let description: String?
    let isSound: Bool
    let range: SourceRange
  }

  private func readInputs(_ root: Node) -> [ReadInput] {
    (root["inputs"]?.entries ?? []).map { entry in
      let node = entry.value["shape"]
      let shape = node.flatMap { Self.shape($0) }
      return ReadInput(
        name: entry.key, shape: shape ?? [], description: entry.value["description"]?.string, isSound: shape != nil,
        range: node?.range ?? entry.keyRange)
    }
  }

  /// A shape as a model file gives it: integers and symbols.
  static func shape(_ node: Node) -> Shape? {
    switch node.content {
    case .numbers(let list):
      let sizes = list.values.compactMap { Int(exactly: $0) }
      return sizes.count == list.values.count && list.shape.count == 1 ? sizes.map { .fixed($0) } : nil
    case .sequence(let items):
      var shape: Shape = []
      for item in items {
        if let size = item.integer {
          shape.append(.fixed(size))
        } else if let symbol = item.string {
          shape.append(.symbol(symbol))
        } else {
          return nil
        }
      }
      return shape
    case .scalar, .mapping: return nil
    }
  }

  /// The layers asked for, by index; nil where one is not there.
  private mutating func readOutputs(
    _ root: Node, items: [LayerItem], last: GraphAssembly.Built?, assembly: GraphAssembly
  ) -> [(name: String, layer: Int)]? {
    guard let list = root["outputs"], case .sequence(let nodes) = list.content else {
      guard let item = items.last, case .layer(let index)? = last?.source else { return nil }
      return [(item.name, index)]
    }
    var outputs: [(name: String, layer: Int)]? = []
    for node in nodes {
      guard let name = node.string else { continue }
      guard let value = assembly.values[name] else {
        guard !sink.isFull(.error) else { return nil }
        let paths = assembly.values.keys.sorted()
        let isInput = root["inputs"]?.entry(name) != nil
        let near = isInput ? nil : suggestion(for: name, among: paths)
        sink.add(
          .unknownOutput, isInput ? "`\(name)` is an input, but outputs are layers" : "there is no layer `\(name)`",
          at: node.range,
          notes: [
            DiagnosticNote(near.map { "did you mean `\($0)`?" } ?? "the layers are \(namesInWords(items.map(\.name)))")
          ])
        outputs = nil
        continue
      }
      if case .layer(let index)? = value?.source { outputs?.append((name, index)) } else { outputs = nil }
    }
    return outputs
  }

  private func finish(
    _ assembly: GraphAssembly, root: Node, elementType: ElementType, layout: Layout, inputs: [Model.Input],
    outputs: [(name: String, layer: Int)], files: ModelFiles
  ) -> Model? {
    var context = assembly.context
    let graph = context.graph
    var isUsed = [Bool](repeating: false, count: assembly.layers.count)
    var pending = outputs.map(\.layer)
    while let index = pending.popLast() {
      guard !isUsed[index] else { continue }
      isUsed[index] = true
      for case .layer(let source) in assembly.layers[index].sources { pending.append(source) }
    }
    let layers = assembly.layers.enumerated().map { index, layer in
      Model.Layer(
        path: layer.item.path, type: layer.type, sources: layer.sources, taken: layer.taken, value: layer.value,
        shape: layout.presented(graph.shape(layer.value)), parameters: layer.parameters, owner: layer.owner,
        isOnShortcut: layer.isOnShortcut, isUsed: isUsed[index], node: layer.item.node, definition: layer.definition)
    }
    var presented: [ValueID] = []
    for output in outputs {
      guard let value = try? context.presented(layers[output.layer].value) else { return nil }
      presented.append(value)
    }
    return Model(
      path: path, source: source, root: root, elementType: elementType, layout: layout, inputs: inputs, layers: layers,
      parameters: assembly.parameters.parameters,
      outputs: outputs.map { Model.Output(name: $0.name, shape: layers[$0.layer].shape, layer: $0.layer) },
      seed: root["training"]?["seed"]?.integer ?? 0, files: files, context: context, presentedOutputs: presented)
  }

  /// Warns about layers that no output needs; of a residual that is not needed, only about itself.
  private mutating func reportUnusedLayers(of model: Model, items: [GraphAssembly.BuiltLayer]) {
    for (layer, built) in zip(model.layers, items) where !layer.isUsed {
      if let owner = layer.owner, !model.layers[owner].isUsed { continue }
      sink.add(
        .unusedLayer, "no output needs layer `\(layer.path)`: it is not run and not trained", at: built.item.nameRange,
        uses: built.item.uses)
    }
  }
}
