import Diagnostics

extension SyntaxDocument {
  /// Puts the keys of every mapping in order, and comments to where they have a line of their own.
  func arrange<Role: LayoutRole>(by role: Role) {
    root.surroundings.leading = root.arrange(by: role, in: source)
  }
}

extension SyntaxElement {
  /// Arranges what is in a value, and returns the comments that belong on the lines before it.
  fileprivate func arrange<Role: LayoutRole>(by role: Role, in source: SourceText) -> [SyntaxComment] {
    switch content {
    case .scalar, .alias, .row: return []
    case .mapping(let entries):
      isSpaced = entries.dropFirst().contains { entry in
        entry.surroundings.leading.first?.hasBlankBefore ?? entry.surroundings.hasBlankBefore
      }
      var sorted = entries.ordered(by: role, of: self, in: source)
      isReordered = sorted.map(\.key.range.start) != entries.map(\.key.range.start)
      for index in sorted.indices {
        let inner = role.role(under: sorted[index].name, of: self, in: source)
        sorted[index].surroundings.leading += sorted[index].value.arrange(by: inner, in: source)
      }
      content = .mapping(sorted)
      return []
    case .sequence(let items):
      for item in items {
        item.surroundings.leading += item.arrange(by: role.ofItems, in: source)
        // An item that comments keep from standing in brackets has lines, and no place behind them.
        if item.hasComments, !item.isMatrix || item.hasCommentsInRows, let trailing = item.surroundings.trailing {
          item.surroundings.leading.append(trailing)
          item.surroundings.trailing = nil
        }
        // The first entry of an item stands on the item's own line.
        if item.properties.isEmpty, item.head == nil { item.surroundings.leading += item.takeFirstComments() }
      }
      return isFlow ? takeFirstComments() : []
    }
  }

  /// Takes the comments before the first entry or item.
  private func takeFirstComments() -> [SyntaxComment] {
    switch content {
    case .scalar, .alias, .row: return []
    case .sequence(let items):
      defer { items.first?.surroundings.leading = [] }
      return items.first?.surroundings.leading ?? []
    case .mapping(var entries):
      guard let comments = entries.first?.surroundings.leading, !comments.isEmpty else { return [] }
      entries[0].surroundings.leading = []
      content = .mapping(entries)
      return comments
    }
  }
}

extension [SyntaxEntry] {
  /// The entries in the order of their role. A key that the role does not know stays behind the one before it, and
  /// anchors and aliases stay in order.
  func ordered<Role: LayoutRole>(by role: Role, of mapping: SyntaxElement, in source: SourceText) -> [SyntaxEntry] {
    guard count > 1, let order = role.order(of: mapping, in: source) else { return self }
    let ranks = Dictionary(order.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    var last = -2
    let places = enumerated().map { index, entry in
      last = entry.name == "<<" ? -1 : ranks[entry.name] ?? last
      return (rank: last, index: index)
    }
    let sorted = places.sorted { ($0.rank, $0.index) < ($1.rank, $1.index) }.map(\.index)
    let references = sorted.filter { self[$0].key.hasReferences || self[$0].value.hasReferences }
    guard references == references.sorted() else { return self }
    return sorted.map { self[$0] }
  }
}
