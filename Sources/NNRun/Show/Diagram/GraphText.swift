extension GraphDiagram {
  /// The drawing in Graphviz's language.
  public var dot: String {
    var writer = FlatDrawing(style: .dot)
    writer.add(scene, indentation: "  ")
    return """
      digraph \(Self.quoted(name)) {
        graph [fontname="Helvetica", fontsize=12, labeljust=l, style=rounded, color="#98a2ae", bgcolor=white];
        node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=12];
        edge [fontname="Helvetica", fontsize=10, color="#5b6470", fontcolor="#5b6470"];
      \(writer.text)}

      """
  }

  /// The drawing in Mermaid's language.
  public var mermaid: String {
    var writer = FlatDrawing(style: .mermaid)
    writer.add(scene, indentation: "  ")
    let classes = Kind.allCases.map { "  classDef \($0.rawValue) fill:\($0.fill),stroke:\($0.stroke),color:#1d2329\n" }
    return "flowchart TD\n" + writer.text + classes.joined()
  }

  /// The text in double quotes as Graphviz reads it.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for character in text {
      switch character {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      default: result.append(character)
      }
    }
    return result + "\""
  }

  /// The text with what XML would read as its own written as entities.
  static func entities(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
    return result
  }
}

/// A drawing in a language that lays things out by itself: cards by number, frames around them, arrows from card to card.
private struct FlatDrawing {
  enum Style { case dot, mermaid }

  let style: Style
  private(set) var text = ""
  private var cards = 0
  private var frames = 0

  init(style: Style) { self.style = style }

  /// Where arrows to and from an item of a scene end: at cards.
  private struct Ends {
    /// The cards that each of its entries leads to.
    var entries: [[Int]] = []
    /// The card that its value comes from.
    var exit: Int?
  }

  /// Adds a scene and returns its own ends.
  @discardableResult
  mutating func add(_ scene: GraphDiagram.Scene, indentation: String) -> (entries: [[Int]], exit: Int?) {
    var ends: [Ends] = []
    for item in scene.items {
      switch item {
      case .entry, .exit: ends.append(Ends())
      case .card(let bands):
        text += indentation + card(bands)
        ends.append(Ends(entries: [], exit: cards))
        cards += 1
      case .group(let group):
        frames += 1
        text += indentation + opening(group)
        let inner = add(group.scene, indentation: indentation + "  ")
        text += indentation + (style == .dot ? "}\n" : "end\n")
        ends.append(Ends(entries: inner.entries, exit: inner.exit))
      }
    }
    var entries = scene.items.prefix { if case .entry = $0 { true } else { false } }.map { _ in [Int]() }
    var exit: Int?
    for arrow in scene.arrows {
      var targets: [Int] = []
      if case .card = scene.items[arrow.to], let card = ends[arrow.to].exit { targets = [card] }
      if ends[arrow.to].entries.indices.contains(arrow.entry) { targets = ends[arrow.to].entries[arrow.entry] }
      if arrow.from < entries.count {
        entries[arrow.from] += targets
      } else if case .exit = scene.items[arrow.to] {
        exit = ends[arrow.from].exit
      } else if let from = ends[arrow.from].exit {
        for target in targets { text += indentation + self.arrow(from, target, arrow.label) }
      }
    }
    return (entries, exit)
  }

  private func card(_ bands: [GraphDiagram.Band]) -> String {
    let kind = bands.first?.kind ?? .other
    let lines = bands.map { $0.title + ": " + $0.detail }
    switch style {
    case .dot:
      return
        "n\(cards) [label=\(GraphDiagram.quoted(lines.joined(separator: "\n"))), fillcolor=\"\(kind.fill)\", color=\"\(kind.stroke)\"];\n"
    case .mermaid:
      let label = lines.map(GraphDiagram.entities).joined(separator: "<br/>")
      let isEnd = kind == .input || kind == .output
      return "n\(cards)\(isEnd ? "([" : "[")\"\(label)\"\(isEnd ? "])" : "]"):::\(kind.rawValue)\n"
    }
  }

  private func opening(_ group: GraphDiagram.Group) -> String {
    switch style {
    case .dot: "subgraph cluster\(frames) {\n    label=\(GraphDiagram.quoted(group.caption));\n"
    case .mermaid: "subgraph s\(frames) [\"\(GraphDiagram.entities(group.caption))\"]\n"
    }
  }

  private func arrow(_ from: Int, _ to: Int, _ label: String) -> String {
    switch style {
    case .dot: "n\(from) -> n\(to)\(label.isEmpty ? "" : " [label=\(GraphDiagram.quoted(label))]");\n"
    case .mermaid: "n\(from) -->\(label.isEmpty ? "" : "|\"\(GraphDiagram.entities(label))\"|") n\(to)\n"
    }
  }
}

extension GraphDiagram.Kind {
  /// The ground of a band.
  var fill: String {
    switch self {
    case .input, .output: "#f2f4f7"
    case .convolution: "#dfebfb"
    case .dense: "#e9e2fa"
    case .normalisation: "#ecf4e3"
    case .activation: "#fdf1d6"
    case .pooling: "#fde5e0"
    case .join: "#dcf2ee"
    case .other: "#f3f3f3"
    }
  }

  /// The line around a band.
  var stroke: String {
    switch self {
    case .input, .output: "#98a2ae"
    case .convolution: "#5a8fd0"
    case .dense: "#8a6fd0"
    case .normalisation: "#86ad55"
    case .activation: "#d3a441"
    case .pooling: "#d0705a"
    case .join: "#4aa394"
    case .other: "#a0a0a0"
    }
  }
}
