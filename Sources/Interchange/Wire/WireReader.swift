/// What is wrong with the bytes of a protobuf message.
struct WireError: Error {
  let message: String
}

/// How many messages and strings one file may hold: each takes far more memory than its two bytes in the file.
final class MessageBudget {
  private let most: Int
  private var left: Int

  /// The default is far above networks of today, which have some ten thousand nodes.
  init(most: Int = 2_000_000) {
    self.most = most
    left = most
  }

  func take() throws(WireError) {
    guard left > 0 else { throw WireError(message: "it has more than \(most) parts") }
    left -= 1
  }
}

/// Reads the fields of a protobuf message one by one, never beyond its bytes.
///
/// https://protobuf.dev/programming-guides/encoding: a field is a key (number and wire type) and a value, which is a
/// varint, 4 or 8 bytes, or a length with as many bytes.
struct WireReader {
  /// A field's value as it is encoded.
  enum Value {
    case varint(UInt64)
    case fixed64(UInt64)
    case fixed32(UInt32)
    case bytes(Range<Int>)
  }

  /// A field of the message.
  struct Field {
    let number: Int
    let value: Value
  }

  /// The whole file, which all messages of it share.
  let file: [UInt8]
  let budget: MessageBudget
  private(set) var position: Int
  private let end: Int

  /// A reader of the message that fills `range` of `file`.
  init(file: [UInt8], range: Range<Int>, budget: MessageBudget) throws(WireError) {
    try budget.take()
    self.file = file
    self.budget = budget
    position = range.lowerBound
    end = range.upperBound
  }

  /// A reader of the message that a field holds.
  func message(_ field: Field) throws(WireError) -> WireReader {
    try WireReader(file: file, range: try bytes(field), budget: budget)
  }

  /// The next field, or nil at the end of the message.
  mutating func next() throws(WireError) -> Field? {
    guard position < end else { return nil }
    let key = try varint()
    guard let number = Int(exactly: key >> 3), number > 0, number < 1 << 29 else {
      throw WireError(message: "a field at byte \(position) has no valid number")
    }
    switch key & 7 {
    case 0: return Field(number: number, value: .varint(try varint()))
    case 1: return Field(number: number, value: .fixed64(try fixed(8)))
    case 2:
      let length = try varint()
      guard length <= UInt64(end - position) else {
        throw WireError(
          message: "field \(number) at byte \(position) is \(length) bytes long, but \(end - position) are left")
      }
      let start = position
      position += Int(length)
      return Field(number: number, value: .bytes(start..<position))
    case 5: return Field(number: number, value: .fixed32(UInt32(truncatingIfNeeded: try fixed(4))))
    default: throw WireError(message: "field \(number) at byte \(position) has a wire type that ONNX does not use")
    }
  }

  /// The next number of a packed list, or nil at its end.
  mutating func nextInteger() throws(WireError) -> Int? {
    position < end ? Int(truncatingIfNeeded: try varint()) : nil
  }

  private mutating func varint() throws(WireError) -> UInt64 {
    var result: UInt64 = 0
    for shift in stride(from: UInt64(0), through: 63, by: 7) {
      guard position < end else { throw WireError(message: "it ends in the middle of a number") }
      let byte = file[position]
      position += 1
      result |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return result }
    }
    throw WireError(message: "a number at byte \(position) is longer than 64 bits")
  }

  private mutating func fixed(_ count: Int) throws(WireError) -> UInt64 {
    guard end - position >= count else { throw WireError(message: "it ends in the middle of a number") }
    let result = littleEndian(file, at: position, count: count)
    position += count
    return result
  }
}

extension WireReader {
  /// The bytes of a field that has a length.
  func bytes(_ field: Field) throws(WireError) -> Range<Int> {
    guard case .bytes(let range) = field.value else { throw wrongType(field) }
    return range
  }

  /// The text of a field; bytes that are not UTF-8 are replaced.
  func string(_ field: Field) throws(WireError) -> String {
    try budget.take()
    return String(decoding: file[try bytes(field)], as: UTF8.self)
  }

  /// The integer of a field (int32, int64, an enumeration).
  func integer(_ field: Field) throws(WireError) -> Int {
    guard case .varint(let value) = field.value else { throw wrongType(field) }
    return Int(truncatingIfNeeded: value)
  }

  /// The single-precision number of a field.
  func float(_ field: Field) throws(WireError) -> Float {
    guard case .fixed32(let bits) = field.value else { throw wrongType(field) }
    return Float(bitPattern: bits)
  }

  /// Adds the integers of a repeated field, which are packed or one by one.
  func appendIntegers(_ field: Field, to integers: inout [Int]) throws(WireError) {
    guard case .bytes(let range) = field.value else {
      try budget.take()
      integers.append(try integer(field))
      return
    }
    var packed = self
    packed.position = range.lowerBound
    while packed.position < range.upperBound {
      try budget.take()
      integers.append(Int(truncatingIfNeeded: try packed.varint()))
    }
    guard packed.position == range.upperBound else { throw WireError(message: "a list of numbers has a broken end") }
  }

  /// Adds the single-precision numbers of a repeated field, which are packed or one by one.
  func appendFloats(_ field: Field, to floats: inout [Float]) throws(WireError) {
    guard case .bytes(let range) = field.value else {
      try budget.take()
      floats.append(try float(field))
      return
    }
    guard range.count % 4 == 0 else { throw WireError(message: "a list of numbers has a broken end") }
    for offset in stride(from: range.lowerBound, to: range.upperBound, by: 4) {
      try budget.take()
      floats.append(Float(bitPattern: UInt32(truncatingIfNeeded: littleEndian(file, at: offset, count: 4))))
    }
  }

  private func wrongType(_ field: Field) -> WireError {
    WireError(message: "field \(field.number) before byte \(position) is not of the type that ONNX gives it")
  }
}

/// The little-endian number in `count` bytes, which must be there.
func littleEndian(_ bytes: [UInt8], at offset: Int, count: Int) -> UInt64 {
  var result: UInt64 = 0
  for index in 0..<count { result |= UInt64(bytes[offset + index]) << UInt64(8 * index) }
  return result
}
