public import Diagnostics

/// Reads strict JSON (RFC 8259) into the same nodes as YAML; lists are never packed.
///
/// Duplicate keys and more than 512 nested lists and objects are errors.
public enum JSONDocument {
  /// Reads the value in `source`. Where the text is not JSON, reading ends there and there is no root.
  public static func parse(source: SourceText) -> ParsedDocument {
    var reader = JSONReader(source: source)
    let root = reader.document()
    return ParsedDocument(source: source, root: root, diagnostics: reader.diagnostics)
  }
}

/// Sound JSON of which only the parts that somebody asks for are read.
package struct SoundJSON: Sendable {
  /// The text.
  package let source: SourceText
  /// The value, but for what stands under the key that was left out.
  package let root: Node?
  private let parts: [String: SourceRange]

  /// Reads an object, and of the object under `key` in it only where its values stand.
  package init(source: SourceText, leavingOut key: String) {
    self.source = source
    var reader = JSONReader(source: source, leftOutKey: key)
    root = reader.document()
    parts = reader.leftOut
  }

  /// The value of `name` in the object that was left out, read anew at every call.
  package func part(_ name: String) -> Node? {
    guard let range = parts[name] else { return nil }
    var reader = JSONReader(source: source, leftOutKey: "", from: range.start)
    return reader.value()
  }
}

/// A recursive descent over the bytes; its depth is bounded.
private struct JSONReader {
  private static let deepest = 512

  private struct Stop: Error {}

  private let source: SourceText
  private let bytes: [UInt8]
  /// Of sound text, which has each key once: the key at the top whose object is left out.
  private let leftOutKey: String?
  /// Where the values of that object stand.
  private(set) var leftOut: [String: SourceRange] = [:]
  private var nodeCount = 0
  private var offset: Int
  private(set) var diagnostics: [Diagnostic] = []

  init(source: SourceText, leftOutKey: String? = nil, from start: Int? = nil) {
    self.source = source
    self.leftOutKey = leftOutKey
    bytes = source.bytes
    offset = start ?? source.textStart
  }

  /// The value that begins here; nil where it is not sound.
  mutating func value() -> Node? { try? value(depth: 1) }

  mutating func document() -> Node? {
    do throws(Stop) {
      let root = try value(depth: 0)
      skipSpace()
      if offset < bytes.count { throw unexpected("the end of the text") }
      return root
    } catch {
      return nil
    }
  }

  // MARK: Problems

  private mutating func report(
    _ code: DiagnosticCode, _ message: String, at range: SourceRange, first: SourceRange? = nil
  ) {
    let notes = first.map { [DiagnosticNote("first given here", at: SourcePlace(source: source, range: $0))] }
    diagnostics.append(Diagnostic(code, message, at: SourcePlace(source: source, range: range), notes: notes ?? []))
  }

  private mutating func fail(_ code: DiagnosticCode, _ message: String, at start: Int, _ end: Int) -> Stop {
    report(code, message, at: SourceRange(start: start, end: min(end, bytes.count)))
    return Stop()
  }

  private mutating func unexpected(_ expected: String) -> Stop {
    var end = offset
    while end < bytes.count, end < offset + 30, Self.isWord(bytes[end]) { end += 1 }
    if end == offset, offset < bytes.count {
      end += 1
      while end < bytes.count, bytes[end] & 0xC0 == 0x80 { end += 1 }
    }
    let found = source.string(in: SourceRange(start: offset, end: end))
    return fail(
      .syntax, "expected \(expected), found \(found.isEmpty ? "the end of the text" : "`\(printable(found))`")",
      at: offset,
      end)
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "+"), UInt8(ascii: "-"):
      true
    default: false
    }
  }

  // MARK: Values

  private mutating func skipSpace() {
    while offset < bytes.count {
      switch bytes[offset] {
      case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): offset &+= 1
      default: return
      }
    }
  }

  private var next: UInt8 { offset < bytes.count ? bytes[offset] : 0 }

  private mutating func value(depth: Int) throws(Stop) -> Node {
    skipSpace()
    let start = offset
    nodeCount += 1
    guard nodeCount <= NodeBuilder.mostNodes else {
      throw fail(.tooManyValues, "the text holds more than \(NodeBuilder.mostNodes) values", at: offset, offset)
    }
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth + 1)
    case UInt8(ascii: "["): return try array(depth: depth + 1)
    case UInt8(ascii: "\""):
      let text = try string()
      return scalar(text, .string(text), from: start, isPlain: false)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    case UInt8(ascii: "t"): return try word("true", .boolean(true))
    case UInt8(ascii: "f"): return try word("false", .boolean(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: throw unexpected("a value")
    }
  }

  private func scalar(_ text: String, _ value: Scalar.Value, from start: Int, isPlain: Bool = true) -> Node {
    Node(
      range: SourceRange(start: start, end: offset),
      content: .scalar(Scalar(text: text, value: value, isPlain: isPlain, tag: nil)))
  }

  private mutating func word(_ word: StaticString, _ value: Scalar.Value) throws(Stop) -> Node {
    let start = offset
    let text = word.description
    guard bytes[start...].starts(with: text.utf8) else { throw unexpected("a value") }
    offset += text.utf8.count
    guard !Self.isWord(next) else {
      offset = start
      throw unexpected("a value")
    }
    return scalar(text, value, from: start)
  }

  private mutating func number() throws(Stop) -> Node {
    let start = offset
    if next == UInt8(ascii: "-") { offset += 1 }
    if next == UInt8(ascii: "0") { offset += 1 } else { try digits() }
    if next == UInt8(ascii: ".") {
      offset += 1
      try digits()
    }
    if next | 0x20 == UInt8(ascii: "e") {
      offset += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { offset += 1 }
      try digits()
    }
    guard !Self.isWord(next), let lexed = NumberLexer.lex(bytes.span.extracting(start..<offset)) else {
      offset = start
      throw unexpected("a number as JSON writes it")
    }
    let text = String(decoding: bytes[start..<offset], as: UTF8.self)
    return scalar(text, lexed.integer.map { .integer($0) } ?? .number(lexed.value), from: start)
  }

  private mutating func digits() throws(Stop) {
    let start = offset
    while case UInt8(ascii: "0")...UInt8(ascii: "9") = next { offset += 1 }
    if offset == start { throw unexpected("a digit") }
  }

  // MARK: Collections

  private mutating func enter(depth: Int) throws(Stop) {
    guard depth <= Self.deepest else {
      throw fail(
        .tooDeep, "more than \(Self.deepest) lists and objects stand within one another", at: offset, offset + 1)
    }
    offset += 1
    skipSpace()
  }

  private mutating func array(depth: Int) throws(Stop) -> Node {
    let start = offset
    try enter(depth: depth)
    var items: [Node] = []
    if next != UInt8(ascii: "]") {
      while true {
        items.append(try value(depth: depth))
        skipSpace()
        if next == UInt8(ascii: "]") { break }
        guard next == UInt8(ascii: ",") else { throw unexpected("`,` or `]`") }
        offset += 1
      }
    }
    offset += 1
    return Node(range: SourceRange(start: start, end: offset), content: .sequence(items))
  }

  private mutating func object(depth: Int) throws(Stop) -> Node {
    let start = offset
    try enter(depth: depth)
    var entries: [Node.Entry] = []
    var keys = KeyIndex()
    if next != UInt8(ascii: "}") {
      entries.reserveCapacity(4)
      while true {
        skipSpace()
        guard next == UInt8(ascii: "\"") else { throw unexpected("a key in double quotes") }
        let keyStart = offset
        let key = try string()
        let keyRange = SourceRange(start: keyStart, end: offset)
        skipSpace()
        guard next == UInt8(ascii: ":") else { throw unexpected("`:`") }
        offset += 1
        if depth == 1, key == leftOutKey {
          try passOver()
          skipSpace()
          if next == UInt8(ascii: "}") { break }
          offset += 1
          continue
        }
        let value = try value(depth: depth)
        if leftOutKey == nil, let index = keys.index(of: key, in: entries) {
          report(
            .duplicateKey, "the key `\(printable(key))` stands here a second time; remove one of the two", at: keyRange,
            first: entries[index].keyRange)
          if diagnostics.count >= NodeBuilder.mostDiagnostics {
            throw fail(.tooManyErrors, "the rest of the text is not read", at: keyStart, offset)
          }
        } else {
          if leftOutKey == nil { keys.willAppend(key, to: entries) }
          entries.append(Node.Entry(key: key, keyRange: keyRange, value: value, isMerged: false))
        }
        skipSpace()
        if next == UInt8(ascii: "}") { break }
        guard next == UInt8(ascii: ",") else { throw unexpected("`,` or `}`") }
        offset += 1
      }
    }
    offset += 1
    return Node(range: SourceRange(start: start, end: offset), content: .mapping(entries))
  }

  /// Notes where the values of a sound object stand, without reading them.
  private mutating func passOver() throws(Stop) {
    skipSpace()
    offset += 1
    skipSpace()
    while next == UInt8(ascii: "\"") {
      let key = try string()
      skipSpace()
      offset += 1
      skipSpace()
      let start = offset
      offset = unsafe bytes.withUnsafeBufferPointer { unsafe Self.endOfValue($0, from: start) }
      leftOut[key] = SourceRange(start: start, end: offset)
      skipSpace()
      if next == UInt8(ascii: ",") { offset += 1 }
      skipSpace()
    }
    offset += 1
  }

  /// The end of the sound list or object that begins at `offset`.
  private static func endOfValue(_ bytes: UnsafeBufferPointer<UInt8>, from offset: Int) -> Int {
    var index = offset
    var depth = 0
    while index < bytes.count {
      let byte = unsafe bytes[index]
      index &+= 1
      if byte == UInt8(ascii: "\"") {
        while index < bytes.count {
          let byte = unsafe bytes[index]
          index &+= 1
          if byte == UInt8(ascii: "\"") { break }
          if byte == UInt8(ascii: "\\") { index &+= 1 }
        }
      } else if byte | 0x20 == UInt8(ascii: "{") {  // a bracket too: they differ in this bit
        depth &+= 1
      } else if byte | 0x20 == UInt8(ascii: "}") {
        depth &-= 1
        if depth == 0 { break }
      }
    }
    return index
  }

  // MARK: Strings

  /// Reads a string, from its opening quote on.
  private mutating func string() throws(Stop) -> String {
    let quote = offset
    offset += 1
    var start = offset
    var unescaped: String?
    while offset < bytes.count {
      offset = Self.endOfPlainText(bytes.span, from: offset)
      guard offset < bytes.count else { break }
      switch bytes[offset] {
      case UInt8(ascii: "\""):
        let rest = try text(start, offset)
        offset += 1
        return unescaped.map { $0 + rest } ?? rest
      case UInt8(ascii: "\\"):
        unescaped = try (unescaped ?? "") + text(start, offset)
        unescaped?.unicodeScalars.append(try escape())
        start = offset
      default: throw unexpected("the end of the string or an escape such as `\\n`")
      }
    }
    throw fail(.syntax, "the string that begins here has no closing quote", at: quote, quote + 1)
  }

  /// The first byte from `offset` on that does not stand for itself in a string.
  private static func endOfPlainText(_ bytes: Span<UInt8>, from offset: Int) -> Int {
    var index = offset
    while index < bytes.count {
      let byte = bytes[index]
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { break }
      index &+= 1
    }
    return index
  }

  private mutating func text(_ start: Int, _ end: Int) throws(Stop) -> String {
    if source.isASCII { return String(decoding: bytes[start..<end], as: UTF8.self) }
    guard let text = String(validating: bytes[start..<end], as: UTF8.self) else {
      throw fail(.encoding, "the string holds bytes that are not UTF-8", at: start, end)
    }
    return text
  }

  /// Reads an escape, from its backslash on.
  private mutating func escape() throws(Stop) -> Unicode.Scalar {
    let start = offset
    offset += 2
    guard offset <= bytes.count else { throw fail(.syntax, "the text ends within a string", at: start, start + 1) }
    switch bytes[offset - 1] {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      var code = hexadecimal()
      if let high = code, high & 0xFC00 == 0xD800, next == UInt8(ascii: "\\"), offset + 1 < bytes.count,
        bytes[offset + 1] == UInt8(ascii: "u")
      {
        offset += 2
        code = hexadecimal().flatMap { $0 & 0xFC00 == 0xDC00 ? 0x10000 + (high & 0x3FF) << 10 + $0 & 0x3FF : nil }
      }
      if let scalar = code.flatMap(Unicode.Scalar.init) { return scalar }
      throw fail(.syntax, "this escape is not a character; `\\u` takes four hexadecimal digits", at: start, offset)
    default: throw fail(.syntax, "this is no escape of JSON", at: start, offset)
    }
  }

  private mutating func hexadecimal() -> UInt32? {
    guard offset + 4 <= bytes.count else { return nil }
    var code: UInt32 = 0
    for byte in bytes[offset..<offset + 4] {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): code = code << 4 | UInt32(byte - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"): code = code << 4 | UInt32(byte - UInt8(ascii: "a") + 10)
      case UInt8(ascii: "A")...UInt8(ascii: "F"): code = code << 4 | UInt32(byte - UInt8(ascii: "A") + 10)
      default: return nil
      }
    }
    offset += 4
    return code
  }
}
