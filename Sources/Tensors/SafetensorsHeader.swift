import Diagnostics
import Files

/// The header of a `.safetensors` file (the format's version of 2023): JSON that names the arrays, strictly checked.
struct SafetensorsHeader: Sendable {
  struct Entry: Sendable {
    let key: String
    /// The type's name in the file, such as `F32`.
    let typeName: String
    let shape: [Int]
    /// Where its bytes are, counted from the end of the header.
    let range: Range<Int>
  }

  /// In the order of the header.
  let entries: [Entry]
  /// The free texts of `__metadata__`; nil where there is no such key.
  let metadata: [(key: String, value: String)]?
  /// The bytes before the data, its length included.
  let length: Int
  private let file: InputFile

  /// The format's own limit of the header.
  static let longest = 100_000_000

  /// The bits an element of every type that the format knows; the arrays of some cannot be read, but are kept.
  private static let sizes: [String: Int] = [
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "I16": 16, "U16": 16, "F16": 16,
    "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "C64": 64, "F64": 64, "I64": 64, "U64": 64, "F4": 4, "F6_E2M3": 6,
    "F6_E3M2": 6,
  ]

  private static let types: [String: StoredType] = [
    "BOOL": .boolean, "U8": .uint8, "I8": .int8, "I16": .int16, "U16": .uint16, "F16": .float16, "BF16": .bfloat16,
    "I32": .int32, "U32": .uint32, "F32": .float32, "F64": .float64, "I64": .int64, "U64": .uint64,
  ]

  init(_ file: InputFile) throws(Failure) {
    func wrong(_ what: String) -> Failure { Failure(.invalidData, "\(file.name): \(what)") }
    guard file.count >= 8 else { throw wrong("too short for a .safetensors file") }
    let claimed = try file.read(at: 0, count: 8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard claimed <= UInt64(Self.longest) else {
      throw wrong("the header claims \(claimed) bytes; the format allows \(Self.longest)")
    }
    guard Int(claimed) <= file.count - 8 else { throw wrong("it ends within the header") }
    let text = try file.read(at: 8, count: Int(claimed))
    guard text.first == UInt8(ascii: "{") else { throw wrong("the header does not begin with '{'") }
    var parser = HeaderText(rest: text[...])
    do {
      (entries, metadata) = try parser.header()
    } catch {
      throw wrong("the header is not valid: \(error.message)")
    }
    length = 8 + text.count
    self.file = file

    let dataCount = file.count - length
    var end = 0
    for entry in entries.sorted(by: {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }) {
      let label = "array '\(printable(entry.key))'"
      guard entry.range.upperBound <= dataCount else { throw wrong("\(label) reaches beyond the end of the file") }
      guard entry.range.lowerBound >= end else { throw wrong("\(label) overlaps another array") }
      guard entry.range.lowerBound == end else { throw wrong("there is a hole before \(label)") }
      end = entry.range.upperBound
      guard let bits = Self.sizes[entry.typeName] else {
        throw wrong("\(label) has the unknown type '\(printable(entry.typeName))'")
      }
      guard let needed = byteCount(entry.shape, elementSize: bits), needed % 8 == 0, needed / 8 == entry.range.count
      else { throw wrong("\(label) has \(entry.range.count) bytes, which is not the size of its shape \(entry.shape)") }
    }
    guard end == dataCount else { throw wrong("\(dataCount - end) bytes after the last array belong to none") }
  }

  /// The array of an entry.
  func source(_ entry: Entry) throws(Failure) -> ArraySource {
    let name = arrayName(file.name, entry.key)
    guard let type = Self.types[entry.typeName] else {
      throw Failure(.invalidData, "\(name): the element type \(entry.typeName) is not supported")
    }
    return ArraySource(
      name: name, key: entry.key, type: type, shape: entry.shape,
      data: ArrayData(file, offset: length + entry.range.lowerBound, count: entry.range.count))
  }
}

/// The JSON of a header: an object of objects, and nothing that the format does not have.
private struct HeaderText: HeaderScanner {
  typealias Problem = HeaderProblem

  var rest: ArraySlice<UInt8>

  mutating func header() throws(Problem) -> (
    entries: [SafetensorsHeader.Entry], metadata: [(key: String, value: String)]?
  ) {
    var entries: [SafetensorsHeader.Entry] = []
    var metadata: [(key: String, value: String)]?
    try object { parser, key throws(Problem) in
      if key == "__metadata__" {
        var texts: [(key: String, value: String)] = []
        try parser.object { parser, key throws(Problem) in texts.append((key, try parser.string())) }
        metadata = texts
      } else {
        entries.append(try parser.entry(key))
      }
    }
    skipSpace()
    guard rest.isEmpty else { throw Problem(message: "something follows the closing brace") }
    return (entries, metadata)
  }

  private mutating func entry(_ key: String) throws(Problem) -> SafetensorsHeader.Entry {
    var type: String?
    var shape: [Int]?
    var offsets: [Int]?
    try object { parser, field throws(Problem) in
      switch field {
      case "dtype": type = try parser.string()
      case "shape": shape = try parser.integers()
      case "data_offsets": offsets = try parser.integers()
      default: throw Problem(message: "an array has the unknown key '\(printable(field))'")
      }
    }
    let label = printable(key)
    guard let type, let shape, let offsets else {
      throw Problem(message: "array '\(label)' lacks one of dtype, shape and data_offsets")
    }
    guard offsets.count == 2, offsets[0] <= offsets[1] else {
      throw Problem(message: "array '\(label)' has data_offsets that are no range")
    }
    return SafetensorsHeader.Entry(key: key, typeName: type, shape: shape, range: offsets[0]..<offsets[1])
  }

  private mutating func object(_ member: (inout HeaderText, String) throws(Problem) -> Void) throws(Problem) {
    var keys: Set<String> = []
    try expect("{")
    if accept("}") { return }
    repeat {
      skipSpace()
      let key = try string()
      guard keys.insert(key).inserted else {
        throw Problem(message: "the key '\(printable(key))' stands twice")
      }
      try expect(":")
      skipSpace()
      try member(&self, key)
    } while accept(",")
    try expect("}")
  }

  private mutating func integers() throws(Problem) -> [Int] {
    var result: [Int] = []
    try expect("[")
    if accept("]") { return [] }
    repeat {
      skipSpace()
      let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      guard !digits.isEmpty, digits.count == 1 || digits.first != UInt8(ascii: "0"),
        let value = Int(String(decoding: digits, as: UTF8.self))
      else { throw Problem(message: "a whole number is wanted where there is none that fits") }
      rest = rest.dropFirst(digits.count)
      result.append(value)
      if result.count > 64 { throw Problem(message: "a shape has more than 64 axes") }
    } while accept(",")
    try expect("]")
    return result
  }

  private mutating func string() throws(Problem) -> String {
    guard rest.first == UInt8(ascii: "\"") else { throw Problem(message: "a string is wanted where there is none") }
    rest = rest.dropFirst()
    var bytes: [UInt8] = []
    while let byte = rest.first {
      rest = rest.dropFirst()
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: bytes, as: UTF8.self) else {
          throw Problem(message: "a string is not UTF-8")
        }
        return text
      case UInt8(ascii: "\\"):
        bytes += Array(String(Character(try escape())).utf8)
      case 0..<0x20:
        throw Problem(message: "a string holds a control character")
      default:
        bytes.append(byte)
      }
    }
    throw Problem(message: "a string is not closed")
  }

  private mutating func escape() throws(Problem) -> Unicode.Scalar {
    guard let byte = rest.popFirst() else { throw Problem(message: "a string is not closed") }
    switch byte {
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "u"):
      var value = try hexadecimal()
      if (0xD800..<0xDC00).contains(value), rest.starts(with: Array("\\u".utf8)) {
        rest = rest.dropFirst(2)
        let low = try hexadecimal()
        guard (0xDC00..<0xE000).contains(low) else { throw Problem(message: "half of a surrogate pair stands alone") }
        value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(value) else {
        throw Problem(message: "half of a surrogate pair stands alone")
      }
      return scalar
    default: throw Problem(message: "a string holds an unknown escape")
    }
  }

  private mutating func hexadecimal() throws(Problem) -> UInt32 {
    let digits = rest.prefix(4)
    guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw Problem(message: "a string holds an unknown escape") }
    rest = rest.dropFirst(4)
    return value
  }
}
