package import Diagnostics

/// What stands before the numbers in a `.npy` file (numpy's NEP 1; versions 1 to 3).
package struct NPYHeader: Sendable, Equatable {
  package let type: StoredType
  package let isBigEndian: Bool
  package let isFortranOrder: Bool
  package let shape: [Int]
  /// The header's own length in bytes; the numbers follow.
  package let length: Int
  /// The bytes of the numbers.
  package let dataCount: Int

  package static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// As many bytes as a header can have here; numpy's own limit of the text is 10,000.
  package static let longest = 1 << 16

  /// Reads a header from the first bytes of a file or member; `prefix` holds `longest` of them, or all.
  package init(_ prefix: [UInt8], name: String) throws(Failure) {
    func wrong(_ what: String) -> Failure { Failure(.invalidData, "\(name): \(what)") }
    guard prefix.starts(with: Self.magic) else { throw wrong("not an array in numpy's format (no \\x93NUMPY)") }
    guard prefix.count >= 10 else { throw wrong("it ends within the header") }
    guard (1...3).contains(prefix[6]), prefix[7] == 0 else {
      throw wrong("version \(prefix[6]).\(prefix[7]) of the format is not known; versions 1.0, 2.0 and 3.0 are")
    }
    let start = prefix[6] == 1 ? 10 : 12
    guard prefix.count >= start else { throw wrong("it ends within the header") }
    var textLength = 0
    for index in (8..<start).reversed() { textLength = textLength << 8 | Int(prefix[index]) }
    guard textLength <= Self.longest - start else { throw wrong("the header is longer than \(Self.longest) bytes") }
    guard start + textLength <= prefix.count else { throw wrong("it ends within the header") }
    var parser = HeaderParser(text: prefix[start..<(start + textLength)])
    let fields: HeaderParser.Fields
    do {
      fields = try parser.fields()
    } catch {
      throw wrong("the header is not valid: \(error.message)")
    }
    type = fields.type
    isBigEndian = fields.isBigEndian
    isFortranOrder = fields.isFortranOrder
    shape = fields.shape
    length = start + textLength
    guard let count = byteCount(shape, elementSize: type.size) else {
      throw wrong("the shape \(shape) has more elements than can be counted")
    }
    dataCount = count
  }

  /// The header of an array to be written: little-endian, row-major.
  package init(type: StoredType, shape: [Int]) {
    self.type = type
    self.shape = shape
    isBigEndian = false
    isFortranOrder = false
    dataCount = byteCount(shape, elementSize: type.size) ?? 0
    length = Self.text(type, shape).count
  }

  /// The header as numpy writes it, version 1.
  package var bytes: [UInt8] { Self.text(type, shape) }

  private static func text(_ type: StoredType, _ shape: [Int]) -> [UInt8] {
    let lengths = shape.map(String.init)
    let tuple = shape.count == 1 ? "(\(shape[0]),)" : "(" + lengths.joined(separator: ", ") + ")"
    var text = "{'descr': '\(type.numpyName)', 'fortran_order': False, 'shape': \(tuple), }"
    // numpy leaves room for the first axis to grow in place to 21 digits.
    if let first = lengths.first { text += String(repeating: " ", count: max(0, 21 - first.utf8.count)) }
    text += String(repeating: " ", count: 64 - (10 + text.utf8.count + 1) % 64) + "\n"
    let count = text.utf8.count
    return magic + [1, 0, UInt8(count & 0xFF), UInt8(count >> 8 & 0xFF)] + Array(text.utf8)
  }
}

extension StoredType {
  /// The type's name in numpy, little-endian.
  var numpyName: String {
    switch self {
    case .float16: "<f2"
    case .bfloat16: "bfloat16"
    case .float32: "<f4"
    case .float64: "<f8"
    case .int8: "|i1"
    case .int16: "<i2"
    case .int32: "<i4"
    case .int64: "<i8"
    case .uint8: "|u1"
    case .uint16: "<u2"
    case .uint32: "<u4"
    case .uint64: "<u8"
    case .boolean: "|b1"
    }
  }
}

/// The part of Python's literals that numpy writes into headers:
/// `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
private struct HeaderParser: HeaderScanner {
  struct Fields {
    let type: StoredType
    let isBigEndian: Bool
    let isFortranOrder: Bool
    let shape: [Int]
  }

  typealias Problem = HeaderProblem

  var rest: ArraySlice<UInt8>

  init(text: ArraySlice<UInt8>) { rest = text }

  mutating func fields() throws(Problem) -> Fields {
    var type: (StoredType, bigEndian: Bool)?
    var fortranOrder: Bool?
    var shape: [Int]?
    try expect("{")
    while !accept("}") {
      let key = try string()
      try expect(":")
      let isDuplicate: Bool
      switch key {
      case "descr":
        isDuplicate = type != nil
        type = try elementType()
      case "fortran_order":
        isDuplicate = fortranOrder != nil
        fortranOrder = try truth()
      case "shape":
        isDuplicate = shape != nil
        shape = try tuple()
      default:
        throw Problem(message: "the key '\(escapedKey(key))' is not known")
      }
      if isDuplicate { throw Problem(message: "the key '\(key)' stands twice") }
      if !accept(",") {
        try expect("}")
        break
      }
    }
    skipSpace()
    guard rest.isEmpty else { throw Problem(message: "something follows the closing brace") }
    guard let type else { throw Problem(message: "the key 'descr' is missing") }
    guard let fortranOrder else { throw Problem(message: "the key 'fortran_order' is missing") }
    guard let shape else { throw Problem(message: "the key 'shape' is missing") }
    return Fields(type: type.0, isBigEndian: type.bigEndian, isFortranOrder: fortranOrder, shape: shape)
  }

  private mutating func elementType() throws(Problem) -> (StoredType, bigEndian: Bool) {
    skipSpace()
    if rest.first == UInt8(ascii: "[") {
      throw Problem(message: "records of several fields are not supported, only plain numbers")
    }
    let name = try string()
    if name.dropFirst().first == "O" || name == "O" {
      throw Problem(message: "it holds Python objects (a pickle), which are never loaded; save plain numbers instead")
    }
    for type in StoredType.allCases where type != .bfloat16 {
      let own = type.numpyName
      if name.dropFirst() == own.dropFirst(), let order = name.first {
        if order == "<" || order == "=" || (order == "|" && type.size == 1) { return (type, false) }
        if order == ">" { return (type, true) }
      }
    }
    throw Problem(
      message: "the element type '\(escapedKey(name))' is not supported; f2, f4, f8, i1 to i8, u1 to u8 and b1 are")
  }

  private func escapedKey(_ text: String) -> String { String(text.prefix(40)) }

  private mutating func truth() throws(Problem) -> Bool {
    skipSpace()
    for (word, value) in [("True", true), ("False", false)] where rest.starts(with: word.utf8) {
      rest = rest.dropFirst(word.utf8.count)
      return value
    }
    throw Problem(message: "'fortran_order' is neither True nor False")
  }

  private mutating func tuple() throws(Problem) -> [Int] {
    var lengths: [Int] = []
    try expect("(")
    while !accept(")") {
      lengths.append(try integer())
      if lengths.count > 64 { throw Problem(message: "the shape has more than 64 axes") }
      if !accept(",") {
        // A single number in parentheses is no tuple.
        if lengths.count == 1 { throw Problem(message: "the shape is not a tuple") }
        try expect(")")
        break
      }
    }
    return lengths
  }

  private mutating func integer() throws(Problem) -> Int {
    skipSpace()
    var value = 0
    var digits = 0
    while let byte = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
      if overflow || carry { throw Problem(message: "a length in the shape is too large") }
      value = sum
      digits += 1
      rest = rest.dropFirst()
    }
    if digits == 0 { throw Problem(message: "the shape holds something else than lengths") }
    // Python 2 wrote long integers with an L.
    if rest.first == UInt8(ascii: "L") { rest = rest.dropFirst() }
    return value
  }

  private mutating func string() throws(Problem) -> String {
    skipSpace()
    guard let quote = rest.first, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
      throw Problem(message: "a quoted word is wanted where there is none")
    }
    rest = rest.dropFirst()
    guard let end = rest.firstIndex(of: quote) else { throw Problem(message: "a quote is not closed") }
    let text = rest[..<end]
    guard text.allSatisfy({ (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "\\") }) else {
      throw Problem(message: "a word holds unusual characters")
    }
    rest = rest[(end + 1)...]
    return String(decoding: text, as: UTF8.self)
  }
}
