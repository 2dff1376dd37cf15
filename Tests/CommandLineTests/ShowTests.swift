import Foundation
import Testing

@Suite("nnrun show")
struct ShowTests {
  private let program: Program

  init() throws {
    program = try Program()
    try program.write(neuron, to: "neuron.yaml")
    try program.write(blocks, to: "blocks.yaml")
  }

  /// Three residuals from a block, of which the last two do the same.
  private let blocks = """
    nnrun: 1
    name: blocks
    inputs: {image: {shape: [N, 4, H, W]}}
    blocks:
      unit:
        parameters: {stride: 1}
        layers:
          - name: sum
            type: residual
            body:
              - {name: conv, type: conv2d, filters: 4, kernel: 3, stride: $stride, padding: 1}
              - {name: bn, type: batchnorm}
            shortcut:
              - {name: pool, type: maxpool, kernel: 1, stride: $stride}
    layers:
      - {name: stage, block: unit, repeat: 3, first: {stride: 2}}
      - {name: pool, type: gap}
    outputs: [pool, stage]

    """

  @Test("a drawing has every layer once, repetitions folded, and is XML that says its size")
  func drawing() throws {
    defer { program.remove() }
    let svg = try program.shell("nnrun show blocks.yaml --graph svg")
    #expect(svg.status == 0, "\(svg.errors)")
    let text = svg.output
    #expect(text.components(separatedBy: ">conv</tspan>").count == 3, "two of three convolutions are drawn")
    #expect(text.contains("stage.1–2<tspan") && text.contains(">×2</tspan>"))
    #expect(text.contains("viewBox=\"0 0 "))
    let boxes = try Boxes(text)
    #expect(boxes.cards.count > 8)
    for (index, card) in boxes.cards.enumerated() {
      #expect(card.minX >= 0 && card.maxX <= boxes.width && card.maxY <= boxes.height)
      for other in boxes.cards.dropFirst(index + 1) { #expect(!card.insetBy(dx: 1, dy: 1).intersects(other)) }
    }
  }

  @Test("dot and mermaid have the same frames and arrows between cards")
  func languages() throws {
    defer { program.remove() }
    let dot = try program.shell("nnrun show blocks.yaml --graph dot").output
    #expect(dot.hasPrefix("digraph \"blocks\" {\n") && dot.contains("subgraph cluster") && dot.hasSuffix("}\n"))
    let mermaid = try program.shell("nnrun show blocks.yaml --graph mermaid").output
    #expect(mermaid.hasPrefix("flowchart TD\n") && mermaid.contains("subgraph s1 [\"stage\"]"))
    let arrows = dot.components(separatedBy: " -> ").count
    #expect(arrows > 8 && mermaid.components(separatedBy: " -->").count == arrows)
    let check = try program.shell(
      "command -v dot >/dev/null || exit 0; nnrun show blocks.yaml --graph dot | dot -Tsvg >/dev/null")
    #expect(check.status == 0, "\(check.errors)")
  }

  @Test("--parameters tells mean, spread, extremes and a histogram of each parameter")
  func parameters() throws {
    defer { program.remove() }
    let text = try program.shell("nnrun show neuron.yaml --parameters").output
    #expect(text.contains("out.weight  [1, 2]  text"), "\(text)")
    #expect(text.contains(/-0\.05000  0\.1500 +-0\.2000 +0\.1000/), "\(text)")
    #expect(text.hasSuffix("3 parameters\n") && text.contains("█"))
    let json = try program.shell("nnrun show neuron.yaml --parameters --json")
    let rows = try #require(try JSONSerialization.jsonObject(with: json.outputBytes) as? [[String: Any]])
    #expect(rows.map { $0["path"] as? String } == ["out.weight", "out.bias"])
    let histogram = try #require(rows[0]["histogram"] as? [Int])
    #expect(histogram.count == 12 && histogram.first == 1 && histogram.last == 1 && histogram.reduce(0, +) == 2)
    #expect(abs((rows[0]["mean"] as? Double ?? 0) + 0.05) < 1e-7)
  }

  @Test("--memory plans a run that has not happened, and grows with the batch")
  func memory() throws {
    defer { program.remove() }
    func plan(_ options: String) throws -> [String: Any] {
      let result = try program.shell("nnrun show blocks.yaml --memory --json \(options)")
      #expect(result.status == 0, "\(result.errors)")
      return try #require(try JSONSerialization.jsonObject(with: result.outputBytes) as? [String: Any])
    }
    let one = try plan("--size H=8 --size W=8 --threads 1")
    let many = try plan("--size H=8 --size W=8 --threads 1 --batch-size 64")
    #expect(one["batch_size"] as? Int == 1 && many["batch_size"] as? Int == 64)
    // [1, 4, 8, 8] in, [1, 4] and [1, 4, 4, 4] out, four bytes each.
    #expect(one["input_output_bytes"] as? Int == 4 * (256 + 4 + 64))
    #expect(one["weight_bytes"] as? Int == many["weight_bytes"] as? Int)
    #expect((many["total_bytes"] as? Int ?? 0) > (one["total_bytes"] as? Int ?? .max))
    let steps = try #require(one["steps"] as? [[String: Any]])
    let alive = steps.compactMap { $0["live_bytes"] as? Int }
    #expect(alive.count == steps.count && alive.max() ?? 0 > 0)
    #expect((alive.max() ?? .max) <= one["activation_bytes"] as? Int ?? 0)
    #expect(try program.shell("nnrun show blocks.yaml --memory").errors.contains("--size H="))
    #expect(try program.shell("nnrun show blocks.yaml --memory --size Q=1").status == 64)
    let huge = "nnrun show blocks.yaml --memory --size H=9000000000000000000 --size W=9000000000000000000"
    #expect(try program.shell(huge).status == 65)
  }

  @Test("what excludes each other, or makes no sense, is a mistake")
  func mistakes() throws {
    defer { program.remove() }
    let mistakes = [
      "--graph svg --json", "--parameters --memory", "--batch-size 3", "--memory --batch-size 0", "--memory --size H",
    ]
    for options in mistakes {
      #expect(try program.shell("nnrun show neuron.yaml \(options)").status == 64, "\(options)")
    }
  }
}

/// The cards of a drawing: the paths that are filled outlines, by their first point, width and height.
private struct Boxes {
  let width: Double
  let height: Double
  let cards: [CGRect]

  init(_ svg: String) throws {
    let size = try #require(svg.firstMatch(of: /viewBox="0 0 (\d+) (\d+)"/))
    width = try #require(Double(size.1))
    height = try #require(Double(size.2))
    cards = svg.matches(of: /<path d="M([\d.]+) ([\d.]+)(?:a([\d.]+) [^h]*)?h([\d.]+)[^"]*z"/).compactMap { match in
      guard let x = Double(match.1), let y = Double(match.2), let flat = Double(match.4) else { return nil }
      let radius = match.3.flatMap { Double($0) } ?? 0
      return CGRect(x: x, y: y - radius, width: flat + 2 * radius, height: 22)
    }
  }
}
