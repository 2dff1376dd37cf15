/// Vertical lines of nodes that lead straight on, and where they stand beside each other.
struct DiagramChains {
  /// A chain's extent in one row, from its origin.
  private struct Extent {
    var left: Double
    var right: Double
  }

  private let nodes: [DiagramLayout.Node]
  private var chainOf: [Int]
  /// Each node's left edge from the origin of its chain.
  private var offsets: [Double]
  private var extents: [[Int: Extent]] = []
  private var origins: [Double] = []

  /// Chains of a layout whose nodes and ways are known; `gap` is the least distance between neighbours.
  init(_ layout: DiagramLayout, gap: Double) {
    nodes = layout.nodes
    chainOf = [Int](repeating: -1, count: nodes.count)
    offsets = [Double](repeating: 0, count: nodes.count)
    let heavy = Self.heavyArrows(layout)
    var links: [(upper: Int, lower: Int, entry: Int)] = []
    var next: [Int: (node: Int, entry: Int)] = [:]
    for (arrow, way) in layout.ways.enumerated() {
      for (place, (upper, lower)) in zip(way, way.dropFirst()).enumerated() {
        let isLast = place == way.count - 2
        let entry = isLast ? layout.scene.arrows[arrow].entry : 0
        links.append((upper, lower, entry))
        // What passes rows stays on one line.
        if heavy.contains(arrow) || (place > 0 && !isLast) { next[upper] = (lower, entry) }
      }
    }
    let followers = Set(next.values.map(\.node))
    for start in nodes.indices where !followers.contains(start) {
      let chain = extents.count
      extents.append([:])
      var node = start
      var x = -nodes[start].exit
      while true {
        add(node, at: x, to: chain)
        guard let (following, entry) = next[node] else { break }
        x += nodes[node].exit - self.entry(following, entry)
        node = following
      }
    }
    place(links, gap: gap)
  }

  /// The left edge of a node.
  func left(of node: Int) -> Double { origins[chainOf[node]] + offsets[node] }

  private func entry(_ node: Int, _ entry: Int) -> Double {
    let entries = nodes[node].entries
    return entries.indices.contains(entry) ? entries[entry] : nodes[node].exit
  }

  private mutating func add(_ node: Int, at x: Double, to chain: Int) {
    chainOf[node] = chain
    offsets[node] = x
    let right = max(x + nodes[node].width, x + nodes[node].exit + nodes[node].labelWidth)
    extents[chain][nodes[node].row] = Extent(left: x, right: right)
  }

  /// The arrows that lead on the longest way from where they start and come on the longest way to where they end.
  private static func heavyArrows(_ layout: DiagramLayout) -> Set<Int> {
    let arrows = layout.scene.arrows
    let depth = layout.scene.items.indices.map { layout.nodes[$0].row }
    var remaining = [Int](repeating: 0, count: depth.count)
    for arrow in arrows.reversed() { remaining[arrow.from] = max(remaining[arrow.from], remaining[arrow.to] + 1) }
    func strictlyLargest(_ candidates: [Int], _ size: (Int) -> Int) -> Int? {
      guard let best = candidates.max(by: { size($0) < size($1) }) else { return nil }
      return candidates.count { size($0) == size(best) } == 1 ? best : nil
    }
    var leaving: [Int: [Int]] = [:]
    var arriving: [Int: [Int]] = [:]
    for (index, arrow) in arrows.enumerated() {
      leaving[arrow.from, default: []].append(index)
      arriving[arrow.to, default: []].append(index)
    }
    var heavy: Set<Int> = []
    for (index, arrow) in arrows.enumerated() {
      let leadsOn = strictlyLargest(leaving[arrow.from] ?? []) { remaining[arrows[$0].to] }
      let comesFrom = strictlyLargest(arriving[arrow.to] ?? []) { depth[arrows[$0].from] }
      if leadsOn == index, comesFrom == index { heavy.insert(index) }
    }
    return heavy
  }

  // MARK: Beside each other

  private mutating func place(_ links: [(upper: Int, lower: Int, entry: Int)], gap: Double) {
    origins = [Double](repeating: 0, count: extents.count)
    let order = order(links)
    let rank = Dictionary(order.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    // Neighbours: pairs of chains that stand in one row, the left one first.
    var left: [[(chain: Int, distance: Double)]] = Array(repeating: [], count: extents.count)
    var right = left
    for a in extents.indices {
      for b in extents.indices where (rank[a] ?? 0) < (rank[b] ?? 0) {
        var distance: Double?
        for (row, extent) in extents[a] {
          guard let other = extents[b][row] else { continue }
          distance = max(distance ?? -.infinity, extent.right - other.left + gap)
        }
        guard let distance else { continue }
        left[b].append((a, distance))
        right[a].append((b, distance))
      }
    }
    for chain in order {
      for (other, distance) in left[chain] { origins[chain] = max(origins[chain], origins[other] + distance) }
    }
    var pulls: [[(chain: Int, shift: Double)]] = Array(repeating: [], count: extents.count)
    for (upper, lower, entry) in links {
      let (a, b) = (chainOf[upper], chainOf[lower])
      guard a != b else { continue }
      let shift = offsets[upper] + nodes[upper].exit - offsets[lower] - self.entry(lower, entry)
      pulls[b].append((a, shift))
      pulls[a].append((b, -shift))
    }
    for pass in 0..<40 {
      for chain in pass % 2 == 0 ? order : order.reversed() where !pulls[chain].isEmpty {
        var wanted = pulls[chain].reduce(0) { $0 + origins[$1.chain] + $1.shift } / Double(pulls[chain].count)
        for (other, distance) in right[chain] { wanted = min(wanted, origins[other] - distance) }
        for (other, distance) in left[chain] { wanted = max(wanted, origins[other] + distance) }
        origins[chain] = wanted
      }
    }
  }

  /// The chains from left to right: by the middle of what they are joined to, passages to the right of things, short
  /// ones first.
  private func order(_ links: [(upper: Int, lower: Int, entry: Int)]) -> [Int] {
    var firstItem = [Int](repeating: .max, count: extents.count)
    for node in nodes.indices where nodes[node].height > 0 || nodes[node].width == 0 {
      firstItem[chainOf[node]] = min(firstItem[chainOf[node]], node)
    }
    let keys = extents.indices.map { chain in
      (firstItem[chain] == .max ? 1 : 0, firstItem[chain] == .max ? extents[chain].count : 0, firstItem[chain], chain)
    }
    return extents.indices.sorted { keys[$0] < keys[$1] }
  }
}
