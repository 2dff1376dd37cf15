/// A table of text with aligned columns: a heading, a rule, rows, perhaps another rule and a footer.
package struct TextTable {
  package enum Alignment: Sendable { case left, right }

  private let heading: [String]
  private var rows: [[String]] = []
  /// The last row, below a rule.
  package var footer: [String]?
  /// How each column is aligned.
  package var alignment: [Alignment]
  /// Whether a rule stands below the rows where there is no footer.
  package var endsWithRule = true

  package init(_ heading: [String]) {
    self.heading = heading
    alignment = heading.map { _ in .left }
  }

  package mutating func add(_ row: [String]) { rows.append(row) }

  /// The table's lines.
  package var text: String {
    let all = [heading] + rows + (footer.map { [$0] } ?? [])
    let widths = heading.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    func line(_ cells: [String]) -> String {
      let padded = cells.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return alignment[column] == .right ? space + cell : cell + space
      }
      return String(padded.joined(separator: "  ").reversed().drop { $0 == " " }.reversed()) + "\n"
    }
    let rule = String(repeating: "-", count: widths.reduce(0, +) + 2 * (widths.count - 1)) + "\n"
    let end = footer.map { rule + line($0) } ?? (endsWithRule ? rule : "")
    return line(heading) + rule + rows.map(line).joined() + end
  }
}

/// A number with four significant digits, in powers of ten where it is very large or small.
func shortNumber(_ value: Double) -> String {
  guard value.isFinite, value != 0 else { return value == 0 ? "0" : "\(value)" }
  var exponent = 0
  var size = value.magnitude
  while size >= 10 {
    size /= 10
    exponent += 1
  }
  while size < 1 {
    size *= 10
    exponent -= 1
  }
  let digits = Int((size * 1000).rounded())
  let (mantissa, power) = digits == 10_000 ? (1000, exponent + 1) : (digits, exponent)
  let sign = value < 0 ? "-" : ""
  let text = String(mantissa)
  if power < -4 || power > 5 {
    let end = power < 0 ? "-" : "+"
    return "\(sign)\(text.prefix(1)).\(text.dropFirst())e\(end)\(abs(power) < 10 ? "0" : "")\(abs(power))"
  }
  if power >= 3 { return sign + text + String(repeating: "0", count: power - 3) }
  if power >= 0 { return "\(sign)\(text.prefix(power + 1)).\(text.dropFirst(power + 1))" }
  return "\(sign)0.\(String(repeating: "0", count: -power - 1))\(text)"
}

/// A number of bytes as people say it: `3.2 MB`.
func byteCount(_ bytes: Int) -> String {
  var size = Double(bytes)
  for unit in ["bytes", "kB", "MB", "GB"] {
    if size < 1000 { return unit == "bytes" ? "\(bytes) bytes" : "\(Double((size * 10).rounded()) / 10) \(unit)" }
    size /= 1000
  }
  return "\(Double((size * 10).rounded()) / 10) TB"
}
