package import Diagnostics

/// Replacements in a text, gathered in any order and made at once; every byte outside them stays.
package struct SourceEdits {
  private struct Edit {
    let range: SourceRange
    let text: Range<Int>
  }

  private var edits: [Edit] = []
  /// The new texts one after the other: a million numbers are a million edits.
  private var texts: [UInt8] = []

  package init() {}

  /// Whether nothing is to be changed.
  package var isEmpty: Bool { edits.isEmpty }

  /// Puts `text` in the place of `range`.
  package mutating func replace(_ range: SourceRange, with text: String) {
    let start = texts.count
    texts.append(contentsOf: text.utf8)
    edits.append(Edit(range: range, text: start..<texts.count))
  }

  /// Puts `text` in the place of a value and of the tag in front of it, which is the old value's; an anchor stays.
  package mutating func replaceValue(at range: SourceRange, with text: String, in layout: SourceLayout) {
    if let tag = layout.tag(before: range.start) { replace(tag, with: "") }
    replace(range, with: text)
  }

  /// Puts `text` before the byte at `offset`, behind what was inserted there earlier.
  package mutating func insert(_ text: String, at offset: Int) {
    replace(SourceRange(start: offset, end: offset), with: text)
  }

  /// Adds the replacements of others.
  package mutating func add(_ other: SourceEdits) {
    for edit in other.edits {
      let start = texts.count
      texts += other.texts[edit.text]
      edits.append(Edit(range: edit.range, text: start..<texts.count))
    }
  }

  /// The bytes of `source` with the replacements made; nil where two of them overlap.
  package func applied(to source: SourceText) -> [UInt8]? {
    // Insertions at one place keep their order.
    let order = edits.indices.sorted { (edits[$0].range.start, $0) < (edits[$1].range.start, $1) }
    var result: [UInt8] = []
    result.reserveCapacity(source.bytes.count + texts.count)
    var position = 0
    for index in order {
      let edit = edits[index]
      guard edit.range.start >= position, edit.range.end <= source.bytes.count else { return nil }
      result += source.bytes[position..<edit.range.start]
      result += texts[edit.text]
      position = edit.range.end
    }
    result += source.bytes[position...]
    return result
  }
}
