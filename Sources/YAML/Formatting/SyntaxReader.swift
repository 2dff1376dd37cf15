import Diagnostics

/// Builds the tree of a document as it is written, and gives each comment to what it belongs to.
///
/// A comment behind something on its line belongs to that; one on a line of its own to what follows, or, where it is
/// indented as the entries before it are and no entry follows these, to the end of their list.
struct SyntaxReader {
  private let source: SourceText
  private let layout: SourceLayout
  private let events: [SyntaxEvents.Event]
  private var index = 0
  /// The byte up to which the text was looked at.
  private var position: Int
  private var pending: [SyntaxComment] = []
  private var comments: [String] = []
  /// The line breaks since the last value or comment.
  private var newlines = 0
  /// Whether a line break stands behind the last value, and whether an indicator does, on the same line.
  private var hasBreak = false
  private var isBehindIndicator = false
  /// Whether an empty line stands before the last dash.
  private var hasBlankBeforeDash = false

  /// Whether an empty line stands behind the last value or comment.
  private var hasBlank: Bool { newlines > 1 }

  /// The document of a text that was parsed without errors; nil where its syntax is beyond this reader.
  static func read(_ source: SourceText) -> SyntaxDocument? {
    guard let events = SyntaxEvents(source) else { return nil }
    var reader = SyntaxReader(source, events.events)
    return reader.document()
  }

  private init(_ source: SourceText, _ events: [SyntaxEvents.Event]) {
    self.source = source
    self.events = events
    layout = SourceLayout(source)
    position = source.textStart
  }

  private var event: SyntaxEvents.Event { events[min(index, events.count - 1)] }

  private mutating func document() -> SyntaxDocument? {
    guard events.count > 4, events[1].kind == .documentStart else { return nil }
    index = 2
    var prefix: [UInt8] = []
    if events[1].end > events[1].start {
      prefix = Array(source.bytes[source.textStart..<events[1].end])
      advance(to: events[1].end)
    }
    scan(to: event.start)
    var leading: [SyntaxComment] = []
    let root = value(blockColumn: -1, isInFlow: false) { comments in leading = comments }
    let end = event
    guard end.kind == .documentEnd else { return nil }
    var suffix: [UInt8] = []
    let isExplicit = end.end > end.start
    scan(to: isExplicit ? end.start : source.bytes.count)
    if isExplicit { suffix = Array(source.bytes[end.start...]) }
    if let first = pending.first, !first.isOnOwnLine, root.isFlow {
      root.surroundings.trailing = pending.removeFirst()
    }
    return SyntaxDocument(
      source: source, prefix: prefix, leading: leading, root: root, tail: pending, suffix: suffix, comments: comments)
  }

  // MARK: Between values

  /// Looks at the space, indicators and comments up to `end`.
  private mutating func scan(to end: Int) {
    var isAtStart = position == source.textStart
    while position < min(end, source.bytes.count) {
      let byte = source.bytes[position]
      if SourceLayout.isBreak(byte) {
        newlines += 1
        hasBreak = true
        isBehindIndicator = false
        position = layout.nextLine(position)
      } else if SourceLayout.isBlank(byte) {
        position += 1
      } else if byte == UInt8(ascii: "#") {
        let lineEnd = layout.lineEnd(position)
        var textEnd = lineEnd
        while textEnd > position, SourceLayout.isBlank(source.bytes[textEnd - 1]) { textEnd -= 1 }
        let text = source.string(in: SourceRange(start: position, end: textEnd))
        let column = layout.indentation(position).utf8.count
        pending.append(
          SyntaxComment(
            text: text, isOnOwnLine: (newlines > 0 || isAtStart) && !isBehindIndicator,
            isBehindIndicator: isBehindIndicator, hasBlankBefore: newlines > (isAtStart ? 0 : 1), column: column,
            lineColumn: layout.lineIndentation(position).utf8.count,
            gap: source.bytes[..<position].reversed().prefix(while: SourceLayout.isBlank).count))
        comments.append(text)
        newlines = 0
        position = lineEnd
      } else {
        if byte == UInt8(ascii: "-"), !isBehindIndicator { hasBlankBeforeDash = newlines > 1 }
        isBehindIndicator = true
        position += 1
      }
      isAtStart = isAtStart && (SourceLayout.isBlank(byte) || SourceLayout.isBreak(byte))
    }
  }

  /// Passes over something that is neither space nor a comment.
  private mutating func advance(to end: Int) {
    position = max(position, end)
    // A literal that keeps the lines behind it ends at the start of a line.
    newlines = position > source.textStart && SourceLayout.isBreak(source.bytes[position - 1]) ? 1 : 0
    hasBreak = false
    isBehindIndicator = false
    hasBlankBeforeDash = false
  }

  /// Takes the comments that were found.
  private mutating func takePending() -> [SyntaxComment] {
    defer { pending = [] }
    return pending
  }

  /// Takes a comment that stands behind the last value on its line.
  private mutating func takeTrailing(inFlow: Bool) -> SyntaxComment? {
    guard let first = pending.first, !first.isOnOwnLine, inFlow || !first.isBehindIndicator else { return nil }
    return pending.removeFirst()
  }

  // MARK: Values

  /// Reads the value that the next event begins; comments before its first entry that nothing in it can take go to
  /// `leading`.
  private mutating func value(
    blockColumn: Int, isInFlow: Bool, leading: ([SyntaxComment]) -> Void
  ) -> SyntaxElement {
    let event = event
    index += 1
    for property in event.properties {
      scan(to: property.start)
      advance(to: property.end)
    }
    scan(to: event.contentStart)
    switch event.kind {
    case .sequenceStart, .mappingStart:
      let opener: UInt8 = event.kind == .sequenceStart ? UInt8(ascii: "[") : UInt8(ascii: "{")
      let isFlow = isInFlow || (event.contentStart < source.bytes.count && source.bytes[event.contentStart] == opener)
      let element = SyntaxElement(
        .row([]), properties: event.properties, range: SourceRange(start: event.contentStart, end: event.contentStart),
        isFlow: isFlow, isInFlow: isInFlow,
        column: isFlow ? blockColumn : layout.indentation(event.contentStart).utf8.count)
      if isFlow {
        leading(takePending())
        if source.bytes[event.contentStart] == opener { advance(to: event.contentStart + 1) }
      } else if let first = pending.firstIndex(where: { !$0.isOnOwnLine }) {
        element.head = pending.remove(at: first)
      }
      if event.kind == .sequenceStart {
        readItems(of: element, blockColumn: blockColumn)
      } else {
        readEntries(of: element, blockColumn: blockColumn)
      }
      return element
    default:
      leading(takePending())
      var end = event.end
      if event.scalarStyle != .block || !keepsLines(event) {
        while end > event.contentStart, isSpace(source.bytes[end - 1]) { end -= 1 }
      }
      advance(to: end)
      return SyntaxElement(
        event.kind == .alias ? .alias : .scalar, properties: event.properties,
        range: SourceRange(start: min(event.contentStart, end), end: end), scalarStyle: event.scalarStyle,
        isInFlow: isInFlow, column: blockColumn)
    }
  }

  private func isSpace(_ byte: UInt8) -> Bool { SourceLayout.isBlank(byte) || SourceLayout.isBreak(byte) }

  /// Whether a literal keeps the empty lines behind it (`|+`).
  private func keepsLines(_ event: SyntaxEvents.Event) -> Bool {
    source.bytes[event.contentStart..<event.end].prefix { !isSpace($0) }.contains(UInt8(ascii: "+"))
  }

  private mutating func readItems(of element: SyntaxElement, blockColumn: Int) {
    var row: [SourceRange]? = []
    var items: [SyntaxElement] = []
    while event.kind != .sequenceEnd {
      let next = event
      scan(to: next.start)
      let isFirst = (row?.isEmpty ?? true) && items.isEmpty
      if element.isFlow, !isFirst, hasBreak { element.isBroken = true }
      if pending.isEmpty, (element.isFlow || !hasBlankBeforeDash), row != nil, isWord(next) {
        row?.append(SourceRange(start: next.contentStart, end: next.end))
        index += 1
        advance(to: next.end)
        continue
      }
      if let words = row {
        items = Self.words(words, of: element)
        row = nil
      }
      if let last = items.last, let trailing = takeTrailing(inFlow: element.isFlow) {
        last.surroundings.trailing = trailing
      }
      let isCollection = next.kind == .sequenceStart || next.kind == .mappingStart
      let blank = element.isFlow ? hasBlank : hasBlankBeforeDash
      var before = takePending()
      var head: SyntaxComment?
      if let first = before.firstIndex(where: \.isBehindIndicator), !element.isFlow, isCollection {
        // What comes after it belongs to the first entry.
        head = before[first]
        pending = Array(before[(first + 1)...])
        before.removeSubrange(first...)
      }
      let item = value(blockColumn: element.column, isInFlow: element.isFlow) { before += $0 }
      item.surroundings.leading = before
      item.surroundings.hasBlankBefore = blank
      if let head { item.head = item.head ?? head }
      items.append(item)
    }
    finish(element, blockColumn: blockColumn, hasEntries: !items.isEmpty || row?.isEmpty == false) { trailing in
      if let words = row {
        items = Self.words(words, of: element)
        row = nil
      }
      items.last?.surroundings.trailing = trailing
    }
    element.content = row.map { .row($0) } ?? .sequence(items)
  }

  /// Whether an event is a plain scalar that a row can hold.
  private func isWord(_ event: SyntaxEvents.Event) -> Bool {
    event.kind == .scalar && event.scalarStyle == .plain && event.properties.isEmpty && event.end > event.contentStart
      && !source.bytes[event.contentStart..<event.end].contains(where: SourceLayout.isBreak)
  }

  /// The words of a row as values of their own.
  private static func words(_ ranges: [SourceRange], of row: SyntaxElement) -> [SyntaxElement] {
    ranges.map { SyntaxElement(.scalar, properties: [], range: $0, isInFlow: row.isFlow, column: row.column) }
  }

  private mutating func readEntries(of element: SyntaxElement, blockColumn: Int) {
    var entries: [SyntaxEntry] = []
    while event.kind != .mappingEnd {
      scan(to: event.start)
      if !entries.isEmpty, let trailing = takeTrailing(inFlow: element.isFlow) {
        entries[entries.count - 1].surroundings.trailing = trailing
      }
      var surroundings = SyntaxSurroundings(leading: takePending(), hasBlankBefore: hasBlank)
      let name = event.text ?? ""
      let key = value(blockColumn: element.column, isInFlow: element.isFlow) { surroundings.leading += $0 }
      scan(to: event.start)
      let isBlockCollection =
        !element.isFlow && (event.kind == .sequenceStart || event.kind == .mappingStart)
        && !isFlowOpener(event)
      var head: SyntaxComment?
      if isBlockCollection {
        if let first = pending.firstIndex(where: { !$0.isOnOwnLine }) { head = pending.remove(at: first) }
      } else {
        surroundings.leading += takePending()
      }
      let value = value(blockColumn: element.column, isInFlow: element.isFlow) { surroundings.leading += $0 }
      if let head { value.head = value.head ?? head }
      entries.append(SyntaxEntry(key: key, value: value, surroundings: surroundings, name: name))
    }
    finish(element, blockColumn: blockColumn, hasEntries: !entries.isEmpty) { trailing in
      if !entries.isEmpty { entries[entries.count - 1].surroundings.trailing = trailing }
    }
    element.content = .mapping(entries)
  }

  private func isFlowOpener(_ event: SyntaxEvents.Event) -> Bool {
    let byte = event.contentStart < source.bytes.count ? source.bytes[event.contentStart] : 0
    return byte == UInt8(ascii: event.kind == .sequenceStart ? "[" : "{")
  }

  /// Reads the end of a collection and the comments behind its last entry.
  private mutating func finish(
    _ element: SyntaxElement, blockColumn: Int, hasEntries: Bool, trailing: (SyntaxComment) -> Void
  ) {
    let end = event
    index += 1
    if element.isFlow {
      let hasBracket = end.end > end.start
      scan(to: hasBracket ? end.end - 1 : end.start)
      if hasEntries, let comment = takeTrailing(inFlow: true) { trailing(comment) }
      element.tail = takePending()
      advance(to: end.end)
      return
    }
    scan(to: end.start)
    if let comment = takeTrailing(inFlow: false) { trailing(comment) }
    // A list that is no deeper than the mapping around it leaves comments to the mapping's next entry.
    let isShallow = element.column <= blockColumn
    while let first = pending.first, isShallow ? first.column > element.column : first.column >= element.column {
      element.tail.append(pending.removeFirst())
    }
  }
}
