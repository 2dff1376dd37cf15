package import Diagnostics
package import Files

/// Writes a `.npz` file of stored members whose rows come piece by piece, those of all members side by side.
///
/// The shapes are known beforehand, hence every member's place. Into a pipe, which has no places, the file goes at the
/// end; until then it is in memory.
package final class NPZWriter {
  /// What one of several writers wrote of an array: the bytes' checksum and their number.
  package struct Part: Sendable {
    package let checksum: CRC32
    package let count: Int

    package init(checksum: CRC32, count: Int) {
      self.checksum = checksum
      self.count = count
    }
  }

  private struct Member {
    let name: [UInt8]
    let type: ElementType
    let header: [UInt8]
    /// Where the local header begins.
    let offset: Int
    /// The bytes of the numbers.
    let count: Int
    /// How many of them stand before those of this writer.
    let start: Int
    var written = 0
    var checksum = CRC32()
    var held: [UInt8] = []

    func record(checksum: UInt32) -> ZipRecords.Member {
      let size = header.count + count
      return ZipRecords.Member(
        name: name, method: ZipDirectory.stored, checksum: checksum, packedCount: size, count: size)
    }

    var dataOffset: Int { offset + ZipRecords.localHeader(record(checksum: 0)).count + header.count }
    var end: Int { dataOffset + count }
  }

  private let file: OutputFile
  private var members: [Member] = []

  /// A file of the given arrays, in this order. Nothing is written before their rows come. Of several writers of one
  /// file each begins at a row of its own.
  package init(
    to file: OutputFile, _ arrays: [(key: String, type: ElementType, shape: [Int])], startingAt row: Int = 0
  ) {
    self.file = file
    var offset = 0
    for array in arrays {
      let header = NPYHeader(type: StoredType(array.type), shape: array.shape)
      let member = Member(
        name: Array((array.key + ".npy").utf8), type: array.type, header: header.bytes, offset: offset,
        count: header.dataCount, start: row == 0 ? 0 : header.dataCount / max(array.shape.first ?? 1, 1) * row)
      offset = member.end
      members.append(member)
    }
  }

  /// Writes the next elements of the array at `index`.
  package func append(_ tensor: AnyTensor, to index: Int) throws(Failure) {
    let bytes = Encoding.bytes(tensor, as: members[index].type)
    guard bytes.count <= members[index].count - members[index].start - members[index].written else {
      throw Failure(.inputOutput, "more numbers than an array in \(file.name) has were to be written")
    }
    members[index].checksum.update(bytes)
    if file.isSeekable {
      try write(bytes, at: members[index].dataOffset + members[index].start + members[index].written)
    } else {
      members[index].held += bytes
    }
    members[index].written += bytes.count
  }

  /// What this writer wrote of each array.
  package var parts: [Part] { members.map { Part(checksum: $0.checksum, count: $0.written) } }

  /// Writes the headers and the directory; `others` are the parts of the writers that follow this one. The file stays
  /// open.
  package func finish(_ others: [[Part]] = []) throws(Failure) {
    var directory: [UInt8] = []
    for (index, member) in members.enumerated() {
      var checksum = CRC32()
      checksum.update(member.header)
      var written = 0
      for part in [Part(checksum: member.checksum, count: member.written)] + others.map({ $0[index] }) {
        checksum.append(part.checksum, count: part.count)
        written += part.count
      }
      guard written == member.count else {
        throw Failure(.inputOutput, "not all numbers of an array in \(file.name) were written")
      }
      try ZipRecords.requireName(member.name)
      let record = member.record(checksum: checksum.value)
      try write(ZipRecords.localHeader(record) + member.header, at: member.offset)
      if !file.isSeekable { try file.write(member.held) }
      directory += ZipRecords.entry(record, offset: member.offset)
    }
    let offset = members.last?.end ?? 0
    let end = ZipRecords.end(
      count: members.count, directoryOffset: offset, directoryCount: directory.count, comment: [])
    try write(directory + end, at: offset)
  }

  private func write(_ bytes: [UInt8], at offset: Int) throws(Failure) {
    if file.isSeekable { try file.write(bytes, at: offset) } else { try file.write(bytes) }
  }
}

/// Writes a whole `.npz` file of stored members.
package func writeNPZ(_ arrays: [(key: String, value: AnyTensor)], to sink: any ByteSink) throws(Failure) {
  var directory: [UInt8] = []
  var offset = 0
  for (key, value) in arrays {
    let (bytes, record) = try ZipRecords.packed(npyFile(value), name: Array((key + ".npy").utf8), ZipDirectory.stored)
    let header = ZipRecords.localHeader(record)
    try sink.write(header)
    try sink.write(bytes)
    directory += ZipRecords.entry(record, offset: offset)
    offset += header.count + bytes.count
  }
  try sink.write(directory)
  try sink.write(
    ZipRecords.end(count: arrays.count, directoryOffset: offset, directoryCount: directory.count, comment: []))
}

extension ZipRecords {
  /// Refuses a name whose length a zip file cannot say.
  static func requireName(_ name: [UInt8]) throws(Failure) {
    guard name.count <= 0xFFFF else {
      throw Failure(
        .cannotCreate,
        "the name of an array, \(printable(String(decoding: name, as: UTF8.self))), is longer than the "
          + "65,535 bytes that a .npz file can have")
    }
  }

  /// A member's packed bytes, and what the headers say of them.
  static func packed(
    _ bytes: [UInt8], name: [UInt8], _ method: UInt16
  ) throws(Failure) -> (bytes: [UInt8], member: Member) {
    try requireName(name)
    var checksum = CRC32()
    checksum.update(bytes)
    let packed = method == ZipDirectory.deflated ? try deflated(bytes) : bytes
    return (
      packed,
      Member(
        name: name, method: method, checksum: checksum.value, packedCount: packed.count, count: bytes.count)
    )
  }
}
