package import Diagnostics
package import Files

extension ArrayFile {
  /// Writes the file anew, with the values of some arrays replaced, some arrays added at its end, and all else kept:
  /// other arrays, texts, orders, and the type of what is float32 or float64. The key of a `.npy` file's array is "".
  ///
  /// What changes nothing gives the same bytes.
  package func rewrite(
    replacing replacements: [String: AnyTensor], adding additions: [(key: String, value: AnyTensor)] = [],
    to sink: any ByteSink
  ) throws(Failure) {
    switch self {
    case .array(let source):
      if let value = replacements[source.key] {
        try sink.write(source.npyBytes(replacedBy: value))
      } else {
        try sink.write(source.header)
        try source.data.copy(to: sink)
      }
    case .archive(let archive):
      switch archive.format {
      case .npz(let directory): try directory.rewrite(replacements, additions, to: sink)
      case .safetensors(let header): try header.rewrite(archive, replacements, additions, to: sink)
      }
    }
  }
}

extension InputFile {
  /// Copies bytes piece by piece.
  func copy(_ range: Range<Int>, to sink: any ByteSink) throws(Failure) {
    var position = range.lowerBound
    while position < range.upperBound {
      let piece = try read(at: position, count: min(1 << 18, range.upperBound - position))
      try sink.write(piece)
      position += piece.count
    }
  }
}

extension ArrayData {
  /// Copies all the bytes piece by piece.
  func copy(to sink: any ByteSink) throws(Failure) {
    var position = 0
    while position < count {
      let piece = try read(at: position, count: min(1 << 18, count - position))
      try sink.write(piece)
      position += piece.count
    }
  }
}

extension SafetensorsHeader {
  func rewrite(
    _ archive: ArrayArchive, _ replacements: [String: AnyTensor], _ additions: [(key: String, value: AnyTensor)],
    to sink: any ByteSink
  ) throws(Failure) {
    var keepsHeader = additions.isEmpty
    for (key, value) in replacements {
      let source = try archive.source(key)
      if !source.keepsLayout(replacedBy: value) { keepsHeader = false }
    }
    // A new header lists the arrays as they lie.
    let inFileOrder = entries.sorted {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    if keepsHeader {
      try archive.file.copy(0..<length, to: sink)
    } else {
      var rewritten: [SafetensorsText.Entry] = []
      for entry in inFileOrder {
        if let value = replacements[entry.key] {
          let type = try archive.source(entry.key).storedType(replacedBy: value)
          rewritten.append(Self.entry(entry.key, value, type))
        } else {
          rewritten.append(
            SafetensorsText.Entry(
              key: entry.key, typeName: entry.typeName, shape: entry.shape, byteCount: entry.range.count))
        }
      }
      rewritten += additions.map { Self.entry($0.key, $0.value, $0.value.elementType) }
      try sink.write(SafetensorsText.header(rewritten, metadata))
    }
    for entry in inFileOrder {
      if let value = replacements[entry.key] {
        try sink.write(Encoding.bytes(value, as: try archive.source(entry.key).storedType(replacedBy: value)))
      } else {
        try archive.file.copy((length + entry.range.lowerBound)..<(length + entry.range.upperBound), to: sink)
      }
    }
    for (_, value) in additions { try sink.write(value.littleEndianBytes) }
  }

  private static func entry(_ key: String, _ value: AnyTensor, _ type: ElementType) -> SafetensorsText.Entry {
    SafetensorsText.Entry(
      key: key, typeName: type == .float32 ? "F32" : "F64", shape: value.shape, byteCount: value.count * type.size)
  }
}

extension ZipDirectory {
  func rewrite(
    _ replacements: [String: AnyTensor], _ additions: [(key: String, value: AnyTensor)], to sink: any ByteSink
  ) throws(Failure) {
    // Members whose bytes really change, by name.
    var changed: [String: [UInt8]] = [:]
    for (key, member) in arrays {
      guard let value = replacements[key] else { continue }
      let source = try source(member, key: key)
      let bytes = source.npyBytes(replacedBy: value)
      let old = source.header + (try source.data.read(at: 0, count: source.data.count))
      if bytes != old { changed[member.name] = bytes }
    }
    if changed.isEmpty, additions.isEmpty { return try file.copy(0..<file.count, to: sink) }

    var offset = 0
    var entries: [String: [UInt8]] = [:]
    func write(_ bytes: [UInt8], name: [UInt8], _ method: UInt16) throws(Failure) -> [UInt8] {
      let (packed, record) = try ZipRecords.packed(bytes, name: name, method)
      let header = ZipRecords.localHeader(record)
      try sink.write(header)
      try sink.write(packed)
      defer { offset += header.count + packed.count }
      return ZipRecords.entry(record, offset: offset)
    }
    for member in members.sorted(by: { $0.offset < $1.offset }) {
      if let bytes = changed[member.name] {
        entries[member.name] = try write(bytes, name: member.nameBytes, member.method)
      } else {
        // With its own header, and the sizes that may follow it.
        try file.copy(member.offset..<member.limit, to: sink)
        entries[member.name] =
          ZipRecords.moved(member.entry, to: offset)
          ?? ZipRecords.entry(
            ZipRecords.Member(
              name: member.nameBytes, method: member.method, checksum: member.checksum,
              packedCount: member.packedCount, count: member.count), offset: offset)
        offset += member.limit - member.offset
      }
    }
    var directory = members.flatMap { entries[$0.name] ?? [] }
    for (key, value) in additions {
      directory += try write(npyFile(value), name: Array((key + ".npy").utf8), Self.stored)
    }
    try sink.write(directory)
    try sink.write(
      ZipRecords.end(
        count: members.count + additions.count, directoryOffset: offset, directoryCount: directory.count,
        comment: comment))
  }
}
