import Diagnostics
import Tensors
import YAML

/// Replaces base64 inside its text, character by character, so that its lines stay as they are.
enum BinaryEdits {
  /// Adds the edits that give the `!!binary` at `node` the values of `new`; `old` are those that it has.
  static func add(_ node: Node, old: AnyTensor, new: AnyTensor, in source: SourceText, to edits: inout SourceEdits) {
    guard !new.isIdentical(to: old) else { return }
    let text = base64(new.littleEndianBytes)
    let content = contentRange(node.range, in: source)
    var places: [Int] = []
    for offset in content.start..<content.end where !isSpace(source.bytes[offset]) { places.append(offset) }
    let isPlain = places.allSatisfy { isDigit(source.bytes[$0]) }
    guard isPlain, places.count == text.count else {
      // Escapes or a block's parameter, whose tag stands elsewhere: what stands there is replaced as a whole.
      let tag = node.definition == nil ? "" : "!!binary "
      edits.replace(node.range, with: tag + String(decoding: text, as: UTF8.self))
      return
    }
    // Runs of characters that lie side by side are one edit.
    var index = 0
    while index < places.count {
      var end = index + 1
      while end < places.count, places[end] == places[end - 1] + 1 { end += 1 }
      let range = SourceRange(start: places[index], end: places[end - 1] + 1)
      edits.replace(range, with: String(decoding: text[index..<end], as: UTF8.self))
      index = end
    }
  }

  /// The part of a scalar that holds its text: without quotes, and without the header of a block.
  private static func contentRange(_ range: SourceRange, in source: SourceText) -> SourceRange {
    guard range.start < range.end else { return range }
    switch source.bytes[range.start] {
    case UInt8(ascii: "\""), UInt8(ascii: "'"):
      return SourceRange(start: range.start + 1, end: max(range.end - 1, range.start + 1))
    case UInt8(ascii: "|"), UInt8(ascii: ">"):
      return SourceRange(start: min(SourceLayout(source).nextLine(range.start), range.end), end: range.end)
    default: return range
    }
  }

  private static func isSpace(_ byte: UInt8) -> Bool { SourceLayout.isBlank(byte) || SourceLayout.isBreak(byte) }

  private static func isDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="):
      true
    default: false
    }
  }
}
