package import Diagnostics

/// A comment, `#` and all, and how it stood.
struct SyntaxComment {
  let text: String
  /// Whether nothing but space stands before it on its line.
  let isOnOwnLine: Bool
  /// Whether a `-`, `:`, `,` or bracket stands between the value before it and the comment.
  let isBehindIndicator: Bool
  /// Whether an empty line stands before it.
  let hasBlankBefore: Bool
  /// Its column, from 0, and that of the first thing on its line.
  let column: Int
  let lineColumn: Int
  /// The blanks in front of it.
  let gap: Int
}

/// What stands around an entry of a mapping or an item of a list.
struct SyntaxSurroundings {
  /// The comments on the lines before it.
  var leading: [SyntaxComment] = []
  /// The comment behind it on its last line.
  var trailing: SyntaxComment?
  /// Whether an empty line stands between it and what is before it.
  var hasBlankBefore = false

  var isEmpty: Bool { leading.isEmpty && trailing == nil }
}

/// One key of a mapping and its value, as they are written.
package struct SyntaxEntry {
  let key: SyntaxElement
  let value: SyntaxElement
  var surroundings: SyntaxSurroundings
  /// The key's text without quotes.
  package let name: String
}

/// A value as it is written: aliases and merge keys are not followed, and comments are kept.
package final class SyntaxElement {
  enum Content {
    /// A scalar, or nothing at all.
    case scalar
    /// `*name`.
    case alias
    /// A list of plain words and numbers, each on one line, without comments: where each stands.
    case row([SourceRange])
    /// Any other list.
    case sequence([SyntaxElement])
    case mapping([SyntaxEntry])
  }

  /// How a scalar is written.
  enum ScalarStyle {
    case plain, quoted, block
  }

  var content: Content
  /// The anchor and the tag, as they are written.
  let properties: [SourceRange]
  /// The bytes of a scalar or alias; of a collection its first and last.
  let range: SourceRange
  let scalarStyle: ScalarStyle
  /// Whether a collection stands in brackets.
  let isFlow: Bool
  /// Whether it stands inside a collection in brackets.
  let isInFlow: Bool
  /// The column of the block around a scalar, by which the text of a literal is indented; of a block that of its entries.
  let column: Int
  /// Whether an item of a list in brackets, other than the first, begins a line.
  var isBroken = false
  /// Of a mapping: whether its keys were put into another order, and whether an empty line stood before one but the first.
  var isReordered = false
  var isSpaced = false
  /// The comment behind the key, dash or bracket before a collection's first entry.
  var head: SyntaxComment?
  /// The comments behind the last entry of a collection.
  var tail: [SyntaxComment] = []
  /// Of an item of a list: what stands around it.
  var surroundings = SyntaxSurroundings()

  init(
    _ content: Content, properties: [SourceRange], range: SourceRange, scalarStyle: ScalarStyle = .plain,
    isFlow: Bool = false, isInFlow: Bool, column: Int
  ) {
    self.content = content
    self.properties = properties
    self.range = range
    self.scalarStyle = scalarStyle
    self.isFlow = isFlow
    self.isInFlow = isInFlow
    self.column = column
  }

  /// Whether it is a list or a mapping outside brackets.
  var isBlock: Bool {
    switch content {
    case .scalar, .alias: false
    case .row, .sequence, .mapping: !isFlow
    }
  }

  /// Whether a comment stands anywhere in it.
  var hasComments: Bool {
    if head != nil || !tail.isEmpty { return true }
    switch content {
    case .scalar, .alias, .row: return false
    case .sequence(let items): return items.contains { !$0.surroundings.isEmpty || $0.hasComments }
    case .mapping(let entries):
      return entries.contains { !$0.surroundings.isEmpty || $0.key.hasComments || $0.value.hasComments }
    }
  }

  /// Whether it holds an anchor or an alias, whose order must stay.
  var hasReferences: Bool {
    if !properties.isEmpty { return true }
    switch content {
    case .scalar, .row: return false
    case .alias: return true
    case .sequence(let items): return items.contains(where: \.hasReferences)
    case .mapping(let entries): return entries.contains { $0.key.hasReferences || $0.value.hasReferences }
    }
  }

  /// Whether it is one value, or a list of nothing but such.
  var isFlat: Bool {
    switch content {
    case .scalar, .alias, .row: true
    case .sequence(let items): items.allSatisfy(\.isSingle)
    case .mapping: false
    }
  }

  /// Whether it is a list of lists of single values, however deep.
  var isMatrix: Bool {
    guard case .sequence(let items) = content, !items.isEmpty else { return false }
    return items.allSatisfy { $0.isList && ($0.isFlat || $0.isMatrix) }
  }

  private var isSingle: Bool {
    switch content {
    case .scalar, .alias: true
    case .row, .sequence, .mapping: false
    }
  }

  private var isList: Bool {
    switch content {
    case .row, .sequence: true
    case .scalar, .alias, .mapping: false
    }
  }

  /// Whether it is a collection of nothing.
  var isEmptyCollection: Bool {
    switch content {
    case .scalar, .alias: false
    case .row(let words): words.isEmpty
    case .sequence(let items): items.isEmpty
    case .mapping(let entries): entries.isEmpty
    }
  }

  /// The word under a key of a mapping, without quotes.
  package func word(under key: String, in source: SourceText) -> String? {
    guard case .mapping(let entries) = content, let value = entries.first(where: { $0.name == key })?.value,
      case .scalar = value.content, value.scalarStyle != .block
    else { return nil }
    let text = source.string(in: value.range)
    return value.scalarStyle == .quoted ? String(text.dropFirst().dropLast()) : text
  }

  /// Whether a list of lists has a line break between items, at any level.
  var hasBrokenRows: Bool {
    guard case .sequence(let items) = content, isMatrix else { return false }
    return isBroken || items.contains(where: \.hasBrokenRows)
  }

  /// Whether a comment stands in one of the rows of a list of lists, where no line can end.
  var hasCommentsInRows: Bool {
    guard case .sequence(let items) = content else { return false }
    return items.contains { $0.isFlat ? $0.hasComments : $0.hasCommentsInRows }
  }

  /// The keys of a mapping.
  package var keys: [String] {
    if case .mapping(let entries) = content { entries.map(\.name) } else { [] }
  }
}

/// A document as it is written.
package struct SyntaxDocument {
  package let source: SourceText
  /// Everything up to the mark `---`, where there is one.
  let prefix: [UInt8]
  /// The comments before a root in brackets, or before its properties.
  let leading: [SyntaxComment]
  /// The root.
  package let root: SyntaxElement
  /// The comments behind the root.
  let tail: [SyntaxComment]
  /// Everything from the mark `...` on, where there is one.
  let suffix: [UInt8]
  /// Every comment, in the order of the text.
  let comments: [String]
}
