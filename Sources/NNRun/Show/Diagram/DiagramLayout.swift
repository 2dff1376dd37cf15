/// Where the things of a scene go: in rows from top to bottom, each below all that leads to it.
///
/// The method of Sugiyama, Tagawa and Toda (1981) in small. Rows are longest paths. An arrow over several rows passes
/// each of them at a place of its own. What leads straight on forms a chain, which is one vertical line; chains are
/// ordered, then moved towards what they are joined to.
struct DiagramLayout {
  /// A point of the drawing.
  struct Point {
    var x: Double
    var y: Double
  }

  /// An item, or a place where an arrow passes a row.
  struct Node {
    let row: Int
    let width: Double
    let height: Double
    /// Where arrows come in, from the left edge; for a card its middle.
    let entries: [Double]
    /// Where the value goes out, from the left edge.
    let exit: Double
    /// The room for the shape beside the arrow that goes out.
    let labelWidth: Double
    /// The left edge and the top.
    var x = 0.0
    var y = 0.0
  }

  /// The nodes: the scene's items, then the places where arrows pass.
  private(set) var nodes: [Node] = []
  /// The layouts of frames, by item.
  private(set) var inner: [Int: DiagramLayout] = [:]
  /// For each arrow the nodes on its way, both ends included.
  private(set) var ways: [[Int]] = []
  private(set) var width = 0.0
  private(set) var height = 0.0
  /// The points of each arrow, from its start to its tip: horizontal and vertical lines in turn.
  private(set) var paths: [[Point]] = []
  /// The items.
  let scene: GraphDiagram.Scene

  static let bandHeight = 22.0
  static let captionHeight = 22.0
  static let padding = 14.0
  private static let gap = 22.0
  private static let passageWidth = 6.0

  init(_ scene: GraphDiagram.Scene) {
    self.scene = scene
    addItems()
    addPassages()
    let chains = DiagramChains(self, gap: Self.gap)
    for index in nodes.indices { nodes[index].x = chains.left(of: index) }
    let left = nodes.map(\.x).min() ?? 0
    for index in nodes.indices { nodes[index].x -= left }
    width = nodes.map { max($0.x + $0.width, $0.labelWidth > 0 ? $0.x + $0.exit + $0.labelWidth : 0) }.max() ?? 0
    route()
  }

  /// Where arrows from outside come in, from the left edge.
  var entries: [Double] {
    zip(scene.items, nodes).compactMap { item, node in if case .entry = item { node.x } else { nil } }
  }

  /// Where the value goes out, from the left edge.
  var exit: Double? {
    zip(scene.items, nodes).lazy.compactMap { item, node in if case .exit = item { node.x } else { nil } }.first
  }

  // MARK: Sizes and rows

  private mutating func addItems() {
    var rows = [Int](repeating: 0, count: scene.items.count)
    for arrow in scene.arrows { rows[arrow.to] = max(rows[arrow.to], rows[arrow.from] + 1) }
    let last = rows.max() ?? 0
    var labels = [Double](repeating: 0, count: scene.items.count)
    for arrow in scene.arrows where !arrow.label.isEmpty {
      labels[arrow.from] = max(labels[arrow.from], 7 + TextWidth.of(arrow.label, size: 10))
    }
    for (index, item) in scene.items.enumerated() {
      switch item {
      case .entry, .exit:
        let row = if case .exit = item { last } else { 0 }
        nodes.append(Node(row: row, width: 0, height: 0, entries: [0], exit: 0, labelWidth: 0))
      case .card(let bands):
        let width = bands.map(Self.width).max() ?? 0
        nodes.append(
          Node(
            row: rows[index], width: width, height: Double(bands.count) * Self.bandHeight, entries: [width / 2],
            exit: width / 2, labelWidth: labels[index]))
      case .group(let group):
        let layout = DiagramLayout(group.scene)
        inner[index] = layout
        let caption = TextWidth.of(group.caption, size: 11, isBold: true) + 10
        // The caption stands to the left of the first line that comes in, or widens the frame.
        let left = max(Self.padding, caption + 10 - (layout.entries.min() ?? caption))
        nodes.append(
          Node(
            row: rows[index], width: left + layout.width + Self.padding,
            height: layout.height + Self.captionHeight, entries: layout.entries.map { $0 + left },
            exit: (layout.exit ?? layout.width / 2) + left, labelWidth: labels[index]))
      }
    }
  }

  /// The width of a band.
  private static func width(_ band: GraphDiagram.Band) -> Double {
    TextWidth.of(band.title, size: 12, isBold: true) + 8 + TextWidth.of(band.detail, size: 11) + 24
  }

  private mutating func addPassages() {
    for arrow in scene.arrows {
      var way = [arrow.from]
      for row in (nodes[arrow.from].row + 1)..<max(nodes[arrow.to].row, nodes[arrow.from].row + 1) {
        way.append(nodes.count)
        let half = Self.passageWidth / 2
        nodes.append(
          Node(row: row, width: Self.passageWidth, height: 0, entries: [half], exit: half, labelWidth: 0))
      }
      ways.append(way + [arrow.to])
    }
  }

  // MARK: Lines

  /// A line across the gap below a row, from where something leaves it to all the places it leads to.
  private struct Crossing {
    let source: Int
    var left: Double
    var right: Double
    var track = 0
  }

  private mutating func route() {
    let rowCount = (nodes.map(\.row).max() ?? 0) + 1
    let arrivals = arrivals()
    var crossings = [[Crossing]](repeating: [], count: rowCount)
    for (arrow, way) in ways.enumerated() {
      for (upper, lower) in zip(way, way.dropFirst()) {
        let from = nodes[upper].x + nodes[upper].exit
        let to = lower == way.last ? arrivals[arrow] : nodes[lower].x + nodes[lower].exit
        guard abs(from - to) > 0.5 else { continue }
        let row = nodes[upper].row
        if let known = crossings[row].firstIndex(where: { $0.source == upper }) {
          crossings[row][known].left = min(crossings[row][known].left, from, to)
          crossings[row][known].right = max(crossings[row][known].right, from, to)
        } else {
          crossings[row].append(Crossing(source: upper, left: min(from, to), right: max(from, to)))
        }
      }
    }
    var tops = [Double](repeating: 0, count: rowCount)
    var bottoms = tops
    var y = 0.0
    for row in 0..<rowCount {
      tops[row] = y
      bottoms[row] = y + (nodes.filter { $0.row == row }.map(\.height).max() ?? 0)
      let tracks = Self.assignTracks(&crossings[row])
      // What only goes out of a frame has no tip.
      let tip = nodes.contains { $0.row == row + 1 && $0.height > 0 } ? 14.0 : 4.0
      y = bottoms[row] + labelZone(row) + (tracks > 0 ? Double(tracks - 1) * 8 + 6 : 0) + tip
    }
    height = bottoms.last ?? 0
    for index in nodes.indices {
      let row = nodes[index].row
      nodes[index].y = (tops[row] + bottoms[row] - nodes[index].height) / 2
    }
    func crossing(_ source: Int) -> Double {
      let row = nodes[source].row
      let track = crossings[row].first { $0.source == source }?.track ?? 0
      return bottoms[row] + labelZone(row) + Double(track) * 8
    }
    paths = ways.enumerated().map { arrow, way in
      var points = [Point(x: nodes[way[0]].x + nodes[way[0]].exit, y: nodes[way[0]].y + nodes[way[0]].height)]
      for (upper, lower) in zip(way, way.dropFirst()) {
        let from = points[points.count - 1].x
        let isLast = lower == way.last
        let to = isLast ? arrivals[arrow] : nodes[lower].x + nodes[lower].exit
        if abs(from - to) > 0.5 {
          let level = crossing(upper)
          points += [Point(x: from, y: level), Point(x: to, y: level)]
        }
        points.append(Point(x: to, y: isLast ? nodes[lower].y : bottoms[nodes[lower].row]))
      }
      return points
    }
  }

  /// The room below a row for the shapes of what leaves it.
  private func labelZone(_ row: Int) -> Double {
    nodes.contains { $0.row == row && $0.labelWidth > 0 } ? 18 : 6
  }

  /// Lines that overlap get levels of their own; the number of levels.
  private static func assignTracks(_ crossings: inout [Crossing]) -> Int {
    let order = crossings.indices.sorted { crossings[$0].left < crossings[$1].left }
    var ends: [Double] = []
    for index in order {
      let track = ends.firstIndex { $0 + 8 < crossings[index].left } ?? ends.count
      if track == ends.count { ends.append(0) }
      ends[track] = crossings[index].right
      crossings[index].track = track
    }
    return ends.count
  }

  /// Where each arrow meets the top of what it leads to: side by side on a card, in the order in which they come.
  private func arrivals() -> [Double] {
    var places = [Double](repeating: 0, count: ways.count)
    var incoming: [Int: [Int]] = [:]
    for (arrow, way) in ways.enumerated() {
      let target = way[way.count - 1]
      if case .card = scene.items[target] {
        incoming[target, default: []].append(arrow)
      } else {
        let entries = nodes[target].entries
        let entry = min(scene.arrows[arrow].entry, entries.count - 1)
        places[arrow] = nodes[target].x + (entry >= 0 ? entries[entry] : 0)
      }
    }
    for (target, arrows) in incoming {
      let middle = nodes[target].x + nodes[target].exit
      func origin(_ arrow: Int) -> Double {
        let before = ways[arrow][ways[arrow].count - 2]
        return nodes[before].x + nodes[before].exit
      }
      let sorted = arrows.sorted { (origin($0), $0) < (origin($1), $1) }
      let step = min(26, (nodes[target].width - 16) / Double(max(sorted.count, 1)))
      // One that comes straight from above stays straight, the others stand beside it.
      let straight = sorted.firstIndex { abs(origin($0) - middle) < 0.5 }
      let center = straight.map(Double.init) ?? Double(sorted.count - 1) / 2
      for (place, arrow) in sorted.enumerated() { places[arrow] = middle + (Double(place) - center) * step }
    }
    return places
  }
}

/// How wide text is in Helvetica and its kin, near enough to make room for it.
enum TextWidth {
  /// The width of a line of text in a font of that size.
  static func of(_ text: String, size: Double, isBold: Bool = false) -> Double {
    text.unicodeScalars.reduce(0) { $0 + width($1) } * size * (isBold ? 1.07 : 1)
  }

  /// The width of a character as a share of the font's size.
  private static func width(_ scalar: Unicode.Scalar) -> Double {
    switch scalar {
    case "i", "j", "l", "'", "|": 0.23
    case "f", "t", "I", ".", ",", ":", ";", " ", "[", "]", "(", ")", "/", "!", "r", "-": 0.31
    case "m", "M", "W": 0.84
    case "w", "C", "D", "G", "H", "N", "O", "Q", "R", "U": 0.74
    case "a"..."z", "0"..."9", "_", "–", "×", "+": 0.56
    case "A"..."Z": 0.68
    case "\u{0}"..."\u{2FF}": 0.6
    default: 1
    }
  }
}
