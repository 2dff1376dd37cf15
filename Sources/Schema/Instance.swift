import YAML

/// The JSON types, as a set.
struct JSONType: OptionSet, Hashable {
  let rawValue: UInt8

  static let null = JSONType(rawValue: 1)
  static let boolean = JSONType(rawValue: 2)
  static let integer = JSONType(rawValue: 4)
  /// A number with a fraction; `number` in a schema is this and `integer`.
  static let fraction = JSONType(rawValue: 8)
  static let string = JSONType(rawValue: 16)
  static let array = JSONType(rawValue: 32)
  static let object = JSONType(rawValue: 64)
  static let number: JSONType = [.integer, .fraction]

  init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The type that a schema calls `name`.
  init?(name: String) {
    switch name {
    case "null": self = .null
    case "boolean": self = .boolean
    case "integer": self = .integer
    case "number": self = .number
    case "string": self = .string
    case "array": self = .array
    case "object": self = .object
    default: return nil
    }
  }
}

/// A value under validation: a node, or a part of a packed list, which has no node of its own.
enum Instance {
  case node(Node)
  /// The rows of a packed list from `start` in its values, whose lengths are its shape from `axis` on.
  case row(NumberList, axis: Int, start: Int)
  case number(Double)

  var type: JSONType {
    switch self {
    case .number(let value): return SchemaNumber.real(value).isIntegral ? .integer : .fraction
    case .row: return .array
    case .node(let node):
      switch node.content {
      case .sequence, .numbers: return .array
      case .mapping: return .object
      case .scalar(let scalar):
        switch scalar.value {
        case .null: return .null
        case .boolean: return .boolean
        case .integer: return .integer
        case .number(let value): return SchemaNumber.real(value).isIntegral ? .integer : .fraction
        case .string, .binary: return .string
        }
      }
    }
  }

  var numberValue: SchemaNumber? {
    switch self {
    case .number(let value): .real(value)
    case .row: nil
    case .node(let node): node.schemaNumber
    }
  }

  /// The number of items of a list.
  var count: Int {
    switch self {
    case .number: 0
    case .row(let list, let axis, _): axis < list.shape.count ? list.shape[axis] : 0
    case .node(let node): node.elementCount
    }
  }

  /// The packed list that the value is, or is a part of.
  var packed: NumberList? {
    switch self {
    case .number: nil
    case .row(let list, _, _): list
    case .node(let node): node.numbers
    }
  }

  /// The item at `index` of a list.
  func element(_ index: Int) -> Instance {
    switch self {
    case .number: return self
    case .row(let list, let axis, let start): return Self.element(index, of: list, axis: axis, start: start)
    case .node(let node):
      switch node.content {
      case .sequence(let items): return .node(items[index])
      case .numbers(let list): return Self.element(index, of: list, axis: 0, start: 0)
      case .scalar, .mapping: return self
      }
    }
  }

  private static func element(_ index: Int, of list: NumberList, axis: Int, start: Int) -> Instance {
    guard axis + 1 < list.shape.count else { return .number(list.values[start + index]) }
    var stride = 1
    for length in list.shape[(axis + 1)...] { stride *= length }
    return .row(list, axis: axis + 1, start: start + index * stride)
  }
}

extension Node {
  var schemaNumber: SchemaNumber? {
    switch scalar?.value {
    case .integer(let value)?: .integer(value)
    case .number(let value)?: .real(value)
    default: nil
    }
  }

  /// The text that JSON Schema sees: of a string, or the base64 of `!!binary`.
  var schemaString: String? {
    switch scalar?.value {
    case .string(let text)?: text
    case .binary?: scalar?.text
    default: nil
    }
  }
}

// MARK: Equality

extension Instance {
  /// Whether two values are the same JSON value: numbers by value, mappings in any order.
  func isEqual(to other: Instance) -> Bool {
    if let left = numberValue {
      return other.numberValue.map { left.compared(to: $0) == 0 } ?? false
    }
    let type = self.type
    guard type == other.type else { return false }
    if type == .array {
      guard count == other.count else { return false }
      if case .node(let left) = self, case .node(let right) = other, left === right { return true }
      return (0..<count).allSatisfy { element($0).isEqual(to: other.element($0)) }
    }
    guard case .node(let left) = self, case .node(let right) = other else { return false }
    if left === right { return true }
    if let entries = left.entries, let others = right.entries {
      guard entries.count == others.count else { return false }
      let values = Dictionary(others.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
      return entries.allSatisfy { entry in
        values[entry.key].map { Instance.node(entry.value).isEqual(to: .node($0)) } ?? false
      }
    }
    if let text = left.schemaString { return right.schemaString?.utf8.elementsEqual(text.utf8) ?? false }
    return left.scalar?.value == right.scalar?.value
  }

  /// A hash that equal values share.
  var contentHash: Int {
    var hasher = Hasher()
    if let number = numberValue {
      hasher.combine(number.doubleValue)
    } else if type == .array {
      hasher.combine(count)
      for index in 0..<count { hasher.combine(element(index).contentHash) }
    } else if case .node(let node) = self {
      if let entries = node.entries {
        // Keys stand in any order, so their hashes are added.
        var sum = entries.count
        for entry in entries {
          var entryHasher = Hasher()
          entryHasher.combine(entry.key)
          entryHasher.combine(Instance.node(entry.value).contentHash)
          sum &+= entryHasher.finalize()
        }
        hasher.combine(sum)
      } else if let text = node.schemaString {
        hasher.combine(text)
      } else {
        hasher.combine(node.boolean)
      }
    }
    return hasher.finalize()
  }

  /// The indices of the first two items of a list that are equal.
  var firstDuplicate: (Int, Int)? {
    var seen: [Int: [Int]] = [:]
    for index in 0..<count {
      let item = element(index)
      let hash = item.contentHash
      if let twin = seen[hash]?.first(where: { element($0).isEqual(to: item) }) { return (twin, index) }
      seen[hash, default: []].append(index)
    }
    return nil
  }
}

/// The values of `enum` or `const`, found by hash.
struct ValueSet {
  let values: [Node]
  private let indices: [Int: [Int]]

  init(_ values: [Node]) {
    self.values = values
    indices = Dictionary(grouping: values.indices) { Instance.node(values[$0]).contentHash }
  }

  func contains(_ instance: Instance) -> Bool {
    if values.count == 1 { return Instance.node(values[0]).isEqual(to: instance) }
    return indices[instance.contentHash]?.contains { Instance.node(values[$0]).isEqual(to: instance) } ?? false
  }
}
