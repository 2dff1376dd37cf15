import Diagnostics

/// Finds the numbers of a packed list in its text again, with the lists that they stand in.
///
/// A packed list holds nothing but plain numbers, brackets, commas, `-` and comments, so its text is read without a
/// parser.
struct PackedNumbersScanner {
  /// A `[`, or the `-` in front of an item.
  struct Opener {
    let offset: Int
    let isBracket: Bool
  }

  private let bytes: [UInt8]
  private var offset: Int
  private let end: Int
  private let tracksLists: Bool
  /// The opening brackets and dashes between the last two numbers, in order, if they are tracked.
  private(set) var openers: [Opener] = []
  /// The offsets behind the closing brackets between the last two numbers, in order, if they are tracked.
  private(set) var closers: [Int] = []

  /// A scanner of the numbers from the byte at `start` up to `end`.
  init(bytes: [UInt8], start: Int, end: Int, tracksLists: Bool = false) {
    self.bytes = bytes
    offset = start
    self.end = min(end, bytes.count)
    self.tracksLists = tracksLists
  }

  /// The bytes of the next number.
  mutating func next() -> SourceRange? {
    if tracksLists {
      openers.removeAll(keepingCapacity: true)
      closers.removeAll(keepingCapacity: true)
    }
    let bytes = bytes
    let span = bytes.span
    while offset < end {
      switch span[offset] {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: ","):
        offset += 1
      case UInt8(ascii: "#"):
        while offset < end, !Self.breaksLine(span, at: offset) { offset += 1 }
      case 0x80...:
        // Only unusual line breaks stand here, and an error was reported.
        offset += 1
      case UInt8(ascii: "["):
        if tracksLists { openers.append(Opener(offset: offset, isBracket: true)) }
        offset += 1
      case UInt8(ascii: "]"):
        offset += 1
        if tracksLists { closers.append(offset) }
      case UInt8(ascii: "-") where offset + 1 >= end || Self.endsNumber(span[offset + 1]):
        if tracksLists { openers.append(Opener(offset: offset, isBracket: false)) }
        offset += 1
      default:
        let start = offset
        while offset < end, !Self.endsNumber(span[offset]) { offset += 1 }
        return SourceRange(start: start, end: offset)
      }
    }
    return nil
  }

  private static func endsNumber(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: ","),
      UInt8(ascii: "["), UInt8(ascii: "]"), 0x80...:
      true
    default: false
    }
  }

  /// Whether a line ends at `offset` as libyaml sees it.
  private static func breaksLine(_ bytes: Span<UInt8>, at offset: Int) -> Bool {
    switch bytes[offset] {
    case UInt8(ascii: "\n"), UInt8(ascii: "\r"): true
    case 0xC2: offset + 1 < bytes.count && bytes[offset + 1] == 0x85
    case 0xE2: offset + 2 < bytes.count && bytes[offset + 1] == 0x80 && bytes[offset + 2] & 0xFE == 0xA8
    default: false
    }
  }
}

extension NumberList {
  /// The items of the list as nodes: numbers, or packed rows; `start` is where the list's text begins.
  func items(in bytes: [UInt8], from start: Int) -> [Node] {
    guard let count = shape.first, count > 0 else { return [] }
    let rowShape = Array(shape.dropFirst())
    if rowShape.isEmpty {
      var scanner = PackedNumbersScanner(bytes: bytes, start: start, end: bytes.count)
      var nodes: [Node] = []
      nodes.reserveCapacity(count)
      while nodes.count < count, let range = scanner.next() {
        nodes.append(Node.number(in: bytes, range: range))
      }
      return nodes
    }
    let rowCount = values.count / count
    return rowRanges(in: bytes, from: start, rowCount: rowCount).enumerated().map { index, range in
      Node(range: range, content: .numbers(slice(index * rowCount..<(index + 1) * rowCount, shape: rowShape)))
    }
  }

  /// The bytes of every row of `rowCount` numbers.
  private func rowRanges(in bytes: [UInt8], from start: Int, rowCount: Int) -> [SourceRange] {
    var scanner = PackedNumbersScanner(bytes: bytes, start: start, end: bytes.count, tracksLists: true)
    var ranges: [SourceRange] = []
    ranges.reserveCapacity(shape[0])
    // Of the openers in front of a row's first number, the last `depth` are those of the row and of the lists in it:
    // each list that begins there has one; before them may stand the dash of an item of the list around the row.
    let depth = shape.count - 1
    var rowStart = start
    var openBrackets = 0
    var numberEnd = start
    var index = 0
    while true {
      let number = scanner.next()
      if index > 0, index % rowCount == 0 {
        // A row in brackets ends with the first bracket opened in it; one of dashes with what ends last in it.
        let closers = scanner.closers
        let end = openBrackets > 0 && closers.count >= openBrackets ? closers[openBrackets - 1] : numberEnd
        ranges.append(SourceRange(start: rowStart, end: end))
      }
      guard let number, ranges.count < shape[0] else { return ranges }
      if index % rowCount == 0 {
        let openers = scanner.openers.suffix(depth)
        rowStart = openers.first?.offset ?? number.start
        openBrackets = openers.count { $0.isBracket }
      } else {
        openBrackets += scanner.openers.count { $0.isBracket } - scanner.closers.count
      }
      numberEnd = number.end
      index += 1
    }
  }

  /// The numbers at `range` as a list of `shape`.
  private func slice(_ range: Range<Int>, shape: [Int]) -> NumberList {
    var corrections: [Int: Float] = [:]
    if !floatCorrections.isEmpty {
      for index in range {
        if let value = floatCorrections[index] { corrections[index - range.lowerBound] = value }
      }
    }
    return NumberList(shape: shape, values: Array(values[range]), floatCorrections: corrections)
  }
}

extension Node {
  /// The plain number at `range`.
  static func number(in bytes: [UInt8], range: SourceRange) -> Node {
    let text = String(decoding: bytes[range.start..<range.end], as: UTF8.self)
    return Node(
      range: range,
      content: .scalar(Scalar(text: text, value: ScalarResolution.resolve(text), isPlain: true, tag: nil)))
  }
}
