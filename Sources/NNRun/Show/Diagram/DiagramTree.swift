import Graph
import Layers
import ModelFile

/// The lists of a model as a tree: layers, and the frames of residuals and blocks around them.
struct DiagramTree {
  /// The last part of the path.
  let key: String
  /// The whole path.
  let path: String
  /// The layer of that path; a residual is one and holds others.
  private(set) var layer: Int?
  /// What it holds, in the order in which it runs.
  private(set) var children: [DiagramTree] = []
  /// The layers in it, its own included, in the order in which they run.
  private(set) var members: [Int] = []

  /// The tree of some layers of a model.
  init(_ model: Model, layers: [Int]) {
    self.init(key: "", path: "")
    for index in layers {
      let keys = model.layers[index].path.split(separator: ".").map(String.init)
      insert(index, keys: keys[...])
    }
  }

  private init(key: String, path: String) {
    self.key = key
    self.path = path
  }

  private mutating func insert(_ index: Int, keys: ArraySlice<String>) {
    members.append(index)
    guard let key = keys.first else {
      layer = index
      return
    }
    let place: Int
    if let known = children.firstIndex(where: { $0.key == key }) {
      place = known
    } else {
      place = children.count
      children.append(DiagramTree(key: key, path: path.isEmpty ? key : "\(path).\(key)"))
    }
    children[place].insert(index, keys: keys.dropFirst())
  }

  /// Whether it is a repetition of a block: names of an author's begin with a letter.
  var isRepetition: Bool { key.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } }
}

/// What goes in and out of parts of a model.
struct DiagramFlow {
  let model: Model
  /// The layers that take a layer's value.
  private(set) var consumers: [Int: [Int]] = [:]
  /// The names of the outputs that a layer is.
  private(set) var outputs: [Int: [String]] = [:]

  init(_ model: Model) {
    self.model = model
    for (index, layer) in model.layers.enumerated() where layer.isUsed {
      for case .layer(let source) in layer.sources { consumers[source, default: []].append(index) }
    }
    for output in model.outputs { outputs[output.layer, default: []].append(output.name) }
  }

  /// What some layers take from outside, in the order in which they take it.
  func sources(of members: [Int]) -> [Model.Source] {
    let own = Set(members)
    var sources: [Model.Source] = []
    for member in members {
      for source in model.layers[member].sources {
        if case .layer(let index) = source, own.contains(index) { continue }
        if !sources.contains(source) { sources.append(source) }
      }
    }
    return sources
  }

  /// The layer whose value stands for that of a tree.
  func exit(of tree: DiagramTree) -> Int? {
    if let layer = tree.layer { return layer }
    let own = Set(tree.members)
    return tree.members.last { consumers[$0]?.contains { !own.contains($0) } ?? false } ?? tree.members.last
  }

  /// Whether `next` follows upon `tree`, and does the same to what it is given.
  func isRepeated(_ tree: DiagramTree, by next: DiagramTree) -> Bool {
    guard !tree.children.isEmpty, tree.members.count == next.members.count, let exit = exit(of: tree),
      sources(of: next.members) == [.layer(exit)], sources(of: tree.members).count == 1,
      tree.members.allSatisfy({ outputs[$0] == nil }),
      next.members.allSatisfy({ outputs[$0] == nil || $0 == self.exit(of: next) })
    else { return false }
    let following = Set(next.members)
    let leaving = tree.members.filter { member in
      let own = Set(tree.members)
      return consumers[member]?.contains { !own.contains($0) } ?? false
    }
    return leaving == [exit] && (consumers[exit] ?? []).allSatisfy { following.contains($0) }
      && signature(of: tree) == signature(of: next)
  }

  /// What a tree computes, as text that does not depend on where it stands.
  private func signature(of tree: DiagramTree) -> [String] {
    let external = sources(of: tree.members)
    let own = Dictionary(tree.members.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    return tree.members.map { member in
      let layer = model.layers[member]
      let sources = layer.sources.map { source in
        if case .layer(let index) = source, let place = own[index] { return "\(place)" }
        return "#\(external.firstIndex(of: source) ?? 0)"
      }
      return "\(layer.path.dropFirst(tree.path.count)) \(model.summary(of: layer)) \(layer.shape.text) \(sources)"
    }
  }
}

extension Model {
  /// What a layer is in a few words.
  func summary(of layer: Layer) -> String {
    layer.definition.summary(parameters: layer.parameters.map { parameters[$0].shape })
  }
}
