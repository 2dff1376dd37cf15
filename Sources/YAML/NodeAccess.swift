public import Diagnostics

extension Node {
  /// The entries of a mapping, or nil where the node is something else.
  public var entries: [Entry]? {
    if case .mapping(let entries) = content { entries } else { nil }
  }

  /// The entry of a mapping under `key`.
  public func entry(_ key: String) -> Entry? {
    entries?.first { $0.key == key }
  }

  /// The value of a mapping under `key`.
  public subscript(key: String) -> Node? { entry(key)?.value }

  /// The scalar that the node is, if it is one.
  public var scalar: Scalar? {
    if case .scalar(let scalar) = content { scalar } else { nil }
  }

  /// The packed numbers that the node is, if it is a list of nothing else.
  public var numbers: NumberList? {
    if case .numbers(let numbers) = content { numbers } else { nil }
  }

  /// The string that the node is.
  public var string: String? {
    if case .string(let string)? = scalar?.value { string } else { nil }
  }

  /// The boolean that the node is.
  public var boolean: Bool? {
    if case .boolean(let value)? = scalar?.value { value } else { nil }
  }

  /// The number that the node is, whether written as an integer or not.
  public var number: Double? {
    switch scalar?.value {
    case .integer(let value)?: Double(value)
    case .number(let value)?: value
    default: nil
    }
  }

  /// The integer that the node is; `1.0` is one too.
  public var integer: Int? {
    switch scalar?.value {
    case .integer(let value)?: value
    case .number(let value)?: Int(exactly: value)
    default: nil
    }
  }

  /// Whether the node is `null`, `~` or nothing.
  public var isNull: Bool { scalar?.value == .null }

  /// Whether the node is a list, packed or not.
  public var isList: Bool {
    switch content {
    case .sequence, .numbers: true
    case .scalar, .mapping: false
    }
  }

  /// The number of items of a list or entries of a mapping; 0 for a scalar.
  public var elementCount: Int {
    switch content {
    case .scalar: 0
    case .sequence(let items): items.count
    case .numbers(let numbers): numbers.shape.first ?? 0
    case .mapping(let entries): entries.count
    }
  }

  /// The items of a list, packed or not; nil where the node is no list.
  ///
  /// The items of packed numbers are made anew for each call: scalars, or packed rows, with their exact ranges. Look at
  /// `numbers` first where a list may be long.
  public func items(in source: SourceText) -> [Node]? {
    switch content {
    case .sequence(let items): items
    case .numbers(let numbers): numbers.items(in: source.bytes, from: range.start)
    case .scalar, .mapping: nil
    }
  }

  /// The place of the node.
  public func place(in source: SourceText) -> SourcePlace { SourcePlace(source: source, range: range) }

  /// What the node is, for a message: `a list`, `an empty mapping`, `the string "x"`, `the number 1.5`, `nothing`.
  public var kindName: String {
    switch content {
    case .scalar(let scalar): YAML.kindName(of: scalar.value, text: scalar.text)
    case .sequence(let items): items.isEmpty ? "an empty list" : "a list"
    case .numbers(let numbers): numbers.shape.count > 1 ? "a list of lists" : "a list"
    case .mapping(let entries): entries.isEmpty ? "an empty mapping" : "a mapping"
    }
  }

  /// Calls `body` with the bytes of every number in the node, in order; the node is a number, a packed list, or a list
  /// of those. Other nodes are passed over.
  public func forEachNumberRange(in source: SourceText, _ body: (SourceRange) -> Void) {
    switch content {
    case .scalar:
      if number != nil { body(range) }
    case .sequence(let items):
      for item in items { item.forEachNumberRange(in: source, body) }
    case .numbers:
      var scanner = PackedNumbersScanner(bytes: source.bytes, start: range.start, end: range.end)
      while let number = scanner.next() { body(number) }
    case .mapping: break
    }
  }

  /// The bytes of the number at row-major `index` in the node, or nil where there is none; reads the text again.
  public func range(ofNumber index: Int, in source: SourceText) -> SourceRange? {
    var found: SourceRange?
    var passed = 0
    forEachNumberRange(in: source) { range in
      if passed == index { found = range }
      passed += 1
    }
    return found
  }
}

/// What a scalar is, for a message.
func kindName(of value: Scalar.Value, text: String) -> String {
  switch value {
  case .null: text.isEmpty ? "nothing" : "`\(text)`"
  case .boolean: "`\(text)`"
  case .integer, .number: "the number \(printable(text))"
  case .string: "the string \"\(printable(text))\""
  case .binary: "binary data"
  }
}
