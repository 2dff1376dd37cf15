/// The tags that a value may carry.
enum Tag: String {
  case binary = "!!binary"
  case string = "!!str"
  case integer = "!!int"
  case float = "!!float"
  case boolean = "!!bool"
  case null = "!!null"
  case sequence = "!!seq"
  case mapping = "!!map"

  /// The tag that libyaml gives in full, if it is one of YAML's own.
  init?(full tag: String) {
    let prefix = "tag:yaml.org,2002:"
    guard tag.hasPrefix(prefix) else { return nil }
    self.init(rawValue: "!!" + tag.dropFirst(prefix.count))
  }

  /// What a scalar under the tag must be, for a message.
  var expectation: String {
    switch self {
    case .binary: "base64"
    case .string: "a string"
    case .integer: "an integer"
    case .float: "a number"
    case .boolean: "`true` or `false`"
    case .null: "null"
    case .sequence: "a list"
    case .mapping: "a mapping"
    }
  }

  /// The meaning of the scalar `text` under the tag; nil where it does not fit.
  func value(of text: String) throws(Base64.Problem) -> Scalar.Value? {
    if self == .binary { return .binary(try Base64.decode(text)) }
    if self == .string { return .string(text) }
    switch (self, ScalarResolution.resolve(text)) {
    case (.integer, let value):
      if case .integer = value { return value }
      // An integer too large for `Int` is a number.
      if case .number = value, !text.contains(where: { ".eE".contains($0) }) || text.hasPrefix("0x") { return value }
      return nil
    case (.float, .integer(let value)): return .number(Double(value))
    case (.float, .number(let value)): return .number(value)
    case (.boolean, .boolean(let value)): return .boolean(value)
    case (.null, .null): return .null
    default: return nil
    }
  }
}
