import Diagnostics
import YAML

/// Puts the values of a block's parameters in the places of `$name`.
///
/// Whatever holds no reference stays the very node that it was, since parameters that reach one node are one parameter.
struct ParameterSubstitution {
  let bindings: [String: Node]
  let uses: [BlockUse]
  private(set) var didSubstitute = false
  /// The places of names that are no parameter of the block.
  private(set) var unknownRanges: [SourceRange] = []

  init(bindings: [String: Node], uses: [BlockUse]) {
    self.bindings = bindings
    self.uses = uses
  }

  /// The parameter that a whole scalar `$name` stands for.
  static func reference(in node: Node) -> Substring? {
    guard let text = node.string, text.utf8.first == UInt8(ascii: "$") else { return nil }
    let name = text.dropFirst()
    guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first),
      first != UInt8(ascii: "-"), name.utf8.allSatisfy(isNameByte)
    else { return nil }
    return name
  }

  /// Whether the values under a key are read at all.
  static func isRead(_ key: String) -> Bool { key != "description" && !key.hasPrefix("x-") }

  mutating func substitute(_ node: Node, sink: inout DiagnosticSink) -> Node {
    switch node.content {
    case .numbers: return node
    case .scalar:
      guard let name = Self.reference(in: node) else { return node }
      guard let value = bindings[String(name)] else {
        let near = suggestion(for: String(name), among: bindings.keys.sorted())
        let hint =
          near.map { "did you mean `$\($0)`?" }
          ?? "add `\(name)` with a default to the block's `parameters`"
        sink.add(
          .blockParameter, "the block has no parameter `\(name)`", at: node.range, notes: [DiagnosticNote(hint)],
          uses: uses)
        unknownRanges.append(node.range)
        return node
      }
      didSubstitute = true
      return Node(range: node.range, content: value.content, definition: value.definition ?? value)
    case .sequence(let items):
      var changed = false
      let substituted = items.map { item in
        let result = substitute(item, sink: &sink)
        changed = changed || result !== item
        return result
      }
      return changed ? Node(range: node.range, content: .sequence(substituted)) : node
    case .mapping(let entries):
      var changed = false
      let substituted = entries.map { entry in
        guard Self.isRead(entry.key) else { return entry }
        let result = substitute(entry.value, sink: &sink)
        changed = changed || result !== entry.value
        return Node.Entry(key: entry.key, keyRange: entry.keyRange, value: result, isMerged: entry.isMerged)
      }
      return changed ? Node(range: node.range, content: .mapping(substituted)) : node
    }
  }
}

/// Whether a byte may stand in a name after its first.
private func isNameByte(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
    true
  default: false
  }
}
