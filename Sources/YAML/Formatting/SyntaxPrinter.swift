import Diagnostics

/// Prints a document in its canonical layout: keys in order, two spaces a level, brackets where they fit a line.
struct SyntaxPrinter<Role: LayoutRole> {
  /// The most characters of a line that could be broken.
  static var widestLine: Int { 120 }

  let source: SourceText
  private let document: SyntaxDocument
  private let lineBreak: [UInt8]
  private var output: [UInt8] = []
  /// The characters on the current line.
  private(set) var column = 0
  /// The column of the first thing on the current line.
  private var lineColumn = 0

  /// How a value is written behind its key or dash.
  enum Style {
    case nothing
    case line([UInt8])
    /// A scalar of several lines.
    case lines
    /// A list of lists, a row a line.
    case matrix
    /// A list in brackets over several lines.
    case fill
    /// Entries or items on lines of their own.
    case block
    /// Brackets over several lines, each member on a line of its own.
    case broken
  }

  /// The text of a document; nil where its root is no mapping.
  static func print(_ document: SyntaxDocument, role: Role) -> [UInt8]? {
    guard case .mapping = document.root.content else { return nil }
    var printer = SyntaxPrinter(document)
    printer.printDocument(role)
    return printer.output
  }

  private init(_ document: SyntaxDocument) {
    self.document = document
    source = document.source
    lineBreak = Array(SourceLayout(document.source).lineBreak.utf8)
  }

  private mutating func printDocument(_ role: Role) {
    output = Array(source.bytes[..<source.textStart])
    if !document.prefix.isEmpty {
      output += document.prefix
      newLine()
    }
    document.arrange(by: role)
    let root = document.root
    put(document.leading + root.surroundings.leading, at: 0, isFirst: true)
    if root.isFlow {
      put(properties: root)
      printBroken(root, role, indentation: 0)
      put(trailing: root.surroundings.trailing)
      newLine()
    } else {
      if !root.properties.isEmpty || root.head != nil {
        put(properties: root)
        if root.properties.isEmpty { put(root.head?.text ?? "") } else { put(trailing: root.head) }
        newLine()
      }
      printEntries(of: root, role, indentation: 0, isTop: true)
    }
    put(document.tail, at: 0, isFirst: false)
    if !document.suffix.isEmpty {
      output += document.suffix.reversed().drop { SourceLayout.isBlank($0) || SourceLayout.isBreak($0) }.reversed()
      newLine()
    }
  }

  // MARK: Pieces

  mutating func put(_ bytes: some Collection<UInt8>) {
    output += bytes
    column += bytes.count { $0 & 0xC0 != 0x80 }
  }

  mutating func put(_ text: String) { put(Array(text.utf8)) }

  mutating func put(_ range: SourceRange) { put(source.bytes[range.start..<range.end]) }

  mutating func newLine() {
    output += lineBreak
    column = 0
  }

  mutating func indent(_ indentation: Int) {
    put(ScalarLines.spaces(indentation))
    lineColumn = indentation
  }

  /// Anchor and tag, each with a space behind.
  mutating func put(properties element: SyntaxElement) {
    for (index, property) in element.properties.enumerated() {
      if index > 0 { put(" ") }
      put(property)
    }
  }

  /// Comments on lines of their own; the empty line before the first one is left out at the beginning of a collection.
  mutating func put(_ comments: [SyntaxComment], at indentation: Int, isFirst: Bool) {
    for (index, comment) in comments.enumerated() {
      if comment.hasBlankBefore, index > 0 || !isFirst { newLine() }
      indent(indentation)
      put(comment.text)
      newLine()
    }
  }

  /// A comment behind what stands on the line: two spaces away, or in the column that its author gave it.
  mutating func put(trailing comment: SyntaxComment?) {
    guard let comment else { return }
    let wanted = comment.gap > 2 ? comment.column + lineColumn - comment.lineColumn : 0
    put(ScalarLines.spaces(max(2, wanted - column)))
    put(comment.text)
  }

  private mutating func put(key: SyntaxElement) {
    put(properties: key)
    if !key.properties.isEmpty { put(" ") }
    put(key.range)
    if case .alias = key.content { put(" ") }
    put(":")
  }

  private func width(ofKey key: SyntaxElement) -> Int {
    let properties = key.properties.reduce(0) { $0 + source.string(in: $1).unicodeScalars.count + 1 }
    if case .alias = key.content { return properties + source.string(in: key.range).unicodeScalars.count + 1 }
    return properties + source.string(in: key.range).unicodeScalars.count
  }

  // MARK: Mappings

  private mutating func printEntries(
    of mapping: SyntaxElement, _ role: Role, indentation: Int, isTop: Bool = false, isBehindDash: Bool = false
  ) {
    guard case .mapping(let entries) = mapping.content else { return }
    let isReordered = mapping.isReordered
    for (index, entry) in entries.enumerated() {
      let inner = role.role(under: entry.name, of: mapping, in: source)
      let style = style(of: entry.value, inner, column: indentation + width(ofKey: entry.key) + 2)
      if index > 0 || !isBehindDash {
        let leading = leadingComments(of: entry, style)
        let hasBlank = entry.surroundings.hasBlankBefore
        var isSetOff = index > 0 && !isReordered && (leading.first?.hasBlankBefore ?? hasBlank)
        if isTop, index > 0 {
          switch role.spacing(before: entry.name) {
          case .always: isSetOff = mapping.isSpaced
          case .never: isSetOff = !isReordered && !leading.isEmpty && leading[0].hasBlankBefore
          case .author: break
          }
        }
        if isSetOff { newLine() }
        put(leading, at: indentation, isFirst: true)
        if hasBlank, !leading.isEmpty, !isReordered { newLine() }
        indent(indentation)
      }
      put(key: entry.key)
      var trailing = entry.surroundings.trailing
      if case .block = style {
        put(spaceAndProperties: entry.value)
        put(trailing: entry.value.head ?? trailing)
        trailing = nil
      }
      print(entry.value, inner, style, indentation: indentation, isEntry: true)
      if case .block = style { continue }
      put(trailing: trailing)
      newLine()
    }
    put(mapping.tail, at: indentation, isFirst: false)
  }

  private mutating func put(spaceAndProperties element: SyntaxElement) {
    if !element.properties.isEmpty { put(" ") }
    put(properties: element)
  }

  /// The comments on the lines before an entry; a comment that has lost its place beside it comes along.
  private func leadingComments(of entry: SyntaxEntry, _ style: Style) -> [SyntaxComment] {
    var comments = entry.surroundings.leading
    if case .block = style, entry.value.head != nil, let trailing = entry.surroundings.trailing {
      comments.append(trailing)
    }
    return comments
  }

  // MARK: Lists

  private mutating func printItems(
    of list: SyntaxElement, _ role: Role, indentation: Int, isBehindDash: Bool = false
  ) {
    let items = list.allItems
    for (index, item) in items.enumerated() {
      let style = style(of: item, role.ofItems, column: indentation + 2)
      if index > 0 || !isBehindDash {
        var leading = item.surroundings.leading
        if case .block = style, let trailing = item.surroundings.trailing { leading.append(trailing) }
        let hasBlank = item.surroundings.hasBlankBefore
        if index > 0, leading.first?.hasBlankBefore ?? hasBlank { newLine() }
        put(leading, at: indentation, isFirst: true)
        if hasBlank, !leading.isEmpty { newLine() }
        indent(indentation)
      }
      put("-")
      if case .block = style {
        put(spaceAndProperties: item)
        if item.head != nil || !item.properties.isEmpty {
          put(trailing: item.head)
          newLine()
          printMembers(of: item, role.ofItems, indentation: indentation + 2)
        } else {
          put(" ")
          printMembers(of: item, role.ofItems, indentation: indentation + 2, isBehindDash: true)
        }
        continue
      }
      print(item, role.ofItems, style, indentation: indentation, isEntry: false)
      put(trailing: item.surroundings.trailing)
      newLine()
    }
    put(list.tail, at: indentation, isFirst: false)
  }

  private mutating func printMembers(
    of collection: SyntaxElement, _ role: Role, indentation: Int, isBehindDash: Bool = false
  ) {
    if case .mapping = collection.content {
      printEntries(of: collection, role, indentation: indentation, isBehindDash: isBehindDash)
    } else {
      printItems(of: collection, role, indentation: indentation, isBehindDash: isBehindDash)
    }
  }

  // MARK: Values

  /// Prints a value behind its key or dash. `indentation` is the column of the key or dash.
  private mutating func print(
    _ element: SyntaxElement, _ role: Role, _ style: Style, indentation: Int, isEntry: Bool
  ) {
    switch style {
    case .nothing: break
    case .line(let text):
      put(" ")
      put(text)
    case .lines:
      put(" ")
      put(properties: element)
      if !element.properties.isEmpty { put(" ") }
      let lines = ScalarLines(element, in: source)
      put(
        lines: element.scalarStyle == .block
          ? lines.block(old: element.column, new: indentation) : lines.folded(indentation: indentation + 2))
    case .block:
      newLine()
      printMembers(of: element, role, indentation: indentation + 2)
    case .matrix, .fill, .broken:
      put(" ")
      put(properties: element)
      if !element.properties.isEmpty { put(" ") }
      if case .matrix = style { printMatrix(element, role) }
      if case .fill = style { printFilled(element, role) }
      if case .broken = style { printBroken(element, role, indentation: indentation) }
    }
  }

  mutating func put(lines: [[UInt8]]) {
    for (index, line) in lines.enumerated() {
      if index > 0 { newLine() }
      put(line)
    }
  }

  /// How a value is written that begins in `column`.
  private func style(of element: SyntaxElement, _ role: Role, column: Int) -> Style {
    func line() -> [UInt8]? {
      FlowText.oneLine(element, role, limit: Self.widestLine - column, in: source)
    }
    switch element.content {
    case .scalar, .alias:
      if element.isNothing { return .nothing }
      return FlowText.oneLine(element, role, limit: .max, in: source).map { .line($0) } ?? .lines
    case .mapping(let entries):
      if element.isEmptyCollection { return line().map { .line($0) } ?? .broken }
      let isJoined =
        element.isFlow || (!role.keepsLines && element.properties.isEmpty && entries.allSatisfy(\.value.isFlat))
      return isJoined ? line().map { .line($0) } ?? .block : .block
    case .row, .sequence:
      if element.isEmptyCollection { return line().map { .line($0) } ?? .broken }
      if role.isListOfLines { return .block }
      if element.isFlat {
        guard element.isFlow || !role.keepsLines, !element.hasComments else { return .block }
        if let text = line() { return .line(text) }
        return element.isFlow && FlowText.oneLine(element, role, limit: .max, in: source) != nil ? .fill : .block
      }
      guard element.isFlow else { return .block }
      if element.isMatrix {
        if let text = line() { return .line(text) }
        return element.hasCommentsInRows ? .block : .matrix
      }
      return line().map { .line($0) } ?? .block
    }
  }
}
