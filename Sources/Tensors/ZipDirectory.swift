import Diagnostics
import Files

/// The directory of a zip file, as far as numpy's `.npz` uses zip: stored and deflated members, zip64.
struct ZipDirectory: Sendable {
  struct Member: Sendable {
    let name: String
    let nameBytes: [UInt8]
    let method: UInt16
    let checksum: UInt32
    let packedCount: Int
    let count: Int
    /// Where its local header begins.
    let offset: Int
    /// Where the next member, or the directory, begins.
    let limit: Int
    /// Its entry in the directory, for a copy.
    let entry: [UInt8]
  }

  /// In the order of the directory.
  let members: [Member]
  /// The members that are arrays, by their names without `.npy`.
  let arrays: [(key: String, member: Member)]
  /// The text behind the directory.
  let comment: [UInt8]
  let file: InputFile

  static let stored: UInt16 = 0
  static let deflated: UInt16 = 8

  init(_ file: InputFile) throws(Failure) {
    self.file = file
    func wrong(_ what: String) -> Failure { Failure(.invalidData, "\(file.name): \(what)") }
    let end = try ZipEnd(file)
    comment = end.comment
    let directory = try file.read(at: end.directoryOffset, count: end.directoryCount)
    var raw: [RawMember] = []
    var position = 0
    while position < directory.count {
      let member = try RawMember(directory, &position, name: file.name)
      raw.append(member)
    }
    guard raw.count == end.memberCount else {
      throw wrong("its directory tells of \(end.memberCount) members, but lists \(raw.count)")
    }
    let starts = raw.map(\.offset).sorted() + [end.directoryOffset]
    var limits: [Int: Int] = [:]
    for index in 0..<raw.count { limits[starts[index]] = starts[index + 1] }
    var names: Set<String> = []
    var members: [Member] = []
    for member in raw {
      let shown = printable(member.name)
      guard names.insert(member.name).inserted else { throw wrong("the member '\(shown)' stands twice") }
      guard let limit = limits[member.offset], member.offset <= end.directoryOffset else {
        throw wrong("the member '\(shown)' lies outside of the file")
      }
      guard member.packedCount <= limit - member.offset else {
        throw wrong("the member '\(shown)' overlaps another or reaches beyond the end")
      }
      members.append(member.placed(limit: limit))
    }
    self.members = members
    arrays = members.filter { $0.name.hasSuffix(".npy") }.map { (String($0.name.dropLast(4)), $0) }
  }

  /// Where a member's packed bytes begin; its local header is checked against the directory.
  func dataOffset(_ member: Member) throws(Failure) -> Int {
    func wrong(_ what: String) -> Failure { Failure(.invalidData, "\(label(member)): \(what)") }
    guard member.limit - member.offset >= 30 else { throw wrong("its header is cut off") }
    let header = try file.read(at: member.offset, count: 30)
    guard header.number(0, 4) == 0x0403_4B50 else { throw wrong("its header is not where the directory says") }
    guard header.number(8, 2) == Int(member.method) else { throw wrong("its header and the directory disagree") }
    let nameCount = header.number(26, 2)
    let start = member.offset + 30 + nameCount + header.number(28, 2)
    guard start <= member.limit, member.packedCount <= member.limit - start else {
      throw wrong("it overlaps another member or reaches beyond the end")
    }
    guard try file.read(at: member.offset + 30, count: nameCount) == member.nameBytes else {
      throw wrong("its header bears another name than the directory")
    }
    return start
  }

  /// The name for messages.
  func label(_ member: Member) -> String {
    "\(file.name), member '\(printable(member.name))'"
  }

  /// The array that a member holds.
  func source(_ member: Member, key: String) throws(Failure) -> ArraySource {
    let name = label(member)
    let start = try dataOffset(member)
    let file = file
    let headerBytes: [UInt8]
    if member.method == Self.stored {
      headerBytes = try file.read(at: start, count: min(member.count, NPYHeader.longest))
    } else {
      headerBytes = try Inflater(file, start..<(start + member.packedCount), name: name)
        .read(atMost: min(member.count, NPYHeader.longest))
    }
    let header = try NPYHeader(headerBytes, name: name)
    guard header.dataCount == member.count - header.length else {
      throw Failure(
        .invalidData,
        "\(name): the header tells of \(header.dataCount) bytes of numbers, but \(member.count - header.length) follow")
    }
    let data: ArrayData
    if member.method == Self.stored {
      data = ArrayData(file, offset: start + header.length, count: header.dataCount) { () throws(Failure) in
        try verify(file, start..<(start + member.count), member.checksum, name: name)
      }
    } else {
      data = ArrayData(count: header.dataCount) { () throws(Failure) in
        try Inflater(file, start..<(start + member.packedCount), name: name)
          .readAll(count: member.count, checksum: member.checksum, dropping: header.length)
      }
    }
    return ArraySource(
      name: name, key: key, header: header, headerBytes: Array(headerBytes[..<header.length]), data: data)
  }
}

/// Checks stored bytes against their checksum, piece by piece.
private func verify(_ file: InputFile, _ range: Range<Int>, _ expected: UInt32, name: String) throws(Failure) {
  var checksum = CRC32()
  var position = range.lowerBound
  while position < range.upperBound {
    let piece = try file.read(at: position, count: min(1 << 18, range.upperBound - position))
    checksum.update(piece)
    position += piece.count
  }
  guard checksum.value == expected else {
    throw Failure(.invalidData, "\(name): damaged: its checksum is not that of the directory")
  }
}

/// The record at the end of a zip file: where its directory is.
private struct ZipEnd {
  let memberCount: Int
  let directoryOffset: Int
  let directoryCount: Int
  let comment: [UInt8]

  init(_ file: InputFile) throws(Failure) {
    func wrong(_ what: String) -> Failure { Failure(.invalidData, "\(file.name): \(what)") }
    let tailCount = min(file.count, 22 + 0xFFFF)
    let tail = try file.read(at: file.count - tailCount, count: tailCount)
    // The record ends with a comment whose length must reach the end of the file exactly.
    guard
      let start = stride(from: tail.count - 22, through: 0, by: -1).first(where: {
        tail.number($0, 4) == 0x0605_4B50 && $0 + 22 + tail.number($0 + 20, 2) == tail.count
      })
    else { throw wrong("not a whole .npz (zip) file: it has no directory at its end") }
    var end = file.count - tail.count + start
    var count = tail.number(start + 10, 2)
    var size = tail.number(start + 12, 4)
    var offset = tail.number(start + 16, 4)
    guard tail.number(start + 4, 4) == 0, tail.number(start + 8, 2) == count else {
      throw wrong("zip files of several parts are not supported")
    }
    if end >= 20 {
      let locator = try file.read(at: end - 20, count: 20)
      if locator.number(0, 4) == 0x0706_4B50 {
        guard let place = locator.count64(8), place <= end - 20, end - 20 - place >= 56 else {
          throw wrong("its zip64 directory lies outside of the file")
        }
        let record = try file.read(at: place, count: 56)
        guard record.number(0, 4) == 0x0606_4B50, let wideCount = record.count64(32),
          let wideSize = record.count64(40), let wideOffset = record.count64(48)
        else { throw wrong("its zip64 directory is damaged") }
        (count, size, offset, end) = (wideCount, wideSize, wideOffset, place)
      }
    }
    let (sum, overflow) = offset.addingReportingOverflow(size)
    guard !overflow, sum == end else { throw wrong("its directory is not where its end says") }
    // Every entry takes at least 46 bytes.
    guard count <= size / 46 else { throw wrong("its directory is too short for \(count) members") }
    comment = Array(tail[(start + 22)...])
    memberCount = count
    directoryOffset = offset
    directoryCount = size
  }
}

/// An entry of the directory.
private struct RawMember {
  let name: String
  let nameBytes: [UInt8]
  let method: UInt16
  let checksum: UInt32
  let packedCount: Int
  let count: Int
  let offset: Int
  let entry: [UInt8]

  init(_ directory: [UInt8], _ position: inout Int, name file: String) throws(Failure) {
    func wrong(_ what: String) -> Failure { Failure(.invalidData, "\(file): \(what)") }
    guard directory.count - position >= 46, directory.number(position, 4) == 0x0201_4B50 else {
      throw wrong("its directory is damaged")
    }
    let nameStart = position + 46
    let nameEnd = nameStart + directory.number(position + 28, 2)
    let extraEnd = nameEnd + directory.number(position + 30, 2)
    let end = extraEnd + directory.number(position + 32, 2)
    guard end <= directory.count else { throw wrong("its directory is damaged") }
    nameBytes = Array(directory[nameStart..<nameEnd])
    let shown = printable(FilePath(bytes: nameBytes).text)
    guard let text = String(validating: nameBytes, as: UTF8.self) else {
      throw wrong("the member '\(shown)' has a name that is not UTF-8")
    }
    name = text
    guard directory.number(position + 8, 2) & 0x2041 == 0 else {
      throw wrong("the member '\(shown)' is encrypted, which is not supported")
    }
    method = UInt16(directory.number(position + 10, 2))
    guard method == ZipDirectory.stored || method == ZipDirectory.deflated else {
      throw wrong("the member '\(shown)' is packed by method \(method); only stored and deflated members are supported")
    }
    checksum = UInt32(directory.number(position + 16, 4))
    var packed = directory.number(position + 20, 4)
    var unpacked = directory.number(position + 24, 4)
    var start = directory.number(position + 42, 4)
    let wide = 0xFFFF_FFFF
    if packed == wide || unpacked == wide || start == wide {
      var extra = nameEnd
      while extraEnd - extra >= 4, directory.number(extra, 2) != 1 { extra += 4 + directory.number(extra + 2, 2) }
      guard extraEnd - extra >= 4 else { throw wrong("the member '\(shown)' lacks its zip64 sizes") }
      var field = extra + 4
      let fieldEnd = field + directory.number(extra + 2, 2)
      func next(_ value: inout Int) throws(Failure) {
        if value != wide { return }
        guard fieldEnd <= extraEnd, fieldEnd - field >= 8, let number = directory.count64(field) else {
          throw wrong("the member '\(shown)' lacks its zip64 sizes")
        }
        value = number
        field += 8
      }
      try next(&unpacked)
      try next(&packed)
      try next(&start)
    }
    guard method != ZipDirectory.stored || packed == unpacked else {
      throw wrong("the member '\(shown)' is stored, but has two sizes")
    }
    // Deflate packs at most 1,032 bytes into one.
    guard method != ZipDirectory.deflated || unpacked / 1032 <= packed else {
      throw wrong("the member '\(shown)' claims more bytes than can be packed into it")
    }
    packedCount = packed
    count = unpacked
    offset = start
    entry = Array(directory[position..<end])
    position = end
  }

  func placed(limit: Int) -> ZipDirectory.Member {
    ZipDirectory.Member(
      name: name, nameBytes: nameBytes, method: method, checksum: checksum, packedCount: packedCount, count: count,
      offset: offset, limit: limit, entry: entry)
  }
}

extension [UInt8] {
  /// The little-endian number of `width` (at most 4) bytes at `offset`.
  func number(_ offset: Int, _ width: Int) -> Int {
    var value = 0
    for index in (0..<width).reversed() { value = value << 8 | Int(self[offset + index]) }
    return value
  }

  /// The little-endian number of 8 bytes at `offset`; nil where it is too large to count bytes.
  func count64(_ offset: Int) -> Int? {
    let high = number(offset + 4, 4)
    return high <= 0x7FFF_FFFF ? high << 32 | number(offset, 4) : nil
  }
}
