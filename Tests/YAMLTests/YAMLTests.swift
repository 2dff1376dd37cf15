import Diagnostics
import Testing
import YAML

/// The document of `text`.
func parse(_ text: String) -> ParsedDocument {
  YAMLDocument.parse(source: SourceText(name: "test.yaml", bytes: Array(text.utf8)))
}

/// A node as text: scalars by meaning, packed lists as `#[shape] values`.
func written(_ node: Node?) -> String {
  guard let node else { return "none" }
  switch node.content {
  case .scalar(let scalar):
    switch scalar.value {
    case .null: return "null"
    case .boolean(let value): return "\(value)"
    case .integer(let value): return "\(value)"
    case .number(let value): return "\(value)f"
    case .string(let value): return "'\(value)'"
    case .binary(let value): return "bytes\(value)"
    }
  case .sequence(let items): return "[" + items.map(written).joined(separator: ", ") + "]"
  case .numbers(let numbers): return "#\(numbers.shape) \(numbers.values)"
  case .mapping(let entries):
    return "{" + entries.map { "\($0.key): \(written($0.value))" }.joined(separator: ", ") + "}"
  }
}
