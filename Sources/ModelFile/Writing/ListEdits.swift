import Diagnostics
import Tensors
import YAML

/// Replaces the numbers of nested lists inside their text.
///
/// Aliases may make several parameters share some numbers of the text without being one. As long as they agree the
/// shared text serves all; one that does not is given a list of its own in the place of its alias.
struct ListEdits {
  private struct Claim {
    let old: UInt64
    let new: UInt64
    let range: SourceRange
    let text: String
  }

  /// A parameter's list, its values as they are and as they shall be.
  struct List {
    let node: Node
    let site: ParameterSites.Site?
    let old: AnyTensor
    let new: AnyTensor
  }

  private let source: SourceText
  private let layout: SourceLayout
  private var claims: [Int: Claim] = [:]
  private var edits = SourceEdits()

  private init(_ source: SourceText) {
    self.source = source
    layout = SourceLayout(source)
  }

  /// The edits that give every list its new values; nil where one cannot be edited.
  static func edits(_ lists: [List], in source: SourceText) -> SourceEdits? {
    var editor = ListEdits(source)
    let places = lists.map { $0.node.numberPlaces(in: source) }
    let isEntangled =
      Self.overlap(lists) || places.contains { $0?.contains { if case .alias = $0 { true } else { false } } ?? false }
    for (list, places) in zip(lists, places) {
      guard let places else {
        editor.replaceWhole(list)
        continue
      }
      if !isEntangled { editor.replaceNumbers(list, places) }
    }
    if isEntangled {
      let known = zip(lists, places).compactMap { list, places in places.map { (list, $0) } }
      guard editor.resolve(known) else { return nil }
    }
    return editor.edits
  }

  private static func overlap(_ lists: [List]) -> Bool {
    let ranges = lists.map(\.node.range).sorted { $0.start < $1.start }
    return zip(ranges, ranges.dropFirst()).contains { $0.end > $1.start }
  }

  /// The bytes of a number without quotes, which a tag makes possible.
  private func digits(_ range: SourceRange) -> SourceRange {
    switch layout.byte(range.start) {
    case UInt8(ascii: "\""), UInt8(ascii: "'"):
      SourceRange(start: range.start + 1, end: max(range.end - 1, range.start + 1))
    default: range
    }
  }

  /// Puts a list in the place of a block's parameter, `$name`.
  private mutating func replaceWhole(_ list: List) {
    guard !list.new.isIdentical(to: list.old) else { return }
    edits.replaceValue(at: list.node.range, with: nested(list.new, at: list.node.range.start), in: layout)
  }

  private func nested(_ tensor: AnyTensor, first: Int = 0, shape: [Int]? = nil, at offset: Int) -> String {
    NumberTexts(tensor: tensor).nestedList(
      first: first, shape: shape, lineBreak: layout.lineBreak, continuation: layout.lineIndentation(offset) + "    ")
  }

  private mutating func replaceNumbers(_ list: List, _ places: [Node.NumberPlace]) {
    let old = NumberTexts(tensor: list.old)
    let new = NumberTexts(tensor: list.new)
    for (index, place) in places.enumerated() {
      guard case .number(let range) = place, old.bits(index) != new.bits(index) else { continue }
      edits.replace(digits(range), with: new.text(index))
    }
  }

  // MARK: Shared text

  private mutating func resolve(_ lists: [(list: List, places: [Node.NumberPlace])]) -> Bool {
    // A list that a layer reaches by an alias gives way to the one that stands there.
    func isAlias(_ list: List) -> SourceRange? {
      guard let site = list.site, let entry = site.entry else { return nil }
      return MappingEditor(site.mapping, in: source).alias(entry)
    }
    var aliases: [(range: SourceRange, list: List, first: Int, node: Node)] = []
    for (list, places) in lists {
      if let range = isAlias(list) {
        aliases.append((range, list, 0, list.node))
        continue
      }
      var index = 0
      for place in places {
        switch place {
        case .number(let range):
          claims[range.start] = claim(list, index, range)
          index += 1
        case .alias(let range, let node):
          aliases.append((range, list, index, node))
          index += node.numberCount
        }
      }
    }
    for alias in aliases {
      var ranges: [SourceRange] = []
      alias.node.forEachNumberRange(in: source) { ranges.append($0) }
      guard ranges.count == alias.node.numberCount else { return false }
      let wanted = ranges.enumerated().map { claim(alias.list, alias.first + $0.offset, $0.element) }
      // What the alias stands for may hold one number several times, too.
      var own: [Int: Claim] = [:]
      let isAgreed = wanted.allSatisfy { claim in
        if let known = claims[claim.range.start] ?? own[claim.range.start] { return known.new == claim.new }
        own[claim.range.start] = claim
        return true
      }
      if isAgreed {
        claims.merge(own) { first, _ in first }
      } else {
        guard case .rectangle(let shape) = NestedNumbers(alias.node) else { return false }
        edits.replace(
          alias.range, with: nested(alias.list.new, first: alias.first, shape: shape, at: alias.range.start))
      }
    }
    for claim in claims.values where claim.old != claim.new { edits.replace(digits(claim.range), with: claim.text) }
    return true
  }

  private func claim(_ list: List, _ index: Int, _ range: SourceRange) -> Claim {
    let new = NumberTexts(tensor: list.new)
    return Claim(
      old: NumberTexts(tensor: list.old).bits(index), new: new.bits(index), range: range, text: new.text(index))
  }
}
