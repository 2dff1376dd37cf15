package import Diagnostics

/// The canonical layout of a text.
package enum CanonicalText {
  /// The text of a document without errors, laid out anew: its values, comments, anchors and tags stay, and every scalar's
  /// text. Nil where that cannot be had, which a check of the result finds out.
  package static func of<Role: LayoutRole>(_ source: SourceText, role: Role) -> [UInt8]? {
    guard let document = SyntaxReader.read(source), let bytes = SyntaxPrinter.print(document, role: role) else {
      return nil
    }
    let text = SourceText(name: source.name, bytes: bytes)
    let (before, after) = (YAMLDocument.parse(source: source), YAMLDocument.parse(source: text))
    guard let old = before.root, let new = after.root, !after.hasErrors, old.means(theSameAs: new),
      let written = SyntaxReader.read(text), written.comments.sorted() == document.comments.sorted(),
      written.scalarTexts == document.scalarTexts
    else { return nil }
    return bytes
  }
}

extension SyntaxDocument {
  /// A checksum of the texts of all scalars, anchors, tags and aliases, whatever their order; those of several lines, which
  /// may be indented anew, are left out.
  fileprivate var scalarTexts: UInt64 {
    var sum: UInt64 = 0
    func add(_ range: SourceRange) {
      // FNV-1a; a sum forgets the order.
      var hash: UInt64 = 0xcbf2_9ce4_8422_2325
      for byte in source.bytes[range.start..<range.end] {
        if SourceLayout.isBreak(byte) { return }
        hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
      }
      sum &+= hash
    }
    func add(_ element: SyntaxElement) {
      for property in element.properties { add(property) }
      switch element.content {
      case .scalar, .alias: add(element.range)
      case .row(let words): for word in words { add(word) }
      case .sequence(let items): for item in items { add(item) }
      case .mapping(let entries):
        for entry in entries {
          add(entry.key)
          add(entry.value)
        }
      }
    }
    add(root)
    return sum
  }
}

extension Node {
  /// Whether two nodes hold the same, keys in any order, each scalar of the same kind and tag.
  fileprivate func means(theSameAs other: Node) -> Bool {
    switch (content, other.content) {
    case (.scalar(let own), .scalar(let others)):
      return own.value == others.value && own.text == others.text && own.tag == others.tag
        && own.isPlain == others.isPlain
    case (.numbers(let own), .numbers(let others)):
      return own.shape == others.shape
        && own.values.elementsEqual(others.values) { $0.bitPattern == $1.bitPattern }
        && own.floatCorrections == others.floatCorrections
    case (.sequence(let own), .sequence(let others)):
      return own.count == others.count && zip(own, others).allSatisfy { $0.means(theSameAs: $1) }
    case (.mapping(let own), .mapping(let others)):
      guard own.count == others.count else { return false }
      let values = Dictionary(others.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
      return own.allSatisfy { entry in
        guard let twin = values[entry.key], twin.isMerged == entry.isMerged else { return false }
        return entry.value.means(theSameAs: twin.value)
      }
    default: return false
    }
  }
}
