/// A table of text: columns as wide as their widest cell.
struct Table {
  let heading: [String]
  let rows: [[String]]
  let total: [String]?
  let rightAligned: ClosedRange<Int>

  var text: String {
    let all = [heading] + rows + (total.map { [$0] } ?? [])
    let widths = heading.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    func line(_ cells: [String]) -> String {
      let padded = cells.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return rightAligned.contains(column) ? space + cell : cell + space
      }
      return String(padded.joined(separator: "  ").reversed().drop { $0 == " " }.reversed()) + "\n"
    }
    let rule = String(repeating: "-", count: widths.reduce(0, +) + 2 * (widths.count - 1)) + "\n"
    return line(heading) + rule + rows.map(line).joined() + (total.map { rule + line($0) } ?? "")
  }
}
