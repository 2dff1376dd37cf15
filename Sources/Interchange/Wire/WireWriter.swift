/// Writes the fields of a protobuf message.
struct WireWriter {
  private(set) var bytes: [UInt8] = []

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func key(_ number: Int, wireType: UInt64) { varint(UInt64(number) << 3 | wireType) }

  /// An integer (int32, int64, an enumeration).
  mutating func integer(_ number: Int, _ value: Int) {
    key(number, wireType: 0)
    varint(UInt64(bitPattern: Int64(value)))
  }

  /// Integers, one by one or packed as proto2 and proto3 have them; every reader takes both.
  mutating func integers(_ number: Int, _ values: [Int]) {
    for value in values { integer(number, value) }
  }

  /// A single-precision number.
  mutating func float(_ number: Int, _ value: Float) {
    key(number, wireType: 5)
    for shift in stride(from: UInt32(0), to: 32, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> shift))
    }
  }

  /// A text.
  mutating func string(_ number: Int, _ value: String) { field(number, Array(value.utf8)) }

  /// A text, unless it is empty, which is the same as absent.
  mutating func stringUnlessEmpty(_ number: Int, _ value: String) {
    if !value.isEmpty { string(number, value) }
  }

  /// Bytes, or a message that is written already.
  mutating func field(_ number: Int, _ value: [UInt8]) {
    key(number, wireType: 2)
    varint(UInt64(value.count))
    bytes += value
  }

  /// A message.
  mutating func message(_ number: Int, _ write: (inout WireWriter) -> Void) {
    var inner = WireWriter()
    write(&inner)
    field(number, inner.bytes)
  }
}
