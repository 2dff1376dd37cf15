import Diagnostics
import NNRun

/// What came of the tests of all models.
struct TestReport {
  /// What came of one test.
  enum Outcome {
    case passed
    case failed([TestDifference])
    /// It could not be run.
    case error(String)
  }

  /// One test.
  struct Entry {
    let file: String
    let line: Int
    let name: String
    let outcome: Outcome
    let seconds: Double

    /// What to call it in a line.
    var title: String { "\(printable(file, limit: 500)): \(printable(name, limit: 200))" }

    /// What went wrong, a line each.
    var problems: [String] {
      switch outcome {
      case .passed: []
      case .failed(let differences):
        differences.map { difference in
          let position = difference.place.start
          return "\(difference.text), line \(position.line) column \(position.column)"
        }
      case .error(let message): [message]
      }
    }
  }

  private(set) var entries: [Entry] = []
  /// The files that could not be tested, and why.
  private(set) var badFiles: [(file: String, message: String)] = []
  /// The exit status.
  private(set) var status: Int32 = 0
  /// How long everything took.
  var seconds = 0.0

  /// Adds a test that was run.
  mutating func add(_ entry: Entry, kind: Failure.Kind? = nil) {
    entries.append(entry)
    if case .passed = entry.outcome { return }
    status = max(status, (kind ?? .checkFailed).rawValue)
  }

  /// Adds a file that could not be tested.
  mutating func add(_ failure: Failure, of file: String) {
    status = max(status, failure.kind.rawValue)
    badFiles.append((file, failure.summary))
  }

  private func count(_ isIncluded: (Outcome) -> Bool) -> Int { entries.count { isIncluded($0.outcome) } }

  var passed: Int { count { if case .passed = $0 { true } else { false } } }
  var failed: Int { count { if case .failed = $0 { true } else { false } } }
  var errors: Int { count { if case .error = $0 { true } else { false } } + badFiles.count }
}

extension TestReport.Entry {
  /// The test's line, and what went wrong below it.
  func text(color: Bool) -> String {
    let (word, code) =
      switch outcome {
      case .passed: ("ok", "32")
      case .failed: ("FAILED", "31")
      case .error: ("ERROR", "31")
      }
    let label = word + String(repeating: " ", count: 8 - word.count)
    let time = seconds >= 0.5 ? "  (\(shortTime(seconds)))" : ""
    var text = color ? "\u{1B}[\(code)m\(label)\u{1B}[0m" : label
    text += "\(title)\(time)\n"
    for problem in problems { text += "        \(problem)\n" }
    return text
  }
}

extension TestReport {
  /// The totals in a line.
  var totals: String {
    let errors = errors == 0 ? "" : errors == 1 ? ", 1 error" : ", \(errors) errors"
    return "\(passed) passed, \(failed) failed\(errors) in \(shortTime(seconds))\n"
  }

  /// The report for programs.
  var json: String {
    var json = JSONWriter()
    json.object { json in
      json.key("passed")
      json.integer(passed)
      json.key("failed")
      json.integer(failed)
      json.key("errors")
      json.integer(errors)
      json.key("seconds")
      json.number(seconds)
      json.key("tests")
      json.array { json in
        for entry in entries { entry.write(to: &json) }
      }
      json.key("bad_files")
      json.array { json in
        for (file, message) in badFiles {
          json.object { json in
            json.key("file")
            json.string(file)
            json.key("message")
            json.string(message)
          }
        }
      }
    }
    return json.text + "\n"
  }
}

extension TestReport.Entry {
  fileprivate func write(to json: inout JSONWriter) {
    json.object { json in
      json.key("file")
      json.string(file)
      json.key("line")
      json.integer(line)
      json.key("name")
      json.string(name)
      json.key("seconds")
      json.number(seconds)
      json.key("outcome")
      switch outcome {
      case .passed: json.string("passed")
      case .failed(let differences):
        json.string("failed")
        json.key("differences")
        json.array { json in
          for difference in differences { difference.write(to: &json) }
        }
      case .error(let message):
        json.string("error")
        json.key("message")
        json.string(message)
      }
    }
  }
}

extension TestDifference {
  fileprivate func write(to json: inout JSONWriter) {
    let start = place.start
    json.object { json in
      json.key("name")
      json.string(name)
      json.key("line")
      json.integer(start.line)
      json.key("column")
      json.integer(start.column)
      switch finding {
      case .count(let expected, let found):
        json.key("expected")
        json.integer(expected)
        json.key("found")
        if let found { json.integer(found) } else { json.null() }
      case .shape(let expected, let found):
        json.key("expected_shape")
        json.integers(expected)
        json.key("found_shape")
        json.integers(found)
      case .numbers(let numbers):
        json.key("index")
        json.integers(numbers.index)
        json.key("expected")
        json.number(numbers.expected)
        json.key("found")
        json.number(numbers.found)
        json.key("off")
        json.integer(numbers.count)
        json.key("of")
        json.integer(numbers.total)
        json.key("tolerance")
        json.number(numbers.tolerance)
      }
    }
  }
}

extension JSONWriter {
  /// Writes a list of integers.
  mutating func integers(_ values: [Int]) {
    array { json in
      for value in values { json.integer(value) }
    }
  }
}
