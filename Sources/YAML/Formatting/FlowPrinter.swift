import Diagnostics

extension SyntaxPrinter {
  /// Prints a list of lists: the rows under one another, each list in brackets behind those around it.
  mutating func printMatrix(_ element: SyntaxElement, _ role: Role) {
    guard case .sequence(let items) = element.content else { return printFilled(element, role) }
    let start = column
    put("[")
    // Neighbours look alike: where one list of rows needs several lines, all of them take several.
    let isDeep = items.contains { item in
      !item.isFlat && FlowText.oneLine(item, role, limit: Self.widestLine - start - 1, in: source) == nil
    }
    for (index, item) in items.enumerated() {
      if index > 0 {
        put(",")
        put(trailing: items[index - 1].surroundings.trailing)
        newLine()
        put(item.surroundings.leading, at: start + 1, isFirst: true)
        indent(start + 1)
      }
      put(properties: item)
      if !item.properties.isEmpty { put(" ") }
      if !item.isFlat, isDeep {
        printMatrix(item, role)
      } else if let text = FlowText.oneLine(item, role, limit: Self.widestLine - column, in: source) {
        put(item.properties.isEmpty ? text[...] : text.dropFirst(propertiesLength(item)))
      } else {
        printFilled(item, role)
      }
    }
    put(trailing: items.last?.surroundings.trailing)
    if items.last?.surroundings.trailing != nil || !element.tail.isEmpty {
      newLine()
      put(element.tail, at: start + 1, isFirst: true)
      indent(start)
    }
    put("]")
  }

  private func propertiesLength(_ element: SyntaxElement) -> Int {
    element.properties.reduce(0) { $0 + $1.end - $1.start + 1 }
  }

  /// Prints a list of single values that fills its lines.
  mutating func printFilled(_ element: SyntaxElement, _ role: Role) {
    let start = column
    put("[")
    for (index, item) in element.allItems.enumerated() {
      let text = FlowText.oneLine(item, role, limit: .max, in: source) ?? []
      if index > 0 {
        put(",")
        let width = text.count { $0 & 0xC0 != 0x80 }
        if column + width + 2 <= Self.widestLine {
          put(" ")
        } else {
          newLine()
          indent(start + 1)
        }
      }
      put(text)
    }
    put("]")
  }

  /// Prints a collection inside brackets, on one line where it fits.
  private mutating func printFlow(_ element: SyntaxElement, _ role: Role, indentation: Int) {
    if let text = FlowText.oneLine(element, role, limit: Self.widestLine - column, in: source) {
      return put(text)
    }
    put(properties: element)
    if !element.properties.isEmpty { put(" ") }
    switch element.content {
    case .scalar, .alias: put(lines: ScalarLines(element, in: source).folded(indentation: indentation + 2))
    case .row: printFilled(element, role)
    case .sequence, .mapping:
      if element.isMatrix, !element.hasCommentsInRows {
        printMatrix(element, role)
      } else {
        printBroken(element, role, indentation: indentation)
      }
    }
  }

  /// Prints brackets with each member on a line of its own.
  mutating func printBroken(_ element: SyntaxElement, _ role: Role, indentation: Int) {
    let inner = indentation + 2
    if case .mapping(let entries) = element.content {
      put("{")
      for (index, entry) in entries.enumerated() {
        newLine()
        if index > 0, entry.surroundings.hasBlankBefore, entry.surroundings.leading.isEmpty { newLine() }
        put(entry.surroundings.leading, at: inner, isFirst: index == 0)
        indent(inner)
        let valueRole = role.role(under: entry.name, of: element, in: source)
        put(FlowText.oneLine(entry.key, valueRole, limit: .max, in: source) ?? [])
        if !entry.value.isNothing {
          if case .alias = entry.key.content { put(" ") }
          put(": ")
          printFlow(entry.value, valueRole, indentation: inner)
        }
        if index < entries.count - 1 { put(",") }
        put(trailing: entry.surroundings.trailing)
      }
    } else {
      put("[")
      let items = element.allItems
      for (index, item) in items.enumerated() {
        newLine()
        put(item.surroundings.leading, at: inner, isFirst: index == 0)
        indent(inner)
        printFlow(item, role.ofItems, indentation: inner)
        if index < items.count - 1 { put(",") }
        put(trailing: item.surroundings.trailing)
      }
    }
    newLine()
    put(element.tail, at: inner, isFirst: false)
    indent(indentation)
    if case .mapping = element.content { put("}") } else { put("]") }
  }
}

extension SyntaxElement {
  /// The items of a list.
  var allItems: [SyntaxElement] {
    switch content {
    case .scalar, .alias, .mapping: []
    case .sequence(let items): items
    case .row(let words):
      words.map { SyntaxElement(.scalar, properties: [], range: $0, isInFlow: isFlow, column: column) }
    }
  }
}
