import Diagnostics

/// libyaml's events over a whole text, with bytes for places.
struct SyntaxEvents {
  struct Event {
    let kind: EventReader.Kind
    /// Its first byte, anchor and tag included.
    let start: Int
    /// Its first byte behind anchor and tag.
    let contentStart: Int
    let end: Int
    let properties: [SourceRange]
    let scalarStyle: SyntaxElement.ScalarStyle
    /// The scalar's text, kept for keys alone.
    let text: String?
  }

  private(set) var events: [Event] = []

  /// The events of a text that was parsed without errors; nil where libyaml stops after all.
  init?(_ source: SourceText) {
    let base = source.textStart
    var cursor = CodePointCursor(bytes: source.bytes, base: base, isASCII: source.isASCII)
    var isSound = true
    // Of each collection that is open: whether it is a mapping, and whether a key comes next.
    var open: [(isMapping: Bool, awaitsKey: Bool)] = []
    unsafe source.bytes.withUnsafeBufferPointer { bytes in
      var reader = unsafe EventReader(bytes: UnsafeBufferPointer(rebasing: bytes[base...]))
      do throws(EventReader.Problem) {
        var isEnd = false
        while !isEnd {
          let kind = try reader.next()
          isEnd = kind == .streamEnd
          switch kind {
          case .sequenceEnd, .mappingEnd: open.removeLast()
          case .scalar, .alias, .sequenceStart, .mappingStart: break
          case .documentStart, .documentEnd, .streamStart, .streamEnd: break
          }
          let isKey = open.last.map { $0.isMapping && $0.awaitsKey } ?? false
          events.append(Self.event(kind, reader, isKey: isKey, &cursor, source))
          switch kind {
          case .scalar, .alias, .sequenceStart, .mappingStart:
            if let last = open.indices.last, open[last].isMapping { open[last].awaitsKey.toggle() }
            if kind == .sequenceStart { open.append((false, false)) }
            if kind == .mappingStart { open.append((true, true)) }
          default: break
          }
        }
      } catch {
        isSound = false
      }
    }
    guard isSound else { return nil }
  }

  private static func event(
    _ kind: EventReader.Kind, _ reader: borrowing EventReader, isKey: Bool, _ cursor: inout CodePointCursor,
    _ source: SourceText
  ) -> Event {
    let start = cursor.offset(of: reader.startIndex)
    let end = max(cursor.offset(of: reader.endIndex), start)
    var contentStart = start
    var properties: [SourceRange] = []
    if kind != .alias {
      let (anchor, tag) = (reader.anchor, reader.tag)
      if anchor != nil || tag != nil {
        let written = NodeProperties(in: source.bytes, at: start, hasAnchor: anchor != nil, hasTag: tag != nil)
        properties = [written.anchor, written.tag].compactMap { $0 }.sorted { $0.start < $1.start }
        let last = properties.last?.end ?? start
        // Nothing but properties: the value is empty.
        contentStart = kind == .scalar && written.contentStart >= end && end <= last ? last : written.contentStart
      }
    }
    let style: SyntaxElement.ScalarStyle =
      kind != .scalar || reader.isPlain ? .plain : reader.isQuoted ? .quoted : .block
    return Event(
      kind: kind, start: start, contentStart: contentStart, end: max(end, contentStart), properties: properties,
      scalarStyle: style, text: isKey && kind == .scalar ? reader.text : nil)
  }
}
