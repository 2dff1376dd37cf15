import Diagnostics

/// Makes nodes of libyaml's events, and finds what libyaml does not: duplicate keys, bad aliases, tags that do not fit.
///
/// Numbers of lists that may yet become packed lie on one stack, `values`; a list that ends as a rectangle of numbers
/// leaves them there for the list around it, so that a million weights are never copied or made nodes.
struct NodeBuilder {
  /// The most collections within one another.
  static let deepest = 64
  /// The most values, those of packed lists left out.
  static let mostNodes = 10_000_000
  /// The most values that aliases may add, written out in full; of packed numbers, sixteen count as one.
  static let mostAliasedNodes = 1_000_000
  /// The most errors that are listed.
  static let mostDiagnostics = 1_000
  /// The most anchors among which one is looked for that an author may have meant.
  private static let mostCandidates = 200
  /// What a node costs when aliases are counted; a packed number costs 1.
  static let nodeCost = 16

  /// A collection that is being read.
  struct Frame {
    let isMapping: Bool
    /// Whether it stands in brackets.
    let isFlow: Bool
    /// Its first byte.
    let start: Int
    let properties: Properties
    /// What had been read when it began, in the units of `nodeCost`.
    let costBefore: Int
    /// The end of the last child, in bytes.
    var end: Int

    /// The items of a list that is not packed.
    var items: [Node] = []
    /// Whether a list may yet become packed.
    var isPacking: Bool
    /// The packed items, and the shape of each; it is empty for numbers, and nil while there is no item.
    var packedCount = 0
    var itemShape: [Int]?
    /// Where the last packed item ends, in code points.
    var packedEndIndex = 0

    var mapping = MappingBuilder()
  }

  /// The anchor and the tag of a value.
  struct Properties {
    var anchor: String?
    var anchorRange = SourceRange(start: 0, end: 0)
    var tag: String?
    var tagRange = SourceRange(start: 0, end: 0)

    var isEmpty: Bool { anchor == nil && tag == nil }
  }

  private struct Anchor {
    let range: SourceRange
    /// The node and what it costs; nil while it is being read.
    var target: (node: Node, cost: Int)?
  }

  let source: SourceText
  let mostNodes: Int
  private(set) var root: Node?
  private(set) var diagnostics: [Diagnostic] = []
  var cursor: CodePointCursor
  var frames: [Frame] = []
  var values: [Double] = []
  var corrections: [(index: Int, value: Float)] = []
  private var anchors: [String: Anchor] = [:]
  var cost = 0
  var nodeCount = 0
  private var aliasCost = 0
  var isStopped = false
  private var lineBreaks: UnusualLineBreaks

  /// A builder of the nodes of `source`, whose first code point is at byte `base`.
  init(source: SourceText, base: Int, lineBreaks: UnusualLineBreaks, mostNodes: Int) {
    self.source = source
    self.mostNodes = mostNodes
    self.lineBreaks = lineBreaks
    cursor = CodePointCursor(bytes: source.bytes, base: base, isASCII: source.isASCII)
  }

  /// The byte of the code point at `index` as libyaml counts.
  mutating func offset(of index: Int) -> Int { cursor.offset(of: index) }

  /// Reports an error; after too many, reading stops.
  mutating func report(_ code: DiagnosticCode, _ message: String, at range: SourceRange, notes: [DiagnosticNote] = []) {
    guard !isStopped else { return }
    diagnostics.append(Diagnostic(code, message, at: SourcePlace(source: source, range: range), notes: notes))
    if diagnostics.count >= Self.mostDiagnostics {
      diagnostics.append(
        Diagnostic(
          .tooManyErrors, "after \(Self.mostDiagnostics) errors the rest of the file is not read",
          at: SourcePlace(source: source, range: range)))
      isStopped = true
    }
  }

  /// A note at `range` of the text.
  func note(_ message: String, at range: SourceRange) -> DiagnosticNote {
    DiagnosticNote(message, at: SourcePlace(source: source, range: range))
  }

  /// Reads all events; stops early at what makes going on pointless.
  mutating func build(from reader: inout EventReader) throws(EventReader.Problem) {
    var documents = 0
    while !isStopped {
      switch try reader.next() {
      case .scalar: scalar(reader)
      case .alias: alias(reader)
      case .sequenceStart: open(reader, isMapping: false)
      case .sequenceEnd: closeSequence(reader)
      case .mappingStart: open(reader, isMapping: true)
      case .mappingEnd: closeMapping(reader)
      case .documentStart:
        documents += 1
        if documents > 1 { secondDocument(reader) }
      case .documentEnd, .streamStart: break
      case .streamEnd:
        reportLineBreaks(before: source.bytes.count)
        return
      }
    }
    // Of several documents the first is whole; else what was read is not.
    if documents < 2 { root = nil }
  }

  private mutating func secondDocument(_ reader: borrowing EventReader) {
    let start = cursor.offset(of: reader.startIndex)
    report(
      .severalDocuments, "a second document begins here, but a file holds one; remove it, or move it to another file",
      at: SourceRange(start: start, end: min(start + 3, source.bytes.count)))
    isStopped = true
  }

  // MARK: Scalars and aliases

  private mutating func scalar(_ reader: borrowing EventReader) {
    let top = frames.count - 1
    if top >= 0, frames[top].isPacking, reader.isPlain, reader.isBareScalar,
      frames[top].itemShape?.isEmpty ?? true, let number = reader.number()
    {
      if let correction = number.floatCorrection { corrections.append((values.count, correction)) }
      if values.count == values.capacity { requireMemory(for: values.count, at: reader) }
      values.append(number.value)
      frames[top].itemShape = []
      frames[top].packedCount += 1
      frames[top].packedEndIndex = reader.endIndex
      cost += 1
      return
    }

    let (properties, contentStart) = properties(reader)
    var end = cursor.offset(of: reader.endIndex)
    var start = min(contentStart, end)
    let isPlain = reader.isPlain
    if isPlain, start == end {
      // Nothing at all; libyaml may have placed it at the next token.
      while end > 0, end > (frames.last?.start ?? 0), Self.isSpace(source.bytes[end - 1]) { end -= 1 }
      start = end
    } else {
      while end > start, Self.isSpace(source.bytes[end - 1]) { end -= 1 }
    }
    let range = SourceRange(start: start, end: end)
    if reader.isQuoted {
      // Inside quotes they are characters as others.
      reportLineBreaks(before: range.start)
      _ = lineBreaks.take(before: range.end)
    }
    let text = reader.text
    let (value, tag, isErroneous) = value(of: text, isPlain: isPlain, properties, at: range)
    cost += Self.nodeCost
    let node = Node(
      range: range, content: .scalar(Scalar(text: text, value: value, isPlain: isPlain, tag: tag)),
      isErroneous: isErroneous)
    finish(node, properties, cost: Self.nodeCost)
    deliver(node, at: range)
  }

  private mutating func value(
    of text: String, isPlain: Bool, _ properties: Properties, at range: SourceRange
  ) -> (Scalar.Value, tag: String?, isErroneous: Bool) {
    var untagged: Scalar.Value { isPlain ? ScalarResolution.resolve(text) : .string(text) }
    guard let full = properties.tag else { return (untagged, nil, false) }
    guard let tag = Tag(full: full) else {
      reportUnknownTag(properties)
      return (untagged, nil, false)
    }
    do {
      if let value = try tag.value(of: text) { return (value, tag.rawValue, false) }
      report(
        .tagMismatch,
        "`\(tag.rawValue)` says that this is \(tag.expectation), but it is \(kindName(of: untagged, text: text))",
        at: range)
    } catch {
      let place = Base64.place(of: error.character, in: source.bytes, range: range)
      report(
        .tagMismatch, "`!!binary` says that this is base64, but \(error.message)", at: place,
        notes: [DiagnosticNote("base64 is groups of four of `A-Z a-z 0-9 + /`, the last one filled up with `=`")])
    }
    return (untagged, nil, true)
  }

  private mutating func reportUnknownTag(_ properties: Properties) {
    let written = printable(source.string(in: properties.tagRange))
    report(
      .unknownTag, "the tag `\(written)` is not known; remove it", at: properties.tagRange,
      notes: [
        DiagnosticNote("known are `!!binary`, `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`, `!!seq` and `!!map`")
      ])
  }

  private mutating func alias(_ reader: borrowing EventReader) {
    let start = cursor.offset(of: reader.startIndex)
    let range = SourceRange(start: start, end: cursor.offset(of: reader.endIndex))
    let name = reader.anchor ?? ""
    if let target = anchors[name]?.target {
      aliasCost += target.cost
      cost += target.cost
      if aliasCost > Self.mostAliasedNodes * Self.nodeCost {
        report(
          .aliasExpansion,
          "with `*\(name)`, aliases would add more than \(Self.mostAliasedNodes) values to the file", at: range)
        isStopped = true
        return
      }
      deliver(target.node, at: range)
      return
    }
    if let anchor = anchors[name] {
      report(
        .recursiveAlias, "`*\(name)` stands inside the value that it names; a value cannot contain itself", at: range,
        notes: [note("the value that `&\(name)` names begins here", at: anchor.range)])
    } else {
      let candidates = anchors.count <= Self.mostCandidates ? anchors.keys.sorted() : []
      let hint = suggestion(for: name, among: candidates).map { "; did you mean `*\($0)`?" } ?? ""
      report(
        .undefinedAlias, "no anchor `&\(name)` stands before this alias\(hint)", at: range)
    }
    cost += Self.nodeCost
    let placeholder = Scalar(text: "", value: .null, isPlain: true, tag: nil)
    deliver(Node(range: range, content: .scalar(placeholder), isErroneous: true), at: range)
  }

  /// The anchor and tag of the event, and the byte at which the value behind them begins.
  private mutating func properties(_ reader: borrowing EventReader) -> (Properties, contentStart: Int) {
    let start = cursor.offset(of: reader.startIndex)
    var properties = Properties(anchor: reader.anchor, tag: reader.tag)
    guard !properties.isEmpty else { return (properties, start) }
    let written = NodeProperties(
      in: source.bytes, at: start, hasAnchor: properties.anchor != nil, hasTag: properties.tag != nil)
    properties.anchorRange = written.anchor ?? properties.anchorRange
    properties.tagRange = written.tag ?? properties.tagRange
    if let name = properties.anchor {
      if let first = anchors[name] {
        report(
          .duplicateAnchor, "the anchor `&\(name)` is defined twice; give this one another name",
          at: properties.anchorRange, notes: [note("first defined here", at: first.range)])
      }
      anchors[name] = Anchor(range: properties.anchorRange)
    }
    return (properties, written.contentStart)
  }

  /// Makes `node` what its anchor names.
  private mutating func finish(_ node: Node, _ properties: Properties, cost: Int) {
    guard let name = properties.anchor else { return }
    anchors[name]?.target = (node, cost)
  }

  // MARK: Collections

  private mutating func open(_ reader: borrowing EventReader, isMapping: Bool) {
    let top = frames.count - 1
    let (properties, start) = properties(reader)
    guard frames.count < Self.deepest else {
      report(
        .tooDeep, "this is nested too deep: at most \(Self.deepest) lists and mappings may stand within one another",
        at: SourceRange(start: start, end: min(start + 1, source.bytes.count)))
      isStopped = true
      return
    }
    // A packed list has neither anchors nor tags within.
    if top >= 0, frames[top].isPacking, isMapping || !properties.isEmpty { unpack(top) }
    let opener = start < source.bytes.count ? source.bytes[start] : 0
    frames.append(
      Frame(
        isMapping: isMapping, isFlow: opener == UInt8(ascii: isMapping ? "{" : "["), start: start,
        properties: properties, costBefore: cost, end: start, isPacking: !isMapping))
  }

  private mutating func closeSequence(_ reader: borrowing EventReader) {
    guard let frame = frames.popLast() else { return }
    guard frame.isPacking, frame.packedCount > 0, let itemShape = frame.itemShape else {
      let end = frame.isFlow ? cursor.offset(of: reader.endIndex) : frame.end
      close(frame, .sequence(frame.items), end: end)
      return
    }
    let endIndex = frame.isFlow ? reader.endIndex : frame.packedEndIndex
    let top = frames.count - 1
    if top >= 0, frames[top].isPacking, frame.properties.isEmpty, frames[top].accepts(frame.packedCount, itemShape) {
      frames[top].packedCount += 1
      frames[top].packedEndIndex = endIndex
      return
    }
    let numbers = popNumbers(shape: [frame.packedCount] + itemShape)
    close(frame, .numbers(numbers), end: cursor.offset(of: endIndex))
  }

  private mutating func closeMapping(_ reader: borrowing EventReader) {
    guard var frame = frames.popLast() else { return }
    let end = frame.isFlow ? cursor.offset(of: reader.endIndex) : frame.end
    close(frame, .mapping(frame.mapping.finish()), end: end)
  }

  private mutating func close(_ frame: Frame, _ content: Node.Content, end: Int) {
    var isErroneous = false
    if let full = frame.properties.tag {
      switch Tag(full: full) {
      case .mapping? where frame.isMapping, .sequence? where !frame.isMapping: break
      case let tag?:
        isErroneous = true
        report(
          .tagMismatch,
          "`\(tag.rawValue)` says that this is \(tag.expectation), but it is \(frame.isMapping ? "a mapping" : "a list")",
          at: SourceRange(start: frame.start, end: end))
      case nil: reportUnknownTag(frame.properties)
      }
    }
    let range = SourceRange(start: frame.start, end: max(end, frame.start))
    let node = Node(range: range, content: content, isErroneous: isErroneous)
    cost += Self.nodeCost
    finish(node, frame.properties, cost: cost - frame.costBefore)
    deliver(node, at: range)
  }

  /// Hands a value that stands at `range` to the collection around it.
  private mutating func deliver(_ node: Node, at range: SourceRange) {
    let top = frames.count - 1
    nodeCount += 1
    if nodeCount > mostNodes { return reportTooManyNodes(at: range) }
    guard top >= 0 else {
      root = node
      return
    }
    frames[top].end = range.end
    if frames[top].isMapping {
      for problem in frames[top].mapping.take(node, at: range, in: source) {
        report(problem.code, problem.message, at: problem.place.range, notes: problem.notes)
      }
    } else {
      if frames[top].isPacking { unpack(top) }
      frames[top].items.append(node)
    }
  }

  mutating func reportTooManyNodes(at range: SourceRange) {
    report(.tooManyValues, "the file holds more than \(mostNodes) values besides packed lists of numbers", at: range)
    isStopped = true
  }

  /// Reports the unusual line breaks before the byte at `end`, and says whether there are any.
  @discardableResult
  mutating func reportLineBreaks(before end: Int) -> Bool {
    let ranges = lineBreaks.take(before: end)
    for range in ranges {
      let last = source.bytes[range.end - 1]
      let name = last == 0x85 ? "U+0085" : last == 0xA8 ? "U+2028" : "U+2029"
      report(
        .lineBreak, "\(name) is a line break to some readers and not to others; use an ordinary line break", at: range)
    }
    return !ranges.isEmpty
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
  }
}
