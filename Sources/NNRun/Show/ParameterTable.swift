import Diagnostics

/// The values of a model's parameters as people and programs read them.
public struct ParameterTable: Sendable {
  private let rows: [ParameterSummary]

  /// The table of some summaries.
  public init(_ rows: [ParameterSummary]) { self.rows = rows }

  /// The table as text: a heading, a row for each parameter, the totals.
  public var text: String {
    var table = TextTable(["parameter", "shape", "from", "mean", "spread", "smallest", "largest", "histogram"])
    table.alignment = [.left, .left, .left, .right, .right, .right, .right, .left]
    for row in rows {
      table.add([
        row.path, "\(row.shape)", row.origin, shortNumber(row.mean), shortNumber(row.standardDeviation),
        shortNumber(row.range.lowerBound), shortNumber(row.range.upperBound), Self.bars(row.histogram),
      ])
    }
    let (trained, gathered) = (rows.filter(\.isTrained), rows.filter { !$0.isTrained })
    var text = table.text + "\(grouped(trained.reduce(0) { $0 + $1.count })) parameters"
    if !gathered.isEmpty { text += " and \(grouped(gathered.reduce(0) { $0 + $1.count })) running statistics" }
    return text + "\n"
  }

  /// A histogram as a row of blocks, as high as the counts are beside the largest.
  private static func bars(_ counts: [Int]) -> String {
    let blocks = Array("▁▂▃▄▅▆▇█")
    let most = max(counts.max() ?? 1, 1)
    return String(
      counts.map { count in
        // What is there shows, however little it is beside the most.
        count == 0 ? " " : blocks[min((count * blocks.count - 1) / most, blocks.count - 1)]
      })
  }

  /// The table as JSON, for programs.
  public var json: String {
    var json = JSONWriter()
    json.array { json in
      for row in rows {
        json.object { json in
          json.key("path")
          json.string(row.path)
          json.key("shape")
          json.array { json in
            for length in row.shape { json.integer(length) }
          }
          json.key("count")
          json.integer(row.count)
          json.key("trained")
          json.boolean(row.isTrained)
          json.key("from")
          json.string(row.origin)
          json.key("mean")
          json.number(row.mean)
          json.key("standard_deviation")
          json.number(row.standardDeviation)
          json.key("smallest")
          json.number(row.range.lowerBound)
          json.key("largest")
          json.number(row.range.upperBound)
          json.key("histogram")
          json.array { json in
            for count in row.histogram { json.integer(count) }
          }
        }
      }
    }
    return json.text
  }
}
