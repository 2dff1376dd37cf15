import Diagnostics

/// Collects the entries of a mapping: keys that are strings, each once, and merge keys.
struct MappingBuilder {
  private enum Key {
    case plain(String, SourceRange)
    case merge(SourceRange)
    /// A key about which an error was reported; its value is read and dropped.
    case dropped
  }

  private var entries: [Node.Entry] = []
  private var pendingKey: Key?
  /// Where the merged mappings go among the entries.
  private var merge: (position: Int, range: SourceRange, mappings: [Node])?
  private var keys = KeyIndex()

  /// Takes a key or the value of the last key, which stands at `range`, and says what is wrong with it.
  mutating func take(_ node: Node, at range: SourceRange, in source: SourceText) -> [Diagnostic] {
    switch pendingKey {
    case nil: return takeKey(node, at: range, in: source)
    case .plain(let key, let keyRange)?:
      keys.willAppend(key, to: entries)
      entries.append(Node.Entry(key: key, keyRange: keyRange, value: node, isMerged: false))
    case .merge(let keyRange)?:
      pendingKey = nil
      return takeMerge(node, at: range, keyRange: keyRange, in: source)
    case .dropped?: break
    }
    pendingKey = nil
    return []
  }

  private mutating func takeKey(_ node: Node, at range: SourceRange, in source: SourceText) -> [Diagnostic] {
    let place = SourcePlace(source: source, range: range)
    guard let scalar = node.scalar, case .string(let key) = scalar.value else {
      pendingKey = .dropped
      guard !node.isErroneous else { return [] }
      let hint = node.scalar.map { $0.text.isEmpty ? "" : "; put it in quotes: \"\(printable($0.text))\"" } ?? ""
      return [Diagnostic(.keyNotString, "a key must be a string, but this is \(node.kindName)\(hint)", at: place)]
    }
    if key == "<<", scalar.isPlain, scalar.tag == nil {
      if let merge {
        pendingKey = .dropped
        return [
          Diagnostic(
            .duplicateKey, "`<<` may stand once in a mapping; merge several with a list: `<<: [*a, *b]`", at: place,
            notes: [DiagnosticNote("first given here", at: SourcePlace(source: source, range: merge.range))])
        ]
      }
      pendingKey = .merge(range)
      return []
    }
    if let index = keys.index(of: key, in: entries) {
      let first = SourcePlace(source: source, range: entries[index].keyRange)
      pendingKey = .dropped
      return [
        Diagnostic(
          .duplicateKey, "the key `\(printable(key))` stands here a second time; remove one of the two", at: place,
          notes: [DiagnosticNote("first given here", at: first)])
      ]
    }
    pendingKey = .plain(key, range)
    return []
  }

  private mutating func takeMerge(
    _ node: Node, at range: SourceRange, keyRange: SourceRange, in source: SourceText
  ) -> [Diagnostic] {
    merge = (entries.count, keyRange, [])
    switch node.content {
    case .mapping:
      merge?.mappings = [node]
      return []
    case .sequence(let items):
      merge?.mappings = items.filter { $0.entries != nil }
      return items.filter { $0.entries == nil && !$0.isErroneous }.map { item in
        Diagnostic(
          .mergeKey, "`<<` merges mappings, but this item is \(item.kindName)",
          at: SourcePlace(source: source, range: item.range))
      }
    case .scalar, .numbers:
      guard !node.isErroneous else { return [] }
      return [
        Diagnostic(
          .mergeKey, "`<<` merges a mapping or a list of mappings, but this is \(node.kindName)",
          at: SourcePlace(source: source, range: range))
      ]
    }
  }

  /// The entries, with those that were merged in the place of the merge key; own keys win, then earlier mappings.
  mutating func finish() -> [Node.Entry] {
    guard let merge else { return entries }
    var taken = Set(entries.map(\.key))
    var merged: [Node.Entry] = []
    for entry in merge.mappings.flatMap({ $0.entries ?? [] }) where taken.insert(entry.key).inserted {
      merged.append(Node.Entry(key: entry.key, keyRange: entry.keyRange, value: entry.value, isMerged: true))
    }
    return entries[..<merge.position] + merged + entries[merge.position...]
  }
}
