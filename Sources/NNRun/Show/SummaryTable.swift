import Graph

extension ModelSummary {
  /// The table as text: a heading, a row for each layer, the totals.
  public var text: String {
    var table = TextTable(["layer", "type", "output", "parameters", "multiply-adds"])
    table.alignment = [.left, .left, .left, .right, .right]
    for row in rows {
      table.add([
        row.path + (row.isUsed ? "" : " (unused)"), row.type, row.shape.text, Self.count(row.parameterCount),
        row.multiplyAdds.value.map(Self.count) ?? row.multiplyAdds.description,
      ])
    }
    table.footer = [
      "total", "", "", Self.count(parameterCount),
      multiplyAdds.map { $0.value.map(Self.count) ?? $0.description } ?? "?",
    ]
    let statistics =
      statisticCount > 0 ? "running statistics beside the parameters: \(grouped(statisticCount))\n" : ""
    return table.text + statistics
  }

  /// A count; nothing for none.
  private static func count(_ value: Int) -> String { value == 0 ? "" : grouped(value) }
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
