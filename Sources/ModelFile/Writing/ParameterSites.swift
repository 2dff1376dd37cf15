import Diagnostics
import Layers
import YAML

/// Where a model's text says something about each of its parameters.
struct ParameterSites {
  /// A layer's mapping that a parameter belongs to.
  struct Site {
    let mapping: Node
    /// How many lists and mappings the mapping stands in, itself among them.
    let depth: Int
    /// The key of the parameter in it.
    let key: String

    /// What the layer gives for the parameter.
    var entry: Node.Entry? { mapping.entry(key) }
  }

  private let sites: [[Site]]
  /// How many layers are made of the mapping at an offset: more than one in a block that is used again, or by aliases.
  private let useCounts: [Int: Int]

  init(_ model: Model) {
    var mappings: [Int: (node: Node, depth: Int)] = [:]
    var seen: Set<ObjectIdentifier> = []
    Self.collect(model.root, depth: 1, &mappings, &seen)
    var sites = [[Site]](repeating: [], count: model.parameters.count)
    var useCounts: [Int: Int] = [:]
    for layer in model.layers {
      useCounts[layer.range.start, default: 0] += 1
      guard let (mapping, depth) = mappings[layer.range.start] else { continue }
      let names = parameterNames(layer, model)
      for (index, key) in zip(layer.parameters, names) {
        if sites[index].contains(where: { $0.mapping === mapping && $0.key == key }) { continue }
        sites[index].append(Site(mapping: mapping, depth: depth, key: key))
      }
    }
    self.sites = sites
    self.useCounts = useCounts
  }

  /// The places where layers name the parameter with this index, the first in the order of execution first.
  subscript(index: Int) -> [Site] { sites[index] }

  /// Whether what is written for the parameter stands for one layer only.
  func isSingleUse(_ index: Int) -> Bool { sites[index].count == 1 && sites[index].allSatisfy(isSingleUse) }

  /// Whether lists of a parameter of some rank are within the depth that a text may have.
  func canHoldLists(_ index: Int, rank: Int) -> Bool {
    sites[index].allSatisfy { $0.depth + rank <= YAMLDocument.deepest }
  }

  /// Whether a mapping stands for one layer only.
  func isSingleUse(_ site: Site) -> Bool { useCounts[site.mapping.range.start] == 1 }

  /// How many layers are made of a mapping.
  func useCount(_ site: Site) -> Int { useCounts[site.mapping.range.start] ?? 0 }

  private static func collect(
    _ node: Node, depth: Int, _ mappings: inout [Int: (node: Node, depth: Int)], _ seen: inout Set<ObjectIdentifier>
  ) {
    switch node.content {
    case .scalar, .numbers: break
    case .sequence(let items):
      guard seen.insert(ObjectIdentifier(node)).inserted else { return }
      for item in items { collect(item, depth: depth + 1, &mappings, &seen) }
    case .mapping(let entries):
      guard seen.insert(ObjectIdentifier(node)).inserted else { return }
      mappings[node.range.start] = (node, depth)
      for entry in entries { collect(entry.value, depth: depth + 1, &mappings, &seen) }
    }
  }
}

/// The names of a layer's parameters in the order in which it has them; a shared one may be called otherwise elsewhere.
func parameterNames(_ layer: Model.Layer, _ model: Model) -> [String] {
  let own = layer.parameters.map { model.parameters[$0].declaration.name }
  switch layer.type {
  case "batchnorm": return Array(["gamma", "beta", "mean", "variance"].prefix(own.count))
  default: return Array(["weight", "bias"].prefix(own.count))
  }
}
