import Diagnostics
import NNRun

/// A difference as a person reads it: a line for each change, marked `+`, `-` or `~`, under the part of the file.
struct DifferenceText {
  private let difference: ModelDifference

  init(_ difference: ModelDifference) { self.difference = difference }

  var text: String {
    guard !difference.isSame else { return sameness + notes }
    var text = ""
    for section in ModelChange.Section.allCases {
      let changes = difference.changes.filter { $0.section == section }
      guard !changes.isEmpty else { continue }
      let rows = changes.map { [mark($0.kind), printable($0.path, limit: 200), words($0)] }
      text += "\(section.rawValue)\n" + table(rows, alignedRight: [])
    }
    let changed = difference.arrays.filter { $0.isDifference }
    if !changed.isEmpty {
      let heading = changed.contains { $0.isMeasured } ? [["", "", "shape", "largest", "mean", "cosine"]] : []
      text += "parameters\n" + table(heading + changed.map { row($0) }, alignedRight: [3, 4, 5])
      let same = difference.arrays.count { if case .same = $0.outcome { true } else { false } }
      if same > 0 { text += "  \(same) more \(same == 1 ? "is" : "are") the same\n" }
    }
    return text + notes
  }

  private var sameness: String {
    if difference.isIdentical { return "the same model: the files are the same\n" }
    return difference.arrays.contains { $0.isMoved }
      ? "the same model: only where it keeps its numbers has changed\n"
      : "the same model: only comments, layout or what goes without saying has changed\n"
  }

  /// What is to be known beside the changes.
  private var notes: String {
    var notes: [String] = difference.remarks
    var unknown: [(file: String, count: Int)] = []
    var moves: [(words: String, count: Int)] = []
    for array in difference.arrays {
      if case .unknown(let file) = array.outcome {
        if let index = unknown.firstIndex(where: { $0.file == file }) {
          unknown[index].count += 1
        } else {
          unknown.append((file, 1))
        }
      } else if array.isMoved, let old = array.oldStorage, let new = array.newStorage {
        let words = "from `\(printable(old))` to `\(printable(new))`"
        if let index = moves.firstIndex(where: { $0.words == words }) {
          moves[index].count += 1
        } else {
          moves.append((words, 1))
        }
      }
    }
    notes += moves.map { "\(parameters($0.count)) moved \($0.words)" }
    notes += unknown.map { file, count in
      "\(parameters(count)) in `\(printable(file))` not compared: the file is not beside both models"
    }
    return notes.map { "note: \($0)\n" }.joined()
  }

  private func parameters(_ count: Int) -> String { count == 1 ? "1 parameter" : "\(count) parameters" }

  private func mark(_ kind: ModelChange.Kind) -> String {
    switch kind {
    case .added: "+"
    case .removed: "-"
    case .changed, .moved, .renamed: "~"
    }
  }

  private func words(_ change: ModelChange) -> String {
    let (old, new) = (change.old?.text() ?? "", change.new?.text() ?? "")
    switch change.kind {
    case .added: return new
    case .removed: return old
    case .changed: return "\(old) -> \(new)"
    case .moved: return "moved: now \(new), was \(old)"
    case .renamed: return "renamed, was \(old)"
    }
  }

  private func row(_ array: ArrayChange) -> [String] {
    let path = printable(array.path, limit: 200)
    switch array.outcome {
    case .changed(let distance):
      return [
        "~", path, shapeText(array.newShape ?? []), decimal(distance.largest, digits: 6),
        decimal(distance.mean, digits: 6), distance.cosine.map { decimal($0, digits: 6) } ?? "none",
      ]
    case .reshaped: return ["~", path, "\(shapeText(array.oldShape ?? [])) -> \(shapeText(array.newShape ?? []))"]
    case .added: return ["+", path, shapeText(array.newShape ?? [])]
    case .removed: return ["-", path, shapeText(array.oldShape ?? [])]
    case .same, .unknown: return []
    }
  }

  /// Rows of cells in columns, two spaces in.
  private func table(_ rows: [[String]], alignedRight: Set<Int>) -> String {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
    return rows.map { row in
      var line = " "
      for (column, cell) in row.enumerated() {
        let space = String(repeating: " ", count: widths[column] - cell.count)
        let gap = column > 1 ? "  " : " "
        line += gap + (alignedRight.contains(column) ? space + cell : column == row.count - 1 ? cell : cell + space)
      }
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }.joined()
  }
}

extension ModelDifference {
  /// The difference as one JSON object.
  var json: String {
    var json = JSONWriter()
    json.object { json in
      json.key("same")
      json.boolean(isSame)
      json.key("changes")
      json.array { json in for change in changes { change.write(to: &json) } }
      json.key("parameters")
      json.array { json in for array in arrays { array.write(to: &json) } }
      json.key("notes")
      json.array { json in for remark in remarks { json.string(remark) } }
    }
    return json.text
  }
}

extension ModelChange {
  fileprivate func write(to json: inout JSONWriter) {
    json.object { json in
      json.key("section")
      json.string(section.rawValue)
      json.key("path")
      json.string(path)
      json.key("change")
      json.string(kind.rawValue)
      json.key("old")
      if let old { old.write(to: &json) } else { json.null() }
      json.key("new")
      if let new { new.write(to: &json) } else { json.null() }
    }
  }
}

extension ArrayChange {
  /// Whether it has numbers to show.
  fileprivate var isMeasured: Bool {
    if case .changed = outcome { true } else { false }
  }

  fileprivate func write(to json: inout JSONWriter) {
    func write(_ shape: [Int]?, _ json: inout JSONWriter) {
      guard let shape else { return json.null() }
      json.array { json in for size in shape { json.integer(size) } }
    }
    json.object { json in
      json.key("path")
      json.string(path)
      json.key("change")
      json.string(outcome.name)
      json.key("old_shape")
      write(oldShape, &json)
      json.key("new_shape")
      write(newShape, &json)
      if case .changed(let distance) = outcome {
        json.key("largest")
        json.number(distance.largest)
        json.key("mean")
        json.number(distance.mean)
        json.key("cosine")
        json.number(distance.cosine ?? .nan)
      }
      json.key("old_storage")
      if let oldStorage { json.string(oldStorage) } else { json.null() }
      json.key("new_storage")
      if let newStorage { json.string(newStorage) } else { json.null() }
    }
  }
}

extension ArrayChange.Outcome {
  fileprivate var name: String {
    switch self {
    case .same: "same"
    case .changed: "changed"
    case .reshaped: "reshaped"
    case .added: "added"
    case .removed: "removed"
    case .unknown: "unknown"
    }
  }
}
