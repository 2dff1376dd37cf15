/// Where the boxes of a drawing go: in rows from top to bottom, each below all that it takes, arrows through the gaps.
///
/// The method of Sugiyama, Tagawa and Toda (1981) in small: rows by longest path, an arrow over several rows goes by way
/// of a bend in each, the entries of a row are ordered by the middle of their neighbours, then moved towards them.
struct DiagramLayout {
  /// A point of the drawing.
  struct Point {
    var x: Double
    var y: Double
  }

  static let boxHeight = 40.0
  static let rowHeight = 76.0
  private static let gap = 28.0
  private static let bendWidth = 8.0
  private static let margin = 24.0

  /// The middle of each box.
  private(set) var centers: [Point] = []
  /// The width of each box.
  let widths: [Double]
  /// The bends of each arrow, from top to bottom.
  private(set) var bends: [[Point]] = []
  private(set) var width = 0.0
  private(set) var height = 0.0

  init(_ diagram: GraphDiagram) {
    widths = diagram.boxes.map { box in
      max(Double(box.title.count) * 7.6, Double(box.detail.count) * 6.2) + 28
    }
    let rows = Self.rows(diagram)
    // Entries are the boxes, then the bends of the arrows that pass rows.
    var entryRow = rows
    var entryWidth = widths
    var links: [(upper: Int, lower: Int)] = []
    var bendEntries: [[Int]] = []
    for arrow in diagram.arrows {
      var chain: [Int] = []
      var upper = arrow.from
      for row in (rows[arrow.from] + 1)..<max(rows[arrow.to], rows[arrow.from] + 1) {
        chain.append(entryRow.count)
        entryRow.append(row)
        entryWidth.append(Self.bendWidth)
        links.append((upper, entryRow.count - 1))
        upper = entryRow.count - 1
      }
      links.append((upper, arrow.to))
      bendEntries.append(chain)
    }
    let x = Self.positions(entryRow: entryRow, entryWidth: entryWidth, links: links)
    let left = zip(x, entryWidth).map { $0 - $1 / 2 }.min() ?? 0
    let right = zip(x, entryWidth).map { $0 + $1 / 2 }.max() ?? 0
    func point(_ entry: Int) -> Point {
      Point(
        x: x[entry] - left + Self.margin,
        y: Double(entryRow[entry]) * Self.rowHeight + Self.margin + Self.boxHeight / 2)
    }
    centers = diagram.boxes.indices.map(point)
    bends = bendEntries.map { $0.map(point) }
    // Room on the right for the label of the outermost arrow.
    width = right - left + 2 * Self.margin + 60
    height = Double((rows.max() ?? 0) + 1) * Self.rowHeight - (Self.rowHeight - Self.boxHeight) + 2 * Self.margin
  }

  /// Each box's row: one below the lowest of what it takes.
  private static func rows(_ diagram: GraphDiagram) -> [Int] {
    var rows = [Int](repeating: 0, count: diagram.boxes.count)
    // Boxes are listed after what they take, and arrows with the box that they lead to.
    for arrow in diagram.arrows { rows[arrow.to] = max(rows[arrow.to], rows[arrow.from] + 1) }
    return rows
  }

  private static func positions(
    entryRow: [Int], entryWidth: [Double], links: [(upper: Int, lower: Int)]
  ) -> [Double] {
    var rows = [[Int]](repeating: [], count: (entryRow.max() ?? 0) + 1)
    for (entry, row) in entryRow.enumerated() { rows[row].append(entry) }
    var above = [[Int]](repeating: [], count: entryRow.count)
    var below = above
    for link in links {
      above[link.lower].append(link.upper)
      below[link.upper].append(link.lower)
    }
    var x = [Double](repeating: 0, count: entryRow.count)
    for row in rows { spread(row, around: row.map { _ in 0 }, widths: entryWidth, into: &x) }
    for pass in 0..<16 {
      let downwards = pass % 2 == 0
      for index in downwards ? Array(rows.indices) : rows.indices.reversed() {
        let neighbours = downwards ? above : below
        let wanted = Dictionary(
          uniqueKeysWithValues: rows[index].map { entry in (entry, middle(neighbours[entry].map { x[$0] }) ?? x[entry])
          })
        // Orders settle in the first passes; later ones only straighten.
        if pass < 8 { rows[index].sort { ((wanted[$0] ?? 0), $0) < ((wanted[$1] ?? 0), $1) } }
        spread(rows[index], around: rows[index].map { wanted[$0] ?? 0 }, widths: entryWidth, into: &x)
      }
    }
    return x
  }

  /// The median of some positions.
  private static func middle(_ positions: [Double]) -> Double? {
    guard !positions.isEmpty else { return nil }
    let sorted = positions.sorted()
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }

  /// Puts the entries of a row as near to the wanted positions as their widths allow, keeping their order: neighbours
  /// that would overlap form a block that lies around the mean of what its members want.
  private static func spread(_ row: [Int], around wanted: [Double], widths: [Double], into x: inout [Double]) {
    var blocks: [(members: Range<Int>, sum: Double, start: Double)] = []
    var offsets = [Double](repeating: 0, count: row.count)
    for index in 1..<max(row.count, 1) {
      offsets[index] = offsets[index - 1] + (widths[row[index - 1]] + widths[row[index]]) / 2 + gap
    }
    for index in row.indices {
      var block = (
        members: index..<index + 1, sum: wanted[index] - offsets[index], start: wanted[index] - offsets[index]
      )
      while let last = blocks.last, last.start > block.start {
        blocks.removeLast()
        let sum = last.sum + block.sum
        let members = last.members.lowerBound..<block.members.upperBound
        block = (members, sum, sum / Double(members.count))
      }
      blocks.append(block)
    }
    for block in blocks { for index in block.members { x[row[index]] = block.start + offsets[index] } }
  }
}
