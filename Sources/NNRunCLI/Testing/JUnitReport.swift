extension TestReport {
  /// The report as JUnit XML, which continuous integration services read: a suite for each file, a case for each test.
  var junit: String {
    var text = #"<?xml version="1.0" encoding="UTF-8"?>"# + "\n"
    let totals = "tests=\"\(entries.count + badFiles.count)\" failures=\"\(failed)\" errors=\"\(errors)\""
    text += "<testsuites name=\"nnrun\" \(totals) time=\"\(Self.time(seconds))\">\n"
    var files: [String] = []
    for file in entries.map(\.file) + badFiles.map(\.file) where files.last != file && !files.contains(file) {
      files.append(file)
    }
    for file in files { text += suite(of: file) }
    return text + "</testsuites>\n"
  }

  private func suite(of file: String) -> String {
    let own = entries.filter { $0.file == file }
    let bad = badFiles.filter { $0.file == file }
    let failures = own.count { if case .failed = $0.outcome { true } else { false } }
    let errors = own.count { if case .error = $0.outcome { true } else { false } } + bad.count
    var text = "  <testsuite name=\(Self.quoted(file)) tests=\"\(own.count + bad.count)\" failures=\"\(failures)\" "
    text += "errors=\"\(errors)\" time=\"\(Self.time(own.reduce(0) { $0 + $1.seconds }))\">\n"
    for entry in own {
      text += "    <testcase name=\(Self.quoted(entry.name)) classname=\(Self.quoted(file)) file=\(Self.quoted(file)) "
      text += "line=\"\(entry.line)\" time=\"\(Self.time(entry.seconds))\""
      let element: String
      switch entry.outcome {
      case .passed:
        text += "/>\n"
        continue
      case .failed: element = "failure"
      case .error: element = "error"
      }
      text += ">\n" + Self.problem(element, entry.problems) + "    </testcase>\n"
    }
    for (_, message) in bad {
      text += "    <testcase name=\"the model\" classname=\(Self.quoted(file)) file=\(Self.quoted(file)) time=\"0\">\n"
      text += Self.problem("error", [message]) + "    </testcase>\n"
    }
    return text + "  </testsuite>\n"
  }

  private static func problem(_ element: String, _ problems: [String]) -> String {
    "      <\(element) message=\(quoted(problems.first ?? ""))>\(escaped(problems.joined(separator: "\n")))</\(element)>\n"
  }

  private static func time(_ seconds: Double) -> String { decimal(max(seconds, 0.000001), digits: 6) }

  private static func quoted(_ text: String) -> String { "\"\(escaped(text, inAttribute: true))\"" }

  /// The text with what XML would read as its own written as entities; characters that XML does not have become U+FFFD.
  private static func escaped(_ text: String, inAttribute: Bool = false) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\n" where !inAttribute: result += "\n"
      case "\t", "\n", "\r": result += "&#\(scalar.value);"
      case "\u{0}"..<" ", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
