/// Turns libyaml's marks, which count code points, into offsets of bytes, for marks that mostly go forward.
struct CodePointCursor {
  private let bytes: [UInt8]
  private let base: Int
  private let isASCII: Bool
  private var codePoint = 0
  private var offset: Int

  /// A cursor over `bytes`, whose code point 0 is the byte at `base` (behind a byte order mark).
  init(bytes: [UInt8], base: Int, isASCII: Bool) {
    self.bytes = bytes
    self.base = base
    self.isASCII = isASCII
    offset = base
  }

  /// The offset of the code point at `index`, or that of the end.
  mutating func offset(of index: Int) -> Int {
    guard !isASCII else { return min(base + index, bytes.count) }
    let bytes = bytes
    let span = bytes.span
    while codePoint < index, offset < span.count {
      // Eight bytes of ASCII are eight code points.
      while codePoint &+ 8 <= index, offset &+ 8 <= span.count,
        unsafe span.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self) & 0x8080_8080_8080_8080
          == 0
      {
        offset &+= 8
        codePoint &+= 8
      }
      guard codePoint < index, offset < span.count else { break }
      offset += 1
      while offset < span.count, span[offset] & 0xC0 == 0x80 { offset += 1 }
      codePoint += 1
    }
    while codePoint > index, offset > base {
      offset -= 1
      while offset > base, span[offset] & 0xC0 == 0x80 { offset -= 1 }
      codePoint -= 1
    }
    return offset
  }
}
