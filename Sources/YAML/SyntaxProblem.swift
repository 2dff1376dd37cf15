import Diagnostics

/// libyaml's complaint in words that say what was found, what was expected and what to do.
struct SyntaxProblem {
  private(set) var code = DiagnosticCode.syntax
  private(set) var message: String
  private(set) var range: SourceRange
  private(set) var notes: [DiagnosticNote] = []

  /// Describes `problem`, met at byte `place` while reading what began at byte `context`.
  init(_ problem: EventReader.Problem, at place: Int, context: Int?, in source: SourceText) {
    let words = Words(source)
    range = words.token(at: place)
    // What an unclosed bracket swallowed reads as a key, up to its colon.
    let unclosed = problem.problem.hasPrefix("did not find expected ','") && words.byte(at: place) == UInt8(ascii: ":")
    if unclosed { range = SourceRange(start: max(words.lineStart(place), context ?? 0), end: place) }
    message = problem.problem
    let found = words.found(at: range.start == range.end ? place : range.start)

    /// A note at the beginning of what is not closed.
    func opened(_ what: String) -> [DiagnosticNote] {
      guard let context else { return [] }
      return [
        DiagnosticNote(
          "\(what) begins here",
          at: SourcePlace(source: source, range: SourceRange(start: context, end: min(context + 1, source.bytes.count)))
        )
      ]
    }

    switch problem.problem {
    case "found character that cannot start any token":
      switch words.byte(at: place) {
      case UInt8(ascii: "\t"): message = "a tab cannot indent YAML; use spaces"
      case UInt8(ascii: "%"): message = "a value cannot begin with `%`; put quotes around it"
      default: message = "a value cannot begin with \(found); put quotes around it"
      }
    case "found a tab character that violates indentation",
      "found a tab character where an indentation space is expected":
      message = "a tab cannot indent YAML; use spaces"
    case "mapping values are not allowed in this context":
      let key = words.lineStart(place)
      if place - key > 1_024 {
        message = "a key has at most 1,024 characters"
      } else if words.colon(in: key..<place) {
        message = "a second `: ` is not expected in a line; put quotes around a value that holds one"
      } else {
        message = "a `:` is not expected here, since this line goes on with the value above it; check the indentation"
      }
    case "could not find expected ':'":
      let start = context ?? place
      if let colon = words.tightColon(from: start) {
        range = SourceRange(start: colon, end: colon + 1)
        message = "a space is missing behind the `:`"
      } else {
        range = words.lineFrom(start)
        message = "expected `key: value`, but there is no `:` behind \(words.found(at: start))"
      }
    case "did not find expected key":
      let start = words.lineStart(place)
      let column = source.position(at: start).column
      if start < place {
        message = "expected the end of the line, found \(found); the value in front of it ended already"
      } else if let context, source.position(at: context).column == column {
        message = "expected a key of the mapping, found \(found)"
        notes = opened("the mapping")
      } else {
        message = "no line above is indented as this one, by \(column - 1); align it with what it belongs to"
      }
    case "did not find expected '-' indicator":
      message = "expected the list's next item, which begins with `- `, found \(found); check the indentation"
      notes = opened("the list")
    case "did not find expected ',' or ']'":
      message = "expected `,` or `]` in the list, found \(found)"
      notes = opened("the list")
    case "did not find expected ',' or '}'":
      message = "expected `,` or `}` in the mapping, found \(found)"
      notes = opened("the mapping")
    case "did not find expected node content":
      message = "expected a value, found \(found)"
    case "found unexpected end of stream":
      message = "the file ends within quotes that are not closed"
      notes = opened("the quoted string")
    case "found unexpected document indicator":
      message = "the document ends within quotes that are not closed"
      notes = opened("the quoted string")
    case "block sequence entries are not allowed in this context":
      message = "a list item cannot begin here; put `- ` on a line of its own, or use `[…]`"
    case "mapping keys are not allowed in this context":
      message = "a key cannot begin here; put it on a line of its own"
    case "found unknown escape character":
      range = words.escape(at: place)
      message =
        "`\(printable(source.string(in: range)))` is no escape of double quotes; write `\\\\` for a backslash, or use single quotes"
    case "did not find expected hexdecimal number":
      message = "an escape such as `\\x41` or `\\u0041` needs hexadecimal digits, found \(found)"
    case "found invalid Unicode character escape code":
      message = "this escape is not a character"
    case "found unexpected ':'":
      message = "a `:` is not expected here; put quotes around a value that holds one"
    case "did not find expected alphabetic or numeric character":
      let what = problem.context.hasSuffix("alias") ? "an alias (`*name`)" : "an anchor (`&name`)"
      message = "\(what) is named by letters, digits, `_` and `-`, found \(found)"
    case "found undefined tag handle":
      code = .unknownTag
      range = words.tag(at: place)
      message = "the handle of the tag `\(printable(source.string(in: range)))` is not declared; remove the tag"
    case "did not find expected <document start>":
      message = "the document ended above, but more follows: \(found)"
    case "found duplicate %YAML directive", "found duplicate %TAG directive":
      message = "this directive stands here a second time"
    case "found incompatible YAML document":
      range = words.lineFrom(place)
      message = "this version of YAML is not known; remove the line or write `%YAML 1.2`"
    case "did not find expected version number", "did not find expected digit or '.' character",
      "found extremely long version number":
      range = words.lineFrom(words.lineStart(place))
      message = "expected a version behind `%YAML`; remove the line or write `%YAML 1.2`"
    case "found unknown directive name", "could not find directive name", "could not find expected directive name",
      "found unexpected non-alphabetical character":
      message = "this directive is not known; only `%YAML` and `%TAG` are"
    case "found an indentation indicator equal to 0":
      message = "the indentation of a block of text is 1 to 9"
    case "did not find expected comment or line break":
      message = "expected the end of the line, found \(found)"
    case "did not find expected whitespace or line break", "did not find expected whitespace",
      "could not find expected whitespace":
      message = "expected a space, found \(found)"
    case "did not find expected tag URI", "did not find the expected '>'", "did not find expected '!'",
      "did not find URI escaped octet", "found an incorrect leading UTF-8 octet",
      "found an incorrect trailing UTF-8 octet":
      code = .unknownTag
      range = words.tag(at: context ?? place)
      message = "the tag `\(printable(source.string(in: range)))` is not complete; remove it"
    default:
      let doing = problem.context.isEmpty ? "" : " \(problem.context)"
      message = "this is not YAML: \(problem.problem)\(doing)"
    }
    if let marker = words.conflictMarker(before: range.end) {
      self.range = marker
      message = "a merge that was not resolved left this line; choose one of the two versions"
      notes = []
    }
  }

  /// Looks around in the text.
  private struct Words {
    let source: SourceText

    init(_ source: SourceText) { self.source = source }

    func byte(at offset: Int) -> UInt8? { offset < source.bytes.count ? source.bytes[offset] : nil }

    private func isSpace(_ byte: UInt8?) -> Bool {
      byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || isBreak(byte)
    }

    private func isBreak(_ byte: UInt8?) -> Bool {
      byte == nil || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    }

    /// The word or the single sign at `offset`; empty at the end of the file, behind its last character.
    func token(at offset: Int) -> SourceRange {
      var start = min(offset, source.bytes.count)
      guard byte(at: start) != nil else {
        while start > source.textStart, isSpace(byte(at: start - 1)) { start -= 1 }
        return SourceRange(start: start, end: start)
      }
      var end = start
      let signs = Array("[]{},:#&*!|>'\"%@`".utf8)
      while let next = byte(at: end), !isSpace(next), end == start || !signs.contains(next) {
        end += 1
        if signs.contains(next) { break }
      }
      while let next = byte(at: end), next & 0xC0 == 0x80 { end += 1 }
      return SourceRange(start: start, end: max(end, isBreak(byte(at: start)) ? start : start + 1))
    }

    /// What stands at `offset`, in words.
    func found(at offset: Int) -> String {
      guard let first = byte(at: offset) else { return "the end of the file" }
      if isBreak(first) { return "the end of the line" }
      if first == UInt8(ascii: " ") { return "a space" }
      if first == UInt8(ascii: "\t") { return "a tab" }
      return "`\(printable(source.string(in: token(at: offset)), limit: 30))`"
    }

    /// The first character on the line of `offset`.
    func lineStart(_ offset: Int) -> Int {
      var start = offset
      while start > 0, !isBreak(byte(at: start - 1)) { start -= 1 }
      while start < offset, isSpace(byte(at: start)) { start += 1 }
      return start
    }

    /// Whether a `:` that space follows stands in `range`.
    func colon(in range: Range<Int>) -> Bool {
      range.contains { byte(at: $0) == UInt8(ascii: ":") && isSpace(byte(at: $0 + 1)) }
    }

    /// The first line up to that of `offset` that marks a conflict of versions, as git writes it.
    func conflictMarker(before offset: Int) -> SourceRange? {
      let marker = Array("<<<<<<< ".utf8)
      for number in 1...source.position(at: offset).line {
        let line = source.line(number)
        if line.starts(with: marker) { return SourceRange(start: line.startIndex, end: line.endIndex) }
      }
      return nil
    }

    /// The tag at `offset`.
    func tag(at offset: Int) -> SourceRange {
      var end = offset
      while !isSpace(byte(at: end)), byte(at: end) != UInt8(ascii: ",") { end += 1 }
      return SourceRange(start: offset, end: end)
    }

    /// From `offset` to the end of its line, without trailing space.
    func lineFrom(_ offset: Int) -> SourceRange {
      var end = offset
      while !isBreak(byte(at: end)) { end += 1 }
      while end > offset, isSpace(byte(at: end - 1)) { end -= 1 }
      return SourceRange(start: offset, end: end)
    }

    /// The first `:` behind the word at `offset` that is followed by something other than space.
    func tightColon(from offset: Int) -> Int? {
      let line = lineFrom(offset)
      for index in line.start..<line.end where byte(at: index) == UInt8(ascii: ":") {
        if index + 1 < line.end, !isSpace(byte(at: index + 1)), byte(at: index + 1) != UInt8(ascii: "/") {
          return index
        }
      }
      return nil
    }

    /// The escape around `offset`.
    func escape(at offset: Int) -> SourceRange {
      var start = offset
      while start > 0, byte(at: start) != UInt8(ascii: "\\"), offset - start < 2 { start -= 1 }
      var end = min(start + 2, source.bytes.count)
      while let next = byte(at: end), next & 0xC0 == 0x80 { end += 1 }
      return SourceRange(start: start, end: end)
    }
  }
}
