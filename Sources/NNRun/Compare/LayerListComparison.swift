import YAML

/// A list of layers as its author wrote it.
struct LayerList {
  /// One entry of the list.
  struct Layer {
    let name: String
    let value: FileValue
    /// What it takes, said or not.
    let inputs: [String]
    /// Whether it says what it takes.
    let isInputGiven: Bool
    /// Where it stands, in words.
    let place: String

    /// The definition of the schema that it follows.
    var definition: String? { value["block"] == nil ? value["type"]?.node.string : "blockUse" }
  }

  let layers: [Layer]

  /// The layers of a list, or none where there is no list; the first one takes `firstInput`.
  init(_ list: FileValue?, firstInput: [String]) {
    var layers: [Layer] = []
    for value in list?.items ?? [] {
      guard let name = value["name"]?.node.string else { continue }
      let given = value["input"].map { [$0.node.string].compactMap { $0 } + ($0.items ?? []).compactMap(\.node.string) }
      layers.append(
        Layer(
          name: name, value: value, inputs: given ?? layers.last.map { [$0.name] } ?? firstInput,
          isInputGiven: given != nil, place: layers.last.map { "after \($0.name)" } ?? "first"))
    }
    self.layers = layers
  }
}

/// How one list of layers became another, layer by layer, each known by its name.
struct LayerListComparison {
  /// What became of a layer.
  enum Step {
    case kept(LayerList.Layer, LayerList.Layer)
    case moved(LayerList.Layer, LayerList.Layer)
    case renamed(LayerList.Layer, LayerList.Layer)
    case removed(LayerList.Layer)
    case added(LayerList.Layer)
  }

  /// What became of every layer, in the order of the lists.
  private(set) var steps: [Step] = []
  /// The new names of renamed layers.
  private(set) var renames: [String: String] = [:]

  init(_ old: LayerList, _ new: LayerList) {
    let (before, now) = (old.layers, new.layers)
    let oldPlaces = Dictionary(before.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    let newNames = Set(now.map(\.name))
    // The layers that stayed in order: everything else moved past them.
    let kept = longestIncreasing(now.indices.compactMap { index in oldPlaces[now[index].name].map { (index, $0) } })
    var oldIndex = 0
    var newIndex = 0
    for (nextNew, nextOld) in kept + [(now.count, before.count)] {
      var removed = before[oldIndex..<nextOld].filter { !newNames.contains($0.name) }
      var gap: [Step] = []
      for layer in now[newIndex..<nextNew] {
        if let place = oldPlaces[layer.name] {
          gap.append(.moved(before[place], layer))
        } else if let twin = removed.firstIndex(where: { $0.isSame(butForNameAs: layer) }) {
          renames[removed[twin].name] = layer.name
          gap.append(.renamed(removed.remove(at: twin), layer))
        } else {
          gap.append(.added(layer))
        }
      }
      steps += removed.map { .removed($0) } + gap
      if nextNew < now.count { steps.append(.kept(before[nextOld], now[nextNew])) }
      oldIndex = nextOld + 1
      newIndex = nextNew + 1
    }
  }
}

extension LayerList.Layer {
  /// Whether another layer differs in nothing but the name, what it takes, and the values of its parameters.
  fileprivate func isSame(butForNameAs other: LayerList.Layer) -> Bool {
    func rest(_ layer: LayerList.Layer) -> FileValue {
      let ignored = parameterNames + ["name", "input"]
      return layer.value.with(.mapping((layer.value.node.entries ?? []).filter { !ignored.contains($0.key) }))
    }
    return rest(self).means(theSameAs: rest(other))
  }
}

/// The longest part of `pairs` in which the second numbers grow too (patience sorting, O(n log n)).
private func longestIncreasing(_ pairs: [(Int, Int)]) -> [(Int, Int)] {
  var tails: [Int] = []
  var previous = [Int?](repeating: nil, count: pairs.count)
  for (index, pair) in pairs.enumerated() {
    var (low, high) = (0, tails.count)
    while low < high {
      let middle = (low + high) / 2
      if pairs[tails[middle]].1 < pair.1 { low = middle + 1 } else { high = middle }
    }
    previous[index] = low > 0 ? tails[low - 1] : nil
    if low == tails.count { tails.append(index) } else { tails[low] = index }
  }
  var result: [(Int, Int)] = []
  var next = tails.last
  while let index = next {
    result.append(pairs[index])
    next = previous[index]
  }
  return result.reversed()
}
