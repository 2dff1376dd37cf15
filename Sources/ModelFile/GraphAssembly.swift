import Diagnostics
import Graph
import Layers
import YAML

/// Builds the graph of a model from its lists of layers, finding every error on the way: what follows a broken layer is
/// passed over in silence.
struct GraphAssembly {
  /// A value that a name stands for.
  struct Built {
    let source: Model.Source
    let value: ValueID
  }

  /// What is known of a layer while its model is being built.
  struct BuiltLayer {
    let item: LayerItem
    let type: String
    let definition: any Layer
    let sources: [Model.Source]
    let value: ValueID
    let parameters: [Int]
    var owner: Int?
    var isOnShortcut = false
    /// What a residual takes.
    var taken: Model.Source?
  }

  private(set) var context: LayerContext
  private(set) var layers: [BuiltLayer] = []
  /// What every path stands for; nil for a layer that could not be built.
  private(set) var values: [String: Built?] = [:]
  private(set) var parameters: ParameterTable
  private let inputs: [Built?]
  private let inputNames: [String]
  var sink: DiagnosticSink

  /// An assembly with the model's inputs already in the graph.
  init(
    context: LayerContext, inputs: [(name: String, value: ValueID?)], parameters: ParameterTable, sink: DiagnosticSink
  ) {
    self.context = context
    self.inputs = inputs.enumerated().map { index, input in
      input.value.map { Built(source: .input(index), value: $0) }
    }
    self.inputNames = inputs.map(\.name)
    self.parameters = parameters
    self.sink = sink
  }

  /// Builds the top list and returns the value of the layer listed last.
  mutating func assemble(_ items: [LayerItem]) -> Built? {
    checkNames([items], taken: inputNames)
    return assemble(items, outer: nil, isTop: true)
  }

  private mutating func assemble(_ items: [LayerItem], outer: Built?, isTop: Bool) -> Built? {
    let list = ListOrder(items, inputNames: isTop ? inputNames : nil, sink: &sink)
    var built = [Built?](repeating: nil, count: items.count)
    for index in list.order {
      let item = items[index]
      var taken: [Built]? = []
      for source in list.sources[index] ?? [] {
        let value: Built? =
          switch source {
          case .item(let index): built[index]
          case .input(let index): inputs[index]
          case .outer: outer
          }
        if let value { taken?.append(value) } else { taken = nil }
      }
      if list.sources[index] == nil { taken = nil }
      built[index] = build(item, taking: taken)
      values[item.path] = .some(built[index])
    }
    return built.last ?? nil
  }

  /// Builds an entry; with `taken` nil, only to look for errors that do not depend on what it takes.
  private mutating func build(_ item: LayerItem, taking taken: [Built]?) -> Built? {
    switch item.kind {
    case .layer(let type):
      guard !item.isBroken, let layerType = LayerCatalogue.type(named: type) else { return nil }
      return build(layerType, item, taking: taken)
    case .residual(let body, let shortcut):
      checkNames([body, shortcut ?? []], taken: [])
      let first = layers.count
      let bodyValue = assemble(body, outer: taken?.first, isTop: false)
      let firstOfShortcut = layers.count
      let shortcutValue =
        if let shortcut { assemble(shortcut, outer: taken?.first, isTop: false) } else { taken?.first }
      guard let bodyValue, let shortcutValue else { return nil }
      guard residualShapesAgree(bodyValue, shortcutValue, of: item, firstLayer: first) else { return nil }
      let result = build(ResidualLayer.self, item, taking: [bodyValue, shortcutValue])
      if result != nil { layers[layers.count - 1].taken = taken?.first?.source }
      for index in first..<layers.count - 1 where layers[index].owner == nil {
        layers[index].owner = layers.count - 1
        layers[index].isOnShortcut = index >= firstOfShortcut
      }
      return result
    case .block(let repetitions):
      var value = taken?.first
      for (index, repetition) in repetitions.enumerated() {
        let errors = sink.errorCount
        if index == 0 || repetitions.count < 1000 { checkNames([repetition], taken: []) }
        value = assemble(repetition, outer: value, isTop: false)
        if item.node["repeat"] != nil { values["\(item.path).\(index)"] = .some(value) }
        // The others are the same text, and would say the same of it again.
        if sink.errorCount > errors {
          for later in index + 1..<repetitions.count { forget(repetitions[later], of: "\(item.path).\(later)") }
          return nil
        }
      }
      return value
    }
  }

  /// Notes that a list and the layers in it are there, but have no values.
  private mutating func forget(_ items: [LayerItem], of path: String) {
    values[path] = .some(nil)
    for item in items {
      switch item.kind {
      case .layer: values[item.path] = .some(nil)
      case .residual(let body, let shortcut): forget(body + (shortcut ?? []), of: item.path)
      case .block(let repetitions):
        values[item.path] = .some(nil)
        for (index, repetition) in repetitions.enumerated() {
          forget(repetition, of: item.node["repeat"] == nil ? item.path : "\(item.path).\(index)")
        }
      }
    }
  }

  private mutating func build(_ type: any Layer.Type, _ item: LayerItem, taking taken: [Built]?) -> Built? {
    do throws(LayerError) {
      guard let given = parameters.given(by: item, sink: &sink) else { return nil }
      let entries = Dictionary(
        (item.node.entries ?? []).map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
      let layer = try type.init(LayerAttributes(entries: entries, givenShapes: given.compactMapValues(\.shape)))
      guard let taken else { return nil }
      let declarations = try layer.parameters(inputs: taken.map { context.graph.shape($0.value) })
      var indices: [Int] = []
      for declaration in declarations {
        guard
          let index = parameters.index(
            for: declaration, of: item, given: given[declaration.name], context: &context, sink: &sink)
        else { return nil }
        indices.append(index)
      }
      context.label = item.path
      let value: ValueID
      do throws(ShapeError) {
        value = try layer.build(&context, inputs: taken.map(\.value), parameters: indices.map { parameters.values[$0] })
      } catch {
        report(error, of: item)
        return nil
      }
      layers.append(
        BuiltLayer(
          item: item, type: type.type, definition: layer, sources: taken.map(\.source), value: value,
          parameters: indices, owner: nil))
      return Built(source: .layer(layers.count - 1), value: value)
    } catch {
      report(error.error, of: item, key: error.key)
      return nil
    }
  }

  /// Names are unique in a list, a residual's two lists counting as one.
  private mutating func checkNames(_ lists: [[LayerItem]], taken: [String]) {
    var first: [String: LayerItem] = [:]
    for item in lists.joined() {
      if taken.contains(item.name) {
        sink.add(.duplicateName, "`\(item.name)` is an input's name already", at: item.nameRange, uses: item.uses)
      } else if let other = first[item.name] {
        sink.add(
          .duplicateName, "there is a layer `\(item.name)` in this list already", at: item.nameRange,
          notes: [DiagnosticNote("the first one is here", at: sink.place(other.nameRange))], uses: item.uses)
      } else {
        first[item.name] = item
      }
    }
  }

  private mutating func report(_ error: ShapeError, of item: LayerItem, key: String? = nil) {
    let layout = context.layout
    let culprit: String? =
      switch error.culprit {
      case .input: "input"
      case .window: "kernel"
      case .groups: "groups"
      case .parameter: "weight"
      }
    let hint = error.hint.map { DiagnosticNote($0.text(presenting: layout.presented)) }
    sink.add(
      .shape, "layer `\(item.path)`: " + error.message.text(presenting: layout.presented),
      at: item.range(of: key ?? culprit), notes: hint.map { [$0] } ?? [], uses: item.uses)
  }

  private mutating func residualShapesAgree(
    _ body: Built, _ shortcut: Built, of item: LayerItem, firstLayer: Int
  ) -> Bool {
    let shapes = (body: context.graph.shape(body.value), shortcut: context.graph.shape(shortcut.value))
    let agree =
      shapes.body.count == shapes.shortcut.count && zip(shapes.body, shapes.shortcut).allSatisfy { $0.mayEqual($1) }
    if agree { return true }
    let blame = ResidualMismatch(body: shapes.body, shortcut: shapes.shortcut, layout: context.layout)
    sink.add(blame.diagnostic(of: item, bodyLayers: layers[firstLayer...], graph: context.graph, sink: sink))
    return false
  }
}
