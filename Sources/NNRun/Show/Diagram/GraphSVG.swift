extension GraphDiagram {
  private static let margin = 20.0

  /// The drawing as an SVG picture on a white ground, which serves on a dark page too.
  public var svg: String {
    let layout = DiagramLayout(scene)
    let (width, height) = (layout.width + 2 * Self.margin, layout.height + 2 * Self.margin)
    let size = "\(Int(width.rounded(.up))) \(Int(height.rounded(.up)))"
    let parts = size.split(separator: " ")
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(size)" width="\(parts[0])" height="\(parts[1])" \
      font-family="Helvetica, Arial, sans-serif">
      <title>\(Self.entities(name))</title>
      <defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">\
      <path d="M0 0.8 7.5 4 0 7.2z" fill="#5b6470"/></marker></defs>
      <rect width="100%" height="100%" rx="8" fill="#ffffff"/>
      \(Self.svg(layout, left: Self.margin, top: Self.margin, depth: 0))</svg>

      """
  }

  private static func svg(_ layout: DiagramLayout, left: Double, top: Double, depth: Int) -> String {
    var text = ""
    for (index, item) in layout.scene.items.enumerated() {
      guard case .group(let group) = item else { continue }
      text += frame(group, layout.nodes[index], layout.inner[index], left: left, top: top, depth: depth)
    }
    for (arrow, path) in layout.paths.enumerated() {
      let isInner = if case .exit = layout.scene.items[layout.scene.arrows[arrow].to] { true } else { false }
      text += line(path, left: left, top: top, hasTip: !isInner)
    }
    for (index, node) in layout.nodes.enumerated().prefix(layout.scene.items.count) {
      if let arrow = layout.scene.arrows.first(where: { $0.from == index && !$0.label.isEmpty }) {
        text += """
          <text x="\(number(left + node.x + node.exit + 6))" y="\(number(top + node.y + node.height + 12))" \
          font-size="10" fill="#69727d">\(entities(arrow.label))</text>

          """
      }
      if case .card(let bands) = layout.scene.items[index] { text += card(bands, node, left: left, top: top) }
    }
    return text
  }

  private static func frame(
    _ group: Group, _ node: DiagramLayout.Node, _ inner: DiagramLayout?, left: Double, top: Double, depth: Int
  ) -> String {
    guard let inner else { return "" }
    let (x, y) = (left + node.x, top + node.y)
    // Frames in frames are told apart by their ground.
    var text = """
      <rect x="\(number(x))" y="\(number(y))" width="\(number(node.width))" height="\(number(node.height))" rx="8" \
      fill="\(depth % 2 == 0 ? "#f7f8fa" : "#ffffff")" stroke="#c3cad3" stroke-width="1"/>
      <text x="\(number(x + 10))" y="\(number(y + 15))" font-size="11" font-weight="600" fill="#4a525c">\(entities(group.title))\
      \(group.repeats > 1 ? "<tspan fill=\"#b3541e\" dx=\"6\">×\(group.repeats)</tspan>" : "")</text>

      """
    let shift = (inner.entries.first.map { node.entries[0] - $0 }) ?? DiagramLayout.padding
    let start = DiagramLayout.captionHeight - (inner.entries.isEmpty ? 0 : 4)
    func vertical(_ x: Double, _ from: Double, _ to: Double) -> String {
      line([.init(x: x + shift, y: from), .init(x: x + shift, y: to)], left: left + node.x, top: y, hasTip: false)
    }
    for entry in inner.entries { text += vertical(entry, 0, start) }
    text += svg(inner, left: x + shift, top: y + start, depth: depth + 1)
    if let exit = inner.exit { text += vertical(exit, start + inner.height, node.height) }
    return text
  }

  /// Lines with rounded corners.
  private static func line(_ points: [DiagramLayout.Point], left: Double, top: Double, hasTip: Bool) -> String {
    func place(_ point: DiagramLayout.Point) -> String { "\(number(left + point.x)) \(number(top + point.y))" }
    var path = "M\(place(points[0]))"
    for index in points.indices.dropFirst() {
      let point = points[index]
      guard index + 1 < points.count else {
        path += " L\(place(point))"
        break
      }
      let (before, after) = (points[index - 1], points[index + 1])
      let reach = { (other: DiagramLayout.Point) -> Double in
        min(6, (abs(other.x - point.x) + abs(other.y - point.y)) / 2)
      }
      let radius = min(reach(before), reach(after))
      func towards(_ other: DiagramLayout.Point) -> DiagramLayout.Point {
        let (dx, dy) = (other.x - point.x, other.y - point.y)
        let length = max(abs(dx) + abs(dy), 1e-9)
        return .init(x: point.x + dx / length * radius, y: point.y + dy / length * radius)
      }
      path += " L\(place(towards(before))) Q\(place(point)) \(place(towards(after)))"
    }
    let tip = hasTip ? " marker-end=\"url(#tip)\"" : ""
    return "<path d=\"\(path)\" fill=\"none\" stroke=\"#5b6470\" stroke-width=\"1.3\"\(tip)/>\n"
  }

  private static func card(_ bands: [Band], _ node: DiagramLayout.Node, left: Double, top: Double) -> String {
    let (x, y) = (left + node.x, top + node.y)
    let kind = bands.first?.kind ?? .other
    let isEnd = kind == .input || kind == .output
    let radius = isEnd ? DiagramLayout.bandHeight / 2 : 5
    var text = ""
    for (index, band) in bands.enumerated() {
      let (isFirst, isLast) = (index == 0, index == bands.count - 1)
      let y = y + Double(index) * DiagramLayout.bandHeight
      text += """
        <path d="\(outline(x: x, y: y, width: node.width, top: isFirst ? radius : 0, bottom: isLast ? radius : 0))" \
        fill="\(band.kind.fill)" stroke="\(band.kind.stroke)" stroke-width="1.1"/>
        <text x="\(number(x + node.width / 2))" y="\(number(y + 15))" text-anchor="middle" font-size="11" fill="#4a525c">\
        <tspan font-size="12" font-weight="600" fill="#1d2329">\(entities(band.title))</tspan>\
        <tspan dx="8">\(entities(band.detail))</tspan></text>

        """
    }
    return text
  }

  /// A rectangle with its upper and its lower corners rounded.
  private static func outline(x: Double, y: Double, width: Double, top: Double, bottom: Double) -> String {
    let height = DiagramLayout.bandHeight
    func corner(_ dx: Double, _ dy: Double) -> String {
      dx == 0 ? "" : "a\(number(abs(dx))) \(number(abs(dx))) 0 0 1 \(number(dx)) \(number(dy))"
    }
    return "M\(number(x)) \(number(y + top))\(corner(top, -top))h\(number(width - 2 * top))\(corner(top, top))"
      + "v\(number(height - top - bottom))\(corner(-bottom, bottom))h\(number(2 * bottom - width))\(corner(-bottom, -bottom))z"
  }

  /// A coordinate with at most one decimal.
  private static func number(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
  }
}
