import Graph
import ModelFile

/// Turns the layers of a model into the things of a drawing.
struct DiagramBuilder {
  /// One or more parts of a list that become one thing.
  private enum Unit {
    /// Layers that stand in one card.
    case layers([Int])
    /// A frame; `last` is its last repetition.
    case frame(DiagramTree, last: DiagramTree, title: String, repeats: Int)
  }

  private let model: Model
  private let flow: DiagramFlow
  private let tree: DiagramTree

  init(_ model: Model) {
    self.model = model
    flow = DiagramFlow(model)
    tree = DiagramTree(model, layers: model.layers.indices.filter { model.layers[$0].isUsed })
  }

  /// The whole drawing.
  var scene: GraphDiagram.Scene { scene(of: tree, isWhole: true) }

  private func scene(of tree: DiagramTree, isWhole: Bool) -> GraphDiagram.Scene {
    var scene = GraphDiagram.Scene()
    var places: [Model.Source: Int] = [:]
    if isWhole {
      for (index, input) in model.inputs.enumerated() {
        places[.input(index)] = scene.items.count
        scene.items.append(.card([.init(title: input.name, detail: "input", kind: .input)]))
      }
    } else {
      for source in flow.sources(of: tree.members) {
        places[source] = scene.items.count
        scene.items.append(.entry)
      }
    }
    let entries = isWhole ? 0 : scene.items.count
    func connect(_ sources: [Model.Source], to item: Int) {
      for (entry, source) in sources.enumerated() {
        guard let from = places[source] else { continue }
        let label = from < entries ? "" : shape(of: source)
        scene.arrows.append(.init(from: from, to: item, entry: entry, label: label))
      }
    }
    for unit in units(of: tree) {
      let item = scene.items.count
      switch unit {
      case .layers(let layers):
        scene.items.append(.card(layers.map(band)))
        connect(model.layers[layers[0]].sources, to: item)
        for layer in layers { places[.layer(layer)] = item }
      case .frame(let first, let last, let title, let repeats):
        scene.items.append(.group(group(first, title: title, repeats: repeats)))
        connect(flow.sources(of: first.members), to: item)
        for layer in last.members { places[.layer(layer)] = item }
      }
    }
    let exit = flow.exit(of: tree)
    for member in outputs(in: tree, isWhole: isWhole) {
      guard let from = places[.layer(member)] else { continue }
      for name in flow.outputs[member] ?? [] {
        scene.arrows.append(
          .init(from: from, to: scene.items.count, entry: 0, label: model.layers[member].shape.text))
        scene.items.append(.card([.init(title: name, detail: "output", kind: .output)]))
      }
    }
    if !isWhole, let exit, let from = places[.layer(exit)] {
      scene.arrows.append(.init(from: from, to: scene.items.count, entry: 0, label: ""))
      scene.items.append(.exit)
    }
    return scene
  }

  /// The outputs that leave a list there: its own layers', and the values of frames in it; what is its own value leaves
  /// further out.
  private func outputs(in tree: DiagramTree, isWhole: Bool) -> [Int] {
    let own = isWhole ? nil : flow.exit(of: tree)
    let inner = Set(
      tree.children.filter { !$0.children.isEmpty }.flatMap { child in
        child.members.filter { $0 != flow.exit(of: child) }
      })
    return tree.members.filter { flow.outputs[$0] != nil && $0 != own && !inner.contains($0) }
  }

  private func shape(of source: Model.Source) -> String {
    switch source {
    case .input(let index): model.inputs[index].shape.text
    case .layer(let index): model.layers[index].shape.text
    }
  }

  /// The frame around a tree; one that holds nothing but another frame is drawn as one.
  private func group(_ tree: DiagramTree, title: String, repeats: Int) -> GraphDiagram.Group {
    let scene = scene(of: tree, isWhole: false)
    let things = scene.items.filter { item in
      switch item {
      case .entry, .exit: false
      case .card, .group: true
      }
    }
    if things.count == 1, case .group(let inner) = things[0], repeats == 1 || inner.repeats == 1 {
      return GraphDiagram.Group(title: title, repeats: max(repeats, inner.repeats), scene: inner.scene)
    }
    return GraphDiagram.Group(title: title, repeats: repeats, scene: scene)
  }

  /// The parts of a list, with repetitions folded and layers laid together.
  private func units(of tree: DiagramTree) -> [Unit] {
    var units: [Unit] = []
    var index = 0
    while index < tree.children.count {
      let first = tree.children[index]
      var end = index + 1
      if first.children.isEmpty {
        if let layer = first.layer { append(layer, to: &units) }
      } else {
        while end < tree.children.count, flow.isRepeated(tree.children[end - 1], by: tree.children[end]) { end += 1 }
        let last = tree.children[end - 1]
        units.append(
          .frame(first, last: last, title: title(of: first, to: last, in: tree), repeats: end - index))
      }
      index = end
    }
    // A residual adds what its lists give.
    if let layer = tree.layer { append(layer, to: &units) }
    return units
  }

  private func title(of first: DiagramTree, to last: DiagramTree, in tree: DiagramTree) -> String {
    if first.isRepetition {
      return first.key == last.key ? "\(tree.key).\(first.key)" : "\(tree.key).\(first.key)–\(last.key)"
    }
    return first.key == last.key ? first.key : "\(first.key) – \(last.key)"
  }

  /// Adds a layer: to the card of the one before it, where it only goes on with what that gives.
  private func append(_ layer: Int, to units: inout [Unit]) {
    let own = model.layers[layer]
    let goesOn = [.normalisation, .activation].contains(kind(of: own.type)) || own.type == "dropout"
    if goesOn, own.sources.count == 1, case .layer(let source) = own.sources[0], flow.consumers[source] == [layer],
      flow.outputs[source] == nil, own.shape.text == model.layers[source].shape.text
    {
      for (place, unit) in units.enumerated() {
        guard case .layers(let layers) = unit, layers.last == source else { continue }
        units[place] = .layers(layers + [layer])
        return
      }
    }
    units.append(.layers([layer]))
  }

  private func band(_ index: Int) -> GraphDiagram.Band {
    let layer = model.layers[index]
    let name = String(layer.path.split(separator: ".").last ?? "")
    return .init(title: name, detail: model.summary(of: layer), kind: kind(of: layer.type))
  }

  private func kind(of type: String) -> GraphDiagram.Kind {
    switch type {
    case "conv2d": .convolution
    case "dense", "dense-sigmoid": .dense
    case "batchnorm": .normalisation
    case "relu", "sigmoid", "tanh", "softmax": .activation
    case "gap", "maxpool", "avgpool": .pooling
    case "residual", "add", "concat": .join
    default: .other
    }
  }
}
