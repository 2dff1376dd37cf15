extension GraphDiagram {
  /// The drawing as an SVG picture.
  public var svg: String {
    let layout = DiagramLayout(self)
    let (width, height) = (Int(layout.width.rounded(.up)), Int(layout.height.rounded(.up)))
    var text = """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" width="\(width)" height="\(height)" \
      font-family="Helvetica, Arial, sans-serif">
      <title>\(Self.entities(name))</title>
      <defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">\
      <path d="M0 0.8 7.5 4 0 7.2z" fill="#5b6470"/></marker></defs>
      <rect width="100%" height="100%" fill="#ffffff"/>

      """
    for (index, arrow) in arrows.enumerated() { text += svg(arrow, bends: layout.bends[index], layout) }
    for box in boxes.indices { text += label(below: box, at: layout.centers[box]) }
    for (index, box) in boxes.enumerated() { text += svg(box, at: layout.centers[index], width: layout.widths[index]) }
    return text + "</svg>\n"
  }

  private func svg(_ arrow: Arrow, bends: [DiagramLayout.Point], _ layout: DiagramLayout) -> String {
    let half = DiagramLayout.boxHeight / 2
    var start = layout.centers[arrow.from]
    var end = layout.centers[arrow.to]
    start.y += half
    end.y -= half
    // Several arrows into one box arrive side by side.
    let siblings = arrows.indices.filter { arrows[$0].to == arrow.to }
    if siblings.count > 1, let first = bends.last ?? Optional(start) {
      let reach = layout.widths[arrow.to] / 2 - 14
      end.x += min(max(first.x - end.x, -reach), reach)
    }
    var path = "M\(number(start.x)) \(number(start.y))"
    var previous = start
    for point in bends + [end] {
      let isEnd = point.y == end.y
      let target = DiagramLayout.Point(x: point.x, y: isEnd ? end.y : point.y - half)
      if abs(target.x - previous.x) < 0.5 {
        path += " L\(number(target.x)) \(number(target.y))"
      } else {
        let middle = (previous.y + target.y) / 2
        path +=
          " C\(number(previous.x)) \(number(middle)) \(number(target.x)) \(number(middle)) \(number(target.x)) \(number(target.y))"
      }
      previous = target
      if !isEnd {
        previous.y = point.y + half
        path += " L\(number(previous.x)) \(number(previous.y))"
      }
    }
    return "<path d=\"\(path)\" fill=\"none\" stroke=\"#5b6470\" stroke-width=\"1.4\" marker-end=\"url(#tip)\"/>\n"
  }

  /// The shape that leaves a box, on a white ground as arrows may pass behind it.
  private func label(below box: Int, at center: DiagramLayout.Point) -> String {
    guard let arrow = arrows.first(where: { $0.from == box }) else { return "" }
    let (x, y) = (center.x + 7, center.y + DiagramLayout.boxHeight / 2 + 14)
    return """
      <text x="\(number(x))" y="\(number(y))" font-size="10" fill="#7b8490" stroke="#ffffff" stroke-width="3" paint-order="stroke">\(Self.entities(arrow.label))</text>

      """
  }

  private func svg(_ box: Box, at center: DiagramLayout.Point, width: Double) -> String {
    let (fill, stroke) = colors(of: box.kind)
    let radius = box.kind == .input || box.kind == .output ? DiagramLayout.boxHeight / 2 : 6
    let left = number(center.x - width / 2)
    let top = number(center.y - DiagramLayout.boxHeight / 2)
    return """
      <rect x="\(left)" y="\(top)" width="\(number(width))" height="\(number(DiagramLayout.boxHeight))" rx="\(number(radius))" fill="\(fill)" stroke="\(stroke)" stroke-width="1.2"/>
      <text x="\(number(center.x))" y="\(number(center.y - 3))" font-size="13" font-weight="600" text-anchor="middle" fill="#1d2329">\(Self.entities(box.title))</text>
      <text x="\(number(center.x))" y="\(number(center.y + 12))" font-size="11" text-anchor="middle" fill="#4a525c">\(Self.entities(box.detail))</text>

      """
  }

  private func colors(of kind: Kind) -> (fill: String, stroke: String) {
    switch kind {
    case .input, .output: ("#f2f4f7", "#98a2ae")
    case .convolution: ("#e3eefc", "#5a8fd0")
    case .dense: ("#ece6fb", "#8a6fd0")
    case .normalisation: ("#eef5e6", "#86ad55")
    case .activation: ("#fdf3dc", "#d3a441")
    case .pooling: ("#fde8e4", "#d0705a")
    case .join: ("#e0f4f1", "#4aa394")
    case .other: ("#f5f5f5", "#a0a0a0")
    }
  }

  /// A coordinate with at most one decimal.
  private func number(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
  }
}
