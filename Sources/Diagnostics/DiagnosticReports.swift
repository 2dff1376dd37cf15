/// Renders diagnostics as the JSON array of `validate --format json`, one to a line.
public func renderJSON(_ diagnostics: [Diagnostic]) -> String {
  var json = JSONWriter()
  json.array { json in
    for diagnostic in diagnostics.inFileOrder {
      json.lineBreak()
      json.object { json in
        let end = diagnostic.place.end
        json.start(of: diagnostic.place)
        json.key("endLine")
        json.integer(end.line)
        json.key("endColumn")
        json.integer(end.column)
        json.key("severity")
        json.string(diagnostic.severity.rawValue)
        json.key("code")
        json.string(diagnostic.code.rawValue)
        json.key("message")
        json.string(diagnostic.message)
        json.key("notes")
        json.array { json in
          for note in diagnostic.notes {
            json.object { json in
              json.start(of: note.place)
              json.key("message")
              json.string(note.message)
            }
          }
        }
      }
    }
  }
  return json.text + "\n"
}

/// Renders diagnostics as a SARIF 2.1.0 log of the tool's version `version`.
public func renderSARIF(_ diagnostics: [Diagnostic], version: String) -> String {
  let diagnostics = diagnostics.inFileOrder
  let codes = DiagnosticCode.allCases.filter { code in diagnostics.contains { $0.code == code } }
  var json = JSONWriter()
  json.object { json in
    json.key("$schema")
    json.string("https://json.schemastore.org/sarif-2.1.0.json")
    json.key("version")
    json.string("2.1.0")
    json.key("runs")
    json.array { json in
      json.object { json in
        json.key("tool")
        json.object { json in
          json.key("driver")
          json.object { json in
            json.key("name")
            json.string("nnrun")
            json.key("version")
            json.string(version)
            json.key("rules")
            json.array { json in codes.forEach { json.rule($0) } }
          }
        }
        json.key("columnKind")
        json.string("unicodeCodePoints")
        json.key("results")
        json.array { json in
          for diagnostic in diagnostics {
            json.lineBreak()
            json.result(diagnostic, ruleIndex: codes.firstIndex(of: diagnostic.code) ?? 0)
          }
        }
      }
    }
  }
  return json.text + "\n"
}

extension JSONWriter {
  /// Writes `file`, `line` and `column`; null where there is no place.
  fileprivate mutating func start(of place: SourcePlace?) {
    let start = place?.start
    key("file")
    if let place { string(place.source.name) } else { null() }
    key("line")
    if let start { integer(start.line) } else { null() }
    key("column")
    if let start { integer(start.column) } else { null() }
  }

  fileprivate mutating func text(_ name: String, _ value: String) {
    key(name)
    object { json in
      json.key("text")
      json.string(value)
    }
  }

  fileprivate mutating func rule(_ code: DiagnosticCode) {
    let details = code.details
    lineBreak()
    object { json in
      json.key("id")
      json.string(code.rawValue)
      json.text("shortDescription", details.summary)
      json.text("fullDescription", details.explanation)
      json.text("help", details.explanation)
      json.key("defaultConfiguration")
      json.object { json in
        json.key("level")
        json.string(details.severity.rawValue)
      }
    }
  }

  fileprivate mutating func result(_ diagnostic: Diagnostic, ruleIndex: Int) {
    object { json in
      json.key("ruleId")
      json.string(diagnostic.code.rawValue)
      json.key("ruleIndex")
      json.integer(ruleIndex)
      json.key("level")
      json.string(diagnostic.severity.rawValue)
      // A note that has no place goes into the message; SARIF has none for it.
      let remarks = diagnostic.notes.filter { $0.place == nil }.map { "\nnote: " + $0.message }
      json.text("message", diagnostic.message + remarks.joined())
      json.key("locations")
      json.array { json in json.object { $0.location(diagnostic.place) } }
      let related = diagnostic.notes.filter { $0.place != nil }
      guard !related.isEmpty else { return }
      json.key("relatedLocations")
      json.array { json in
        for note in related {
          json.object { json in
            json.text("message", note.message)
            if let place = note.place { json.location(place) }
          }
        }
      }
    }
  }

  fileprivate mutating func location(_ place: SourcePlace) {
    let (start, end) = (place.start, place.end)
    key("physicalLocation")
    object { json in
      json.key("artifactLocation")
      json.object { json in
        json.key("uri")
        json.string(uri(ofPath: place.source.name))
      }
      json.key("region")
      json.object { json in
        json.key("startLine")
        json.integer(start.line)
        json.key("startColumn")
        json.integer(start.column)
        json.key("endLine")
        json.integer(end.line)
        json.key("endColumn")
        json.integer(end.column)
      }
    }
  }
}

/// The URI reference of a file: absolute paths as `file:` URIs, what a URI does not allow percent-encoded.
private func uri(ofPath path: String) -> String {
  var uri = path.hasPrefix("/") ? "file://" : ""
  for byte in path.utf8 {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"),
      UInt8(ascii: "_"), UInt8(ascii: "~"):
      uri.unicodeScalars.append(Unicode.Scalar(byte))
    default:
      let digits = String(byte, radix: 16, uppercase: true)
      uri += "%" + (digits.count == 1 ? "0" : "") + digits
    }
  }
  return uri
}
