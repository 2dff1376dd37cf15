import Diagnostics
import NNRun
import Training

/// How a table of confusions is shown.
struct ConfusionTable {
  let matrix: ConfusionMatrix
  private let names: ClassNames?

  /// More classes than this are listed by their confusions, as a table would be too wide to read.
  private static let mostColumns = 20

  /// Throws where the names are not as many as the classes.
  init(_ matrix: ConfusionMatrix, names: ClassNames?) throws(Failure) {
    if let names, names.count != matrix.counts.count {
      throw Failure(
        .invalidData,
        "the labels name \(names.count) classes, but `\(matrix.output)` has \(matrix.counts.count)")
    }
    self.matrix = matrix
    self.names = names
  }

  /// The counts as JSON, a row for each true class.
  func write(to json: inout JSONWriter) {
    json.object { json in
      if let names {
        json.key("labels")
        json.array { json in
          for index in matrix.counts.indices { json.string(names[index]) }
        }
      }
      json.key("matrix")
      json.array { json in
        for row in matrix.counts { json.integers(row) }
      }
    }
  }

  /// The counts for people.
  var text: String { matrix.counts.count <= Self.mostColumns ? table : list }

  private var table: String {
    let classes = matrix.counts.indices
    var lines: [[String]] = [["true \\ predicted"] + classes.map { String($0) } + ["recall"]]
    for index in classes {
      var line = [label(index)]
      for count in matrix.counts[index] { line.append(count == 0 ? "." : grouped(count)) }
      line.append(percent(matrix.recall(index)))
      lines.append(line)
    }
    lines.append(["precision"] + classes.map { percent(matrix.precision($0)) } + [""])
    let widths = lines[0].indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    var text = ""
    for line in lines {
      let cells = line.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + space : space + cell
      }
      text += String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed()) + "\n"
    }
    return text
  }

  /// The most frequent confusions.
  private var list: String {
    var confusions: [(actual: Int, predicted: Int, count: Int)] = []
    for (actual, row) in matrix.counts.enumerated() {
      for (predicted, count) in row.enumerated() where count > 0 && predicted != actual {
        confusions.append((actual, predicted, count))
      }
    }
    confusions.sort { ($1.count, $0.actual, $0.predicted) < ($0.count, $1.actual, $1.predicted) }
    let shown = confusions.prefix(Self.mostColumns)
    let width = shown.map { grouped($0.count).count }.max() ?? 0
    guard !confusions.isEmpty else { return "no confusions among \(matrix.counts.count) classes\n" }
    var text = "\(shown.count) of \(grouped(confusions.count)) confusions among \(matrix.counts.count) classes"
    text += ", the most frequent first\n"
    for confusion in shown {
      let count = grouped(confusion.count)
      text += String(repeating: " ", count: width - count.count)
      text += "\(count)  \(label(confusion.actual)) taken for \(label(confusion.predicted))\n"
    }
    return text
  }

  private func label(_ index: Int) -> String {
    names.map { "\(index) \(printable($0[index], limit: 24))" } ?? "\(index)"
  }

  private func percent(_ share: Double?) -> String { share.map { "\(Int(($0 * 100).rounded()))%" } ?? "-" }
}
