import Graph

extension ModelSummary {
  /// The table as text: a heading, a row for each layer, the totals.
  public var text: String {
    let heading = ["layer", "type", "output", "parameters", "multiply-adds"]
    let cells = rows.map { row in
      [
        row.path + (row.isUsed ? "" : " (unused)"), row.type, row.shape.text, cell(row.parameterCount),
        row.multiplyAdds.value.map(cell) ?? row.multiplyAdds.description,
      ]
    }
    let total = [
      "total", "", "", cell(parameterCount), multiplyAdds.map { $0.value.map(cell) ?? $0.description } ?? "?",
    ]
    let widths = heading.indices.map { column in
      ([heading, total] + cells).map { $0[column].count }.max() ?? 0
    }
    func line(_ cells: [String]) -> String {
      let padded = cells.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return column >= 3 ? space + cell : cell + space
      }
      let text = padded.joined(separator: "  ")
      return String(text.reversed().drop { $0 == " " }.reversed()) + "\n"
    }
    let rule = String(repeating: "-", count: widths.reduce(0, +) + 2 * (widths.count - 1)) + "\n"
    var text = line(heading) + rule + cells.map(line).joined() + rule + line(total)
    if statisticCount > 0 { text += "running statistics beside the parameters: \(grouped(statisticCount))\n" }
    return text
  }

  /// A count in a table, where nothing stands for none.
  private func cell(_ value: Int) -> String { value == 0 ? "" : grouped(value) }
}

/// A count with its digits in groups of three.
package func grouped(_ value: Int) -> String {
  var text = ""
  let digits = String(value)
  for (index, digit) in digits.enumerated() {
    if index > 0, (digits.count - index) % 3 == 0 { text += "," }
    text.append(digit)
  }
  return text
}
