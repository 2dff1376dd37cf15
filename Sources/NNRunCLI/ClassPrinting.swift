import Diagnostics
import Tensors

/// Prints the best classes of each row instead of its scores.
final class TopClassesPrinter: ResultWriter {
  private let results: [ResultDescription]
  private let count: Int
  private let names: ClassNames?
  private let asJSON: Bool
  /// For each result, the text of the rows so far.
  private var lines: [[[(index: Int, score: Double)]]]

  /// Throws where no result has classes: a row of more than one score each.
  init(_ results: [ResultDescription], count: Int, names: ClassNames?, asJSON: Bool) throws(Failure) {
    for result in results where result.shape.count > 2 || result.shape.isEmpty {
      throw Failure(
        .usage, "--top needs scores of classes, one row each, but `\(result.name)` is \(result.shapeText)")
    }
    if let names {
      for result in results where names.count != result.shape.last {
        throw Failure(
          .invalidData,
          "the labels name \(names.count) classes, but `\(result.name)` has \(result.shape.last ?? 0) scores")
      }
    }
    self.results = results
    self.count = count
    self.names = names
    self.asJSON = asJSON
    lines = results.map { _ in [] }
  }

  func append(_ tensors: [AnyTensor]) throws(Failure) {
    for (index, tensor) in tensors.enumerated() {
      let scores = tensor.converted(to: Double.self).elements
      let classes = max(results[index].shape.last ?? 1, 1)
      for start in stride(from: 0, to: scores.count, by: classes) {
        lines[index].append(best(Array(scores[start..<start + classes])))
      }
    }
  }

  /// The best classes of a row; of equal ones the first, and NaN last.
  private func best(_ row: [Double]) -> [(index: Int, score: Double)] {
    let order = row.indices.sorted { left, right in
      let (a, b) = (row[left].isNaN ? -Double.infinity : row[left], row[right].isNaN ? -Double.infinity : row[right])
      return a > b || (a == b && left < right)
    }
    return order.prefix(count).map { ($0, row[$0]) }
  }

  func finish() throws(Failure) { try Console.write(asJSON ? json : text) }

  private var text: String {
    var text = ""
    for (result, rows) in zip(results, lines) {
      if results.count > 1 { text += "\(result.name):\n" }
      let numberWidth = String(max(rows.count - 1, 0)).count
      let nameWidth = rows.joined().map { label($0.index).count }.max() ?? 0
      for (number, row) in rows.enumerated() {
        if result.shape.count > 1 {
          text += String(repeating: " ", count: numberWidth - String(number).count) + "\(number): "
        }
        let cells = row.map { entry in
          let label = label(entry.index)
          return label + String(repeating: " ", count: nameWidth - label.count) + " " + decimal(entry.score, digits: 4)
        }
        text += cells.joined(separator: "  ") + "\n"
      }
    }
    return text
  }

  private var json: String {
    var json = JSONWriter()
    json.object { json in
      for (result, rows) in zip(results, lines) {
        json.key(result.name)
        json.array { json in
          for row in rows { write(row, to: &json) }
        }
      }
    }
    return json.text + "\n"
  }

  private func write(_ row: [(index: Int, score: Double)], to json: inout JSONWriter) {
    json.array { json in
      for entry in row {
        json.object { json in
          json.key("class")
          json.integer(entry.index)
          if let names {
            json.key("label")
            json.string(names[entry.index])
          }
          json.key("score")
          json.number(entry.score)
        }
      }
    }
  }

  private func label(_ index: Int) -> String { names.map { printable($0[index]) } ?? String(index) }
}
