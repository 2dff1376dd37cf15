import Diagnostics

/// Values on one line, with brackets where they need them.
struct FlowText<Role: LayoutRole> {
  let source: SourceText
  private(set) var bytes: [UInt8] = []
  private(set) var width = 0
  private let limit: Int

  /// The text of a value in at most `limit` characters; nil where it needs more, or several lines.
  static func oneLine(_ element: SyntaxElement, _ role: Role, limit: Int, in source: SourceText) -> [UInt8]? {
    if element.hasComments { return nil }
    var text = FlowText(source: source, limit: limit)
    return text.append(element, role, isInside: false) ? text.bytes : nil
  }

  private init(source: SourceText, limit: Int) {
    self.source = source
    self.limit = limit
  }

  private mutating func append(_ text: some Collection<UInt8>) -> Bool {
    bytes += text
    width += text.count { $0 & 0xC0 != 0x80 }
    return width <= limit
  }

  private mutating func append(_ text: StaticString) -> Bool { append(Array(text.description.utf8)) }

  private mutating func append(_ range: SourceRange) -> Bool { append(source.bytes[range.start..<range.end]) }

  private mutating func append(_ element: SyntaxElement, _ role: Role, isInside: Bool) -> Bool {
    for property in element.properties { guard append(property), append(" ") else { return false } }
    switch element.content {
    case .alias: return append(element.range)
    case .scalar:
      if element.range.start == element.range.end, !element.properties.isEmpty { bytes.removeLast() }
      return fits(element.range, element, isInside: isInside) && append(element.range)
    case .row(let words):
      guard append("[") else { return false }
      for (index, word) in words.enumerated() {
        guard index == 0 || append(", "), fits(word, element, isInside: true), append(word) else { return false }
      }
      return append("]")
    case .sequence(let items):
      // Rows that their author put on lines of their own stay there.
      if role.isListOfLines || element.hasBrokenRows, !items.isEmpty { return false }
      guard append("[") else { return false }
      for (index, item) in items.enumerated() {
        guard !item.isNothing, index == 0 || append(", "), append(item, role.ofItems, isInside: true) else {
          return false
        }
      }
      return append("]")
    case .mapping(let entries):
      guard append("{") else { return false }
      for (index, entry) in entries.enumerated() {
        let inner = role.role(under: entry.name, of: element, in: source)
        guard index == 0 || append(", "), append(entry.key, inner, isInside: true) else { return false }
        // In brackets libyaml takes no colon without a value.
        if entry.value.isNothing { continue }
        if case .alias = entry.key.content { guard append(" ") else { return false } }
        guard append(": "), append(entry.value, inner, isInside: true) else { return false }
      }
      return append("}")
    }
  }

  /// Whether a scalar can stand on one line, and in brackets where it has to.
  private func fits(_ range: SourceRange, _ element: SyntaxElement, isInside: Bool) -> Bool {
    let text = source.bytes[range.start..<range.end]
    guard element.scalarStyle != .block, !text.contains(where: SourceLayout.isBreak) else { return false }
    let isFromFlow = element.isInFlow || element.isFlow
    return !isInside || isFromFlow || element.scalarStyle == .quoted || !text.contains(where: isFlowIndicator)
  }
}

/// Whether a byte may mean something else in a plain scalar once that stands in brackets.
private func isFlowIndicator(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}"),
    UInt8(ascii: "?"), UInt8(ascii: ":"), UInt8(ascii: "#"):
    true
  default: false
  }
}

extension SyntaxElement {
  /// Whether nothing stands there at all.
  var isNothing: Bool {
    guard case .scalar = content else { return false }
    return range.start == range.end && properties.isEmpty
  }
}
