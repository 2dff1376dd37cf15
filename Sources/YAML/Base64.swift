import Diagnostics

/// Strict base64 (RFC 4648): padding is needed, the bits after the last byte are zero, and white space is skipped.
enum Base64 {
  /// What is wrong with a text, and at which of its characters, white space not counted.
  struct Problem: Error {
    let message: String
    let character: Int
  }

  /// The bytes that `text` stands for.
  static func decode(_ text: String) throws(Problem) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count / 4 * 3)
    var group: UInt32 = 0
    var characters = 0
    var padding = 0
    for byte in text.utf8 {
      let digit: UInt32
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): continue
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = UInt32(byte - UInt8(ascii: "A"))
      case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = UInt32(byte - UInt8(ascii: "a")) + 26
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = UInt32(byte - UInt8(ascii: "0")) + 52
      case UInt8(ascii: "+"): digit = 62
      case UInt8(ascii: "/"): digit = 63
      case UInt8(ascii: "="):
        padding += 1
        guard padding <= 2, characters % 4 >= 2 else {
          throw Problem(message: "`=` may only fill up the last group of four characters", character: characters)
        }
        digit = 0
      default:
        throw Problem(message: "this character is not base64", character: characters)
      }
      if padding > 0, byte != UInt8(ascii: "=") {
        throw Problem(message: "nothing may follow the `=` that ends base64", character: characters)
      }
      group = group << 6 | digit
      characters += 1
      guard characters % 4 == 0 else { continue }
      if (padding == 1 && group & 0xFF != 0) || (padding == 2 && group & 0xFFFF != 0) {
        throw Problem(
          message: "the last character before the `=` has bits that belong to no byte",
          character: characters - padding - 1)
      }
      bytes.append(UInt8(truncatingIfNeeded: group >> 16))
      if padding < 2 { bytes.append(UInt8(truncatingIfNeeded: group >> 8)) }
      if padding < 1 { bytes.append(UInt8(truncatingIfNeeded: group)) }
      group = 0
    }
    guard characters % 4 == 0 else {
      throw Problem(
        message: "the base64 ends in the middle of a group of four characters", character: max(characters - 1, 0))
    }
    return bytes
  }

  /// Where the `index`th character (white space not counted) of a scalar at `range` stands in the text; the whole scalar
  /// where escapes hide it.
  static func place(of index: Int, in bytes: [UInt8], range: SourceRange) -> SourceRange {
    let text = bytes[range.start..<range.end]
    var offset = range.start
    switch text.first {
    case UInt8(ascii: "\"") where text.contains(UInt8(ascii: "\\")): return range
    case UInt8(ascii: "\""), UInt8(ascii: "'"): offset += 1
    case UInt8(ascii: "|"), UInt8(ascii: ">"):
      while offset < range.end, bytes[offset] != UInt8(ascii: "\n"), bytes[offset] != UInt8(ascii: "\r") { offset += 1 }
    default: break
    }
    var passed = 0
    while offset < range.end {
      let byte = bytes[offset]
      let isSpace = byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
      if !isSpace, byte & 0xC0 != 0x80 {
        if passed == index {
          var end = offset + 1
          while end < range.end, bytes[end] & 0xC0 == 0x80 { end += 1 }
          return SourceRange(start: offset, end: end)
        }
        passed += 1
      }
      offset += 1
    }
    return range
  }
}
