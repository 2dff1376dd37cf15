/// The record of an update of several files, kept beside the model while the update lasts.
///
/// It is written before the first temporary file, so that none can be left behind unknown; it gains the line `commit`
/// once all new files are whole on the disk, which is the instant at which the new model takes the old one's place; and
/// it is removed when all files have been renamed. Each part ends with a checksum, so that a part that was cut off by a
/// crash does not count.
struct UpdateJournal: Equatable {
  /// A file that is replaced, as a path below the model's folder.
  struct Target: Equatable {
    let path: FilePath
    /// Size and checksum of the new contents; known at the commit.
    var new: Contents?
    /// Size and checksum of what is replaced; nil where nothing was there.
    var old: Contents?
  }

  struct Contents: Equatable {
    let size: Int
    let checksum: UInt32
  }

  let identifier: UInt64
  var targets: [Target]
  var isCommitted = false

  /// The journal's path for the model at `model`, an absolute path without links.
  static func path(for model: FilePath) -> FilePath {
    let temporary = temporaryPath(for: model, identifier: 0)
    // The name of a temporary file, with a word in the place of the number.
    return FilePath(bytes: temporary.bytes.dropLast() + Array("update".utf8))
  }

  /// The temporary file of a target.
  func temporary(_ target: FilePath) -> FilePath { temporaryPath(for: target, identifier: identifier) }

  /// The first part: what is going to be written.
  var announcement: [UInt8] {
    var text = "nnrun-update 1 \(String(identifier, radix: 16))\n"
    for target in targets { text += "file \(Self.encoded(target.path))\n" }
    return Self.sealed(text)
  }

  /// The second part: all is written.
  var commitment: [UInt8] {
    var text = "commit\n"
    for target in targets { text += "contents \(Self.encoded(target.new)) \(Self.encoded(target.old))\n" }
    return Self.sealed(text)
  }

  /// The last part where the update is given up after all.
  static var abandonment: [UInt8] { sealed("abandon\n") }

  /// Reads a journal as far as it is whole; nil where not even the announcement is.
  init?(_ bytes: [UInt8]) {
    var parts: [[[UInt8]]] = []
    var lines: [[UInt8]] = []
    var start = 0
    var partStart = 0
    while let newline = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      let line = Array(bytes[start..<newline])
      if line.starts(with: Array("end ".utf8)) {
        var checksum = CRC32()
        checksum.update(Array(bytes[partStart..<start]))
        guard line == Array("end \(String(checksum.value, radix: 16))".utf8) else { break }
        parts.append(lines)
        lines = []
        partStart = newline + 1
      } else {
        lines.append(line)
      }
      start = newline + 1
    }
    guard let first = parts.first, let heading = first.first.map(Self.words), heading.count == 3,
      heading[0] == "nnrun-update", heading[1] == "1", let identifier = UInt64(heading[2], radix: 16)
    else { return nil }
    self.identifier = identifier
    targets = []
    for line in first.dropFirst().map(Self.words) {
      guard line.count == 2, line[0] == "file", let path = Self.decoded(line[1]), Self.isBelow(path) else { return nil }
      targets.append(Target(path: path))
    }
    guard parts.count == 2, let second = parts.last, second.first == Array("commit".utf8),
      second.count == targets.count + 1
    else { return }
    for (index, line) in second.dropFirst().map(Self.words).enumerated() {
      guard line.count == 5, line[0] == "contents", let new = Self.contents(line[1], line[2]) else { return }
      targets[index].new = new
      targets[index].old = Self.contents(line[3], line[4])
    }
    isCommitted = true
  }

  init(identifier: UInt64, targets: [FilePath]) {
    self.identifier = identifier
    self.targets = targets.map { Target(path: $0) }
  }

  /// Whether a path leads below the folder it is relative to, whatever a foreign journal says.
  private static func isBelow(_ path: FilePath) -> Bool {
    !path.isAbsolute && !path.components.isEmpty && !path.bytes.contains(0)
      && !path.components.contains(Array("..".utf8))
  }

  private static func sealed(_ text: String) -> [UInt8] {
    var checksum = CRC32()
    checksum.update(Array(text.utf8))
    return Array((text + "end \(String(checksum.value, radix: 16))\n").utf8)
  }

  private static func words(_ line: [UInt8]) -> [String] {
    line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
  }

  private static func contents(_ size: String, _ checksum: String) -> Contents? {
    guard let size = Int(size), let checksum = UInt32(checksum, radix: 16) else { return nil }
    return Contents(size: size, checksum: checksum)
  }

  private static func encoded(_ contents: Contents?) -> String {
    guard let contents else { return "- -" }
    return "\(contents.size) \(String(contents.checksum, radix: 16))"
  }

  /// A path in hexadecimal: any bytes, one word.
  private static func encoded(_ path: FilePath) -> String {
    path.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func decoded(_ text: String) -> FilePath? {
    let digits = Array(text.utf8)
    guard digits.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt8(String(decoding: digits[index..<(index + 2)], as: UTF8.self), radix: 16) else {
        return nil
      }
      bytes.append(byte)
    }
    return FilePath(bytes: bytes)
  }
}
