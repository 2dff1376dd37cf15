package import Diagnostics

/// Adds, replaces and removes entries of a mapping in its text, in the style that it is written in.
package struct MappingEditor {
  package let mapping: Node
  private let source: SourceText
  private let layout: SourceLayout

  /// An editor of a mapping that stands in `source`.
  package init(_ mapping: Node, in source: SourceText) {
    self.mapping = mapping
    self.source = source
    layout = SourceLayout(source)
  }

  /// Whether the mapping stands in braces.
  package var isFlow: Bool { layout.byte(mapping.range.start) == UInt8(ascii: "{") }

  /// The entries that the mapping itself has, in the order of the text.
  package var ownEntries: [Node.Entry] { (mapping.entries ?? []).filter { !$0.isMerged } }

  /// Where the text of an entry's value begins, tag and anchor included, or the `*` of an alias; nil where there is no
  /// value, or the text is unlike anything that can be edited.
  package func valueStart(_ entry: Node.Entry) -> Int? {
    let colon = layout.skippingSpace(entry.keyRange.end)
    guard layout.byte(colon) == UInt8(ascii: ":") else { return nil }
    let start = layout.skippingSpace(colon + 1)
    return start < source.bytes.count ? start : nil
  }

  /// The alias that an entry's value is, `*name`.
  package func alias(_ entry: Node.Entry) -> SourceRange? {
    guard let start = valueStart(entry), layout.byte(start) == UInt8(ascii: "*") else { return nil }
    return aliasRange(at: start)
  }

  private func aliasRange(at start: Int) -> SourceRange {
    var end = start + 1
    while let byte = layout.byte(end), isNameByte(byte) { end += 1 }
    return SourceRange(start: start, end: end)
  }

  /// Whether the value of an entry stands right behind its key.
  private func isLocal(_ entry: Node.Entry) -> Bool {
    guard let start = valueStart(entry), layout.byte(start) != UInt8(ascii: "*") else { return false }
    return entry.value.range.start >= start && entry.value.range.end > entry.value.range.start
  }

  /// The text of a key or a string in the style of a neighbour: in quotes as JSON has them where the neighbour's key is.
  private func quoted(_ text: String, like neighbour: Node.Entry) -> String {
    layout.byte(neighbour.keyRange.start) == UInt8(ascii: "\"") ? "\"\(text)\"" : text
  }

  /// Whether keys of the mapping are quoted as JSON wants them.
  package var isJSON: Bool {
    ownEntries.first.map { layout.byte($0.keyRange.start) == UInt8(ascii: "\"") } ?? false
  }

  /// The column in spaces under which a value may go on in further lines.
  package func continuation(at offset: Int) -> String {
    isFlow
      ? layout.lineIndentation(offset) + "    "
      : (ownEntries.first.map { layout.indentation($0.keyRange.start) } ?? "") + "  "
  }

  /// Inserts `key: value` behind one of the entries `preferred` (the last in the text that allows it), else behind any
  /// other. `value` is made for the indentation under which it may go on. False where no place is found.
  package func insert(
    _ key: String, after preferred: (Node.Entry) -> Bool = { _ in true }, into edits: inout SourceEdits,
    value: (_ continuation: String) -> String
  ) -> Bool {
    let candidates = ownEntries.filter(preferred).reversed() + ownEntries.filter { !preferred($0) }.reversed()
    for entry in candidates where isLocal(entry) {
      let end = entry.value.range.end
      if isFlow {
        let text = "\(quoted(key, like: entry)): \(value(continuation(at: entry.keyRange.start)))"
        insertInFlow(text, after: entry, end: end, &edits)
        return true
      }
      guard isOneLine(entry), layout.isLastOnLine(end) else { continue }
      let indentation = layout.indentation(entry.keyRange.start)
      let text = "\(quoted(key, like: entry)): \(value(indentation + "  "))"
      edits.insert(layout.lineBreak + indentation + text, at: layout.lineEnd(end))
      return true
    }
    return false
  }

  private func insertInFlow(_ text: String, after entry: Node.Entry, end: Int, _ edits: inout SourceEdits) {
    guard layout.isFirstOnLine(entry.keyRange.start) else { return edits.insert(", " + text, at: end) }
    // An entry on a line of its own gets a line for its follower.
    let newLine = layout.lineBreak + layout.indentation(entry.keyRange.start)
    let next = layout.skippingBlanks(end)
    if layout.byte(next) == UInt8(ascii: ","), layout.isLastOnLine(next + 1) {
      edits.insert(newLine + text + ",", at: layout.lineEnd(next))
    } else {
      edits.insert("," + newLine + text, at: end)
    }
  }

  /// Whether an entry's value begins on the line of its key and is no block, so that its end is where it seems to be.
  private func isOneLine(_ entry: Node.Entry) -> Bool {
    guard let first = layout.byte(entry.value.range.start) else { return false }
    switch entry.value.content {
    case .scalar(let scalar):
      // A plain text that goes on in further lines ends where it seems to, too.
      return scalar.isPlain || first == UInt8(ascii: "\"") || first == UInt8(ascii: "'")
    case .mapping: return first == UInt8(ascii: "{")
    case .sequence, .numbers: return first == UInt8(ascii: "[")
    }
  }

  /// Puts `value` in the place of an entry's value with its tag, or of its alias; an anchor stays, and so do comments among
  /// the numbers, behind the new value.
  package func replaceValue(of entry: Node.Entry, with value: String, into edits: inout SourceEdits) -> Bool {
    guard let start = valueStart(entry) else { return false }
    if let alias = alias(entry) {
      edits.replace(alias, with: value)
      return true
    }
    let range = SourceRange(start: start, end: entry.value.range.end)
    guard range.end >= start else { return false }
    edits.replace(range, with: anchor(at: start) + value + commentsKept(from: range, of: entry))
    return true
  }

  /// The comments in the text of a value as they can stand behind another one.
  private func commentsKept(from range: SourceRange, of entry: Node.Entry) -> String {
    // Within quotes a `#` is none.
    let hasQuotes = source.bytes[range.start..<range.end].contains {
      $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "'")
    }
    let comments = hasQuotes ? [] : layout.comments(in: range)
    if comments.isEmpty { return "" }
    if isFlow {
      let newLine = layout.lineBreak + continuation(at: entry.keyRange.start)
      return comments.map { " " + $0 + newLine }.joined()
    }
    return layout.isLastOnLine(range.end) ? " " + comments.joined(separator: " ") : ""
  }

  /// The anchor in front of a value that begins at `start` with its properties, and a space; empty where there is none.
  private func anchor(at start: Int) -> String {
    var offset = start
    while let byte = layout.byte(offset), byte == UInt8(ascii: "&") || byte == UInt8(ascii: "!") {
      var end = offset + 1
      while let next = layout.byte(end), !SourceLayout.isBlank(next), !SourceLayout.isBreak(next) { end += 1 }
      if byte == UInt8(ascii: "&") { return source.string(in: SourceRange(start: offset, end: end)) + " " }
      offset = layout.skippingSpace(end)
    }
    return ""
  }

  /// Removes an entry and keeps the comments in it and behind it. False where it is the only one, or cannot be told from
  /// what stands around it.
  package func remove(_ entry: Node.Entry, from edits: inout SourceEdits) -> Bool {
    let entries = ownEntries
    guard entries.count > 1, let index = entries.firstIndex(where: { $0.keyRange == entry.keyRange }) else {
      return false
    }
    let end = alias(entry)?.end ?? entry.value.range.end
    guard let valueStart = valueStart(entry), end >= valueStart else { return false }
    let start = entry.keyRange.start
    if isFlow {
      let previous = index > 0 ? entries[index - 1] : nil
      return removeFromFlow(SourceRange(start: start, end: end), behind: previous, &edits)
    }
    guard layout.isLastOnLine(end) else { return false }
    let lines = SourceRange(start: start, end: layout.lineEnd(end))
    let indentation = layout.indentation(start)
    let comments = layout.comments(in: lines)
    if layout.isFirstOnLine(start) {
      let kept = comments.map { indentation + $0 + layout.lineBreak }.joined()
      edits.replace(SourceRange(start: layout.lineStart(start), end: layout.nextLine(end)), with: kept)
      return true
    }
    // Behind `- `: the next entry moves up.
    guard index + 1 < entries.count else { return false }
    let next = entries[index + 1].keyRange.start
    guard next > end, layout.isFirstOnLine(next) else { return false }
    let kept = layout.comments(in: SourceRange(start: start, end: next)).map { $0 + layout.lineBreak + indentation }
    edits.replace(SourceRange(start: start, end: next), with: kept.joined())
    return true
  }

  /// An entry goes with the comma before it, the first one with the comma behind it.
  private func removeFromFlow(
    _ range: SourceRange, behind previous: Node.Entry?, _ edits: inout SourceEdits
  ) -> Bool {
    let indentation = layout.lineIndentation(range.start)
    func kept(_ range: SourceRange) -> String {
      layout.comments(in: range).map { " " + $0 + layout.lineBreak + indentation }.joined()
    }
    guard let previous else {
      let comma = layout.skippingSpace(range.end)
      guard layout.byte(comma) == UInt8(ascii: ",") else { return false }
      let removed = SourceRange(start: range.start, end: layout.skippingBlanks(comma + 1))
      edits.replace(removed, with: kept(SourceRange(start: range.start, end: comma)))
      return true
    }
    let comma = layout.skippingSpace(alias(previous)?.end ?? previous.value.range.end)
    guard comma < range.start, layout.byte(comma) == UInt8(ascii: ",") else { return false }
    let removed = SourceRange(start: comma, end: range.end)
    edits.replace(removed, with: kept(removed))
    return true
  }
}

/// Whether a byte may stand in the name of an anchor.
private func isNameByte(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
    true
  default: false
  }
}

/// A string as a plain YAML scalar where that is safe, else in double quotes.
package func scalarText(_ text: String, isJSON: Bool = false) -> String {
  let isSafe =
    !isJSON && text.utf8.first.map(isWordByte) ?? false
    && text.utf8.allSatisfy {
      isWordByte($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "-")
    }
    && isPlainString(text)
  if isSafe { return text }
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\u{0}"..<" ", "\u{7F}"..."\u{A0}", "\u{2028}", "\u{2029}", "\u{FEFF}":
      let digits = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}

private func isWordByte(_ byte: UInt8) -> Bool { isNameByte(byte) && byte != UInt8(ascii: "-") }

/// Whether a plain scalar of this text is a string, and not a number, a boolean or null.
private func isPlainString(_ text: String) -> Bool {
  if case .string = ScalarResolution.resolve(text) { true } else { false }
}
