/// The records that a zip file is made of.
enum ZipRecords {
  /// A member as it is written.
  struct Member {
    let name: [UInt8]
    let method: UInt16
    let checksum: UInt32
    let packedCount: Int
    let count: Int
  }

  private static let wide = 0xFFFF_FFFF
  private static let localSignature = 0x0403_4B50
  private static let entrySignature = 0x0201_4B50
  private static let endSignature = 0x0605_4B50
  private static let wideEndSignature = 0x0606_4B50
  private static let locatorSignature = 0x0706_4B50

  /// What stands before a member's bytes.
  static func localHeader(_ member: Member) -> [UInt8] {
    let isWide = member.count >= wide || member.packedCount >= wide
    var bytes: [UInt8] = []
    bytes.append(localSignature, width: 4)
    appendCommon(member, isWide: isWide, to: &bytes)
    bytes.append(isWide ? wide : member.packedCount, width: 4)
    bytes.append(isWide ? wide : member.count, width: 4)
    bytes.append(member.name.count, width: 2)
    bytes.append(isWide ? 20 : 0, width: 2)
    bytes += member.name
    if isWide {
      bytes.append(1, width: 2)
      bytes.append(16, width: 2)
      bytes.append(member.count, width: 8)
      bytes.append(member.packedCount, width: 8)
    }
    return bytes
  }

  /// A member's entry in the directory.
  static func entry(_ member: Member, offset: Int) -> [UInt8] {
    let isWide = member.count >= wide || member.packedCount >= wide || offset >= wide
    var bytes: [UInt8] = []
    bytes.append(entrySignature, width: 4)
    // Made by Unix, for the file's mode below.
    bytes.append(3 << 8 | (isWide ? 45 : 20), width: 2)
    appendCommon(member, isWide: isWide, to: &bytes)
    bytes.append(isWide ? wide : member.packedCount, width: 4)
    bytes.append(isWide ? wide : member.count, width: 4)
    bytes.append(member.name.count, width: 2)
    bytes.append(isWide ? 28 : 0, width: 2)
    // No comment, first part, no internal attributes; the mode of the file, 0600, as Python writes it.
    bytes.append(0, width: 6)
    bytes.append(0o600 << 16, width: 4)
    bytes.append(isWide ? wide : offset, width: 4)
    bytes += member.name
    if isWide {
      bytes.append(1, width: 2)
      bytes.append(24, width: 2)
      bytes.append(member.count, width: 8)
      bytes.append(member.packedCount, width: 8)
      bytes.append(offset, width: 8)
    }
    return bytes
  }

  /// A copied entry for a member that has moved; nil where its form has no room for the place.
  static func moved(_ entry: [UInt8], to offset: Int) -> [UInt8]? {
    guard entry.number(42, 4) != wide, offset < wide else { return nil }
    var moved = entry
    for index in 0..<4 { moved[42 + index] = UInt8(truncatingIfNeeded: offset >> (8 * index)) }
    return moved
  }

  /// What stands behind the directory.
  static func end(count: Int, directoryOffset: Int, directoryCount: Int, comment: [UInt8]) -> [UInt8] {
    let isWide = count >= 0xFFFF || directoryOffset >= wide || directoryCount >= wide
    var bytes: [UInt8] = []
    if isWide {
      bytes.append(wideEndSignature, width: 4)
      bytes.append(44, width: 8)
      bytes.append(3 << 8 | 45, width: 2)
      bytes.append(45, width: 2)
      bytes.append(0, width: 8)
      bytes.append(count, width: 8)
      bytes.append(count, width: 8)
      bytes.append(directoryCount, width: 8)
      bytes.append(directoryOffset, width: 8)
      bytes.append(locatorSignature, width: 4)
      bytes.append(0, width: 4)
      bytes.append(directoryOffset + directoryCount, width: 8)
      bytes.append(1, width: 4)
    }
    bytes.append(endSignature, width: 4)
    bytes.append(0, width: 4)
    bytes.append(isWide ? 0xFFFF : count, width: 2)
    bytes.append(isWide ? 0xFFFF : count, width: 2)
    bytes.append(isWide ? wide : directoryCount, width: 4)
    bytes.append(isWide ? wide : directoryOffset, width: 4)
    bytes.append(comment.count, width: 2)
    return bytes + comment
  }

  /// Version, flags, method, time and checksum, which both headers share. The time is the first that zip has.
  private static func appendCommon(_ member: Member, isWide: Bool, to bytes: inout [UInt8]) {
    bytes.append(isWide ? 45 : 20, width: 2)
    bytes.append(member.name.allSatisfy { $0 < 0x80 } ? 0 : 0x800, width: 2)
    bytes.append(Int(member.method), width: 2)
    bytes.append(0, width: 2)
    bytes.append(1 << 5 | 1, width: 2)
    bytes.append(Int(member.checksum), width: 4)
  }
}

extension [UInt8] {
  /// Appends a little-endian number of `width` bytes.
  mutating func append(_ value: Int, width: Int) {
    for index in 0..<width { append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
  }
}
