package import Diagnostics
import Files
import Tensors
import YAML

/// A value of a model file, with the text that it stands in.
package struct FileValue: Sendable {
  let node: Node
  let source: SourceText

  /// A string that stands in no file.
  static func string(_ text: String) -> FileValue {
    let scalar = Scalar(text: text, value: .string(text), isPlain: true, tag: nil)
    return FileValue(
      node: Node(range: SourceRange(start: 0, end: 0), content: .scalar(scalar)),
      source: SourceText(name: "", bytes: []))
  }

  /// The same mapping or list with other members.
  func with(_ content: Node.Content) -> FileValue {
    FileValue(node: Node(range: node.range, content: content), source: source)
  }

  /// The value under a key of a mapping.
  subscript(key: String) -> FileValue? { node[key].map { FileValue(node: $0, source: source) } }

  /// The keys of a mapping in the order of the file.
  var keys: [String] { node.entries?.map(\.key) ?? [] }

  /// The items of a list, packed or not.
  var items: [FileValue]? { node.items(in: source)?.map { FileValue(node: $0, source: source) } }

  /// Whether both mean the same: numbers by their value, mappings whatever the order of their keys.
  func means(theSameAs other: FileValue) -> Bool {
    switch (node.content, other.node.content) {
    case (.scalar(let own), .scalar(let others)):
      if let number = node.number { return number == other.node.number }
      return own.value == others.value
    case (.numbers(let own), .numbers(let others)): return own.shape == others.shape && own.values == others.values
    case (.mapping(let own), .mapping(let others)):
      return own.count == others.count
        && own.allSatisfy { entry in
          guard let value = other[entry.key] else { return false }
          return FileValue(node: entry.value, source: source).means(theSameAs: value)
        }
    default:
      guard let own = items, let others = other.items, own.count == others.count else { return false }
      return zip(own, others).allSatisfy { $0.means(theSameAs: $1) }
    }
  }

  // MARK: For people and programs

  /// The value on one line, cut where it is long; of many numbers their shape and a checksum.
  package func text(limit: Int = 60) -> String {
    printable(line(limit), limit: limit)
  }

  private func line(_ limit: Int) -> String {
    switch node.content {
    case .scalar(let scalar):
      switch scalar.value {
      case .string(let text): return isPlainProse(text) ? text : scalarText(text)
      case .binary(let bytes): return "\(bytes.count) bytes of checksum \(checksum(bytes))"
      case .null: return "null"
      case .boolean, .integer, .number: return scalar.text
      }
    case .numbers(let list) where list.values.count > 24:
      return "numbers \(shapeText(list.shape)) of checksum \(checksum(list.values))"
    case .numbers, .sequence: return "[" + joined((items ?? []).map { ("", $0) }, limit) + "]"
    case .mapping(let entries):
      return "{" + joined(entries.map { ($0.key + ": ", FileValue(node: $0.value, source: source)) }, limit) + "}"
    }
  }

  private func joined(_ members: [(label: String, value: FileValue)], _ limit: Int) -> String {
    var text = ""
    for (index, member) in members.enumerated() {
      // Whatever follows is cut off anyway.
      guard text.utf8.count / 4 <= limit else { break }
      text += (index == 0 ? "" : ", ") + member.label + member.value.line(limit)
    }
    return text
  }

  /// Writes the value as JSON.
  package func write(to json: inout JSONWriter) {
    switch node.content {
    case .scalar(let scalar):
      switch scalar.value {
      case .null: json.null()
      case .boolean(let value): json.boolean(value)
      case .integer(let value): json.integer(value)
      case .number(let value): json.number(value)
      case .string(let text): json.string(text)
      case .binary: json.string(scalar.text)
      }
    case .numbers, .sequence:
      json.array { json in for item in items ?? [] { item.write(to: &json) } }
    case .mapping(let entries):
      json.object { json in
        for entry in entries {
          json.key(entry.key)
          FileValue(node: entry.value, source: source).write(to: &json)
        }
      }
    }
  }
}

/// Whether a text is words that nobody takes for anything but words.
private func isPlainProse(_ text: String) -> Bool {
  guard text.utf8.contains(where: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "$") }), text.utf8.last != 32,
    let first = text.unicodeScalars.first, first.properties.isAlphabetic || first == "$"
  else { return false }
  return text.unicodeScalars.allSatisfy { scalar in
    scalar.properties.isAlphabetic || scalar.properties.numericType != nil
      || " $_-./'()*;+=".unicodeScalars.contains(scalar)
  }
}

/// A shape as messages show it: `[2, 3]`.
package func shapeText(_ shape: [Int]) -> String { "[" + shape.map(String.init).joined(separator: ", ") + "]" }

/// The CRC-32 of bytes in eight hexadecimal digits.
package func checksum(_ bytes: [UInt8]) -> String {
  var checksum = CRC32()
  checksum.update(bytes)
  let digits = String(checksum.value, radix: 16)
  return String(repeating: "0", count: 8 - digits.count) + digits
}

private func checksum(_ numbers: [Double]) -> String {
  checksum(AnyTensor.float64(Tensor(shape: [numbers.count], elements: numbers)).littleEndianBytes)
}
