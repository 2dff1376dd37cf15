import Diagnostics
import Files
import TestSupport
import Testing

@testable import Tensors

@Suite("Archives: .npz")
struct NPZTests {
  private static let counting = (0..<24).map { Double($0) }

  @Test(
    "every element type, byte order and order of axes, stored and deflated", arguments: ["stored.npz", "deflated.npz"])
  func everyType(_ name: String) throws {
    let archive = try ArrayFile(fixture(name)).archive()
    #expect(archive.keys.count == 47)
    for key in archive.keys where key.hasSuffix("-C") || key.hasSuffix("-F") {
      let expected = key.hasPrefix("b1") ? Self.counting.map { $0.truncatingRemainder(dividingBy: 2) } : Self.counting
      let whole = Tensor(shape: [2, 3, 4], elements: expected)
      let source = try archive.source(key)
      #expect(try source.read(as: .float64) == .float64(whole), "\(key)")
      #expect(try archive.read(key, as: .float32).converted(to: Double.self) == whole, "\(key)")
      let second = Tensor(shape: [1, 3, 4], elements: Array(expected[12...]))
      #expect(try source.read(rows: 1..<2).converted(to: Double.self) == second, "\(key)")
      if source.isInteger { #expect(try source.readIntegers(rows: 0..<2) == Array(0..<24)) }
    }
    #expect(try archive.read("scalar") == .float64(Tensor(shape: [], elements: [2.5])))
    #expect(try archive.read("empty") == .float32(Tensor(shape: [0, 3], elements: [])))
    let message = failure { _ = try archive.read("absent") }
    #expect(message.contains("no array 'absent'") && message.contains("'f2-little-C'"))
  }

  @Test("a rewrite without changes gives the same bytes", arguments: ["stored.npz", "deflated.npz"])
  func unchanged(_ name: String) throws {
    let file = try ArrayFile(fixture(name))
    #expect(try file.rewritten([:]) == fixtureBytes(name))
    let same = try file.archive().read("f4-big-F")
    #expect(try file.rewritten(["f4-big-F": same]) == fixtureBytes(name))
  }

  @Test("a rewrite changes what it is told and keeps all else", arguments: ["stored.npz", "deflated.npz"])
  func rewriting(_ name: String) throws {
    let file = try ArrayFile(fixture(name))
    let value = AnyTensor.float64(Tensor(shape: [2, 3, 4], elements: Self.counting.map { $0 / 3 }))
    let added = AnyTensor.float32(Tensor(shape: [2], elements: [7, 8]))
    let bytes = try file.rewritten(
      ["f4-big-F": value, "f8-little-C": value, "i2-big-C": value], adding: [("new", added)])
    let old = try file.archive()
    let new = try arrayFile(bytes).archive()
    #expect(new.keys == old.keys + ["new"])
    for key in new.keys {
      switch key {
      case "f4-big-F":
        let source = try new.source(key)
        #expect(source.type == .float32 && source.isBigEndian && source.isFortranOrder)
        #expect(try source.read() == .float32(value.converted(to: Float.self)))
      case "f8-little-C", "i2-big-C": #expect(try new.read(key) == value)
      case "new": #expect(try new.read(key) == added)
      default: #expect(try new.read(key) == old.read(key), "\(key)")
      }
    }
  }

  @Test("rows of several arrays can come side by side, into a file or a pipe")
  func streaming() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("out.npz")
    let output = try OutputFile(path)
    let writer = NPZWriter(to: output, [("a", .float32, [2, 2]), ("b", .float64, [2])])
    for row in 0..<2 {
      try writer.append(.float32(Tensor(shape: [1, 2], elements: [Float(row), 0.5])), to: 0)
      try writer.append(.float64(Tensor(shape: [1], elements: [Double(row) / 3])), to: 1)
    }
    try writer.finish()
    try output.finish()
    let a = AnyTensor.float32(Tensor(shape: [2, 2], elements: [0, 0.5, 1, 0.5]))
    let b = AnyTensor.float64(Tensor(shape: [2], elements: [0, 1.0 / 3]))
    let archive = try ArrayFile(path).archive()
    #expect(archive.keys == ["a", "b"])
    #expect(try archive.read("a") == a)
    #expect(try archive.read("b") == b)
    let whole = MemorySink()
    try writeNPZ([("a", a), ("b", b)], to: whole)
    #expect(whole.bytes == (try readWholeFile(path, limit: 1 << 20)))
  }

  @Test("several processes write their rows to one file, which becomes the one that a single process writes")
  func sharedFiles() throws {
    let folder = try TemporaryFolder()
    let rows: [AnyTensor] = (0..<5).map { .float32(Tensor(shape: [1, 2], elements: [Float($0), 0.5])) }
    let whole = AnyTensor.float32(Tensor(shape: [5, 2], elements: (0..<5).flatMap { [Float($0), 0.5] }))
    let archive = folder.file("out.npz")
    let first = try OutputFile(archive, isShared: true)
    let second = try OutputFile(joining: try #require(first.sharedPath))
    let arrays = [(key: "a", type: ElementType.float32, shape: [5, 2])]
    let writers = [NPZWriter(to: first, arrays), NPZWriter(to: second, arrays, startingAt: 2)]
    // The later rows come first.
    for row in rows[2...] { try writers[1].append(row, to: 0) }
    for row in rows[..<2] { try writers[0].append(row, to: 0) }
    try second.finish()
    #expect(!isThere(archive))
    try writers[0].finish([writers[1].parts])
    try first.finish()
    let sink = MemorySink()
    try writeNPZ([("a", whole)], to: sink)
    #expect(try readWholeFile(archive, limit: 1 << 20) == sink.bytes)

    let array = folder.file("out.npy")
    let leading = try OutputFile(array, isShared: true)
    let joining = try OutputFile(joining: try #require(leading.sharedPath))
    let last = NPYPartWriter(to: joining, type: .float32, shape: [5, 2], startingAt: 4)
    try last.append(rows[4])
    #expect(throws: Failure.self) { try last.append(rows[4]) }
    let others = NPYPartWriter(to: leading, type: .float32, shape: [5, 2], startingAt: 0)
    for row in rows[..<4] { try others.append(row) }
    try others.writeHeader()
    try joining.finish()
    try leading.finish()
    #expect(try readWholeFile(array, limit: 1 << 20) == npyFile(whole))
  }

  @Test("a file that one of several processes does not finish is removed")
  func unfinishedSharedFile() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("out.npy")
    var leading: OutputFile? = try OutputFile(path, isShared: true)
    let place = try #require(leading?.sharedPath)
    #expect(isThere(place))
    leading = nil
    #expect(!isThere(place))
    #expect(!isThere(path))
  }

  private func isThere(_ path: FilePath) -> Bool { (try? readWholeFile(path, limit: 1 << 20)) != nil }

  private func small(_ change: (inout [UInt8]) -> Void) throws -> [UInt8] {
    let sink = MemorySink()
    try writeNPZ(
      [("a", .float32(Tensor(shape: [2], elements: [1, 2]))), ("b", .float32(Tensor(shape: [0], elements: [])))],
      to: sink)
    var bytes = sink.bytes
    change(&bytes)
    return bytes
  }

  private func read(_ bytes: [UInt8]) throws {
    let archive = try arrayFile(bytes).archive()
    for key in archive.keys { _ = try archive.read(key) }
  }

  @Test("damage is found: checksums, names, places, encryption, methods, two of a name")
  func damage() throws {
    try read(small { _ in })
    let local = 30 + "a.npy".utf8.count
    #expect(failure { try read(small { $0[local + 130] ^= 1 }) }.contains("checksum"))
    #expect(failure { try read(small { $0[30] ^= 1 }) }.contains("another name"))
    #expect(failure { try read(small { $0.removeLast() }) }.contains("no directory at its end"))
    #expect(failure { try read(small { $0.append(0) }) }.contains("no directory at its end"))
    func entry(_ bytes: [UInt8]) -> Int { bytes.count - 22 - 2 * (46 + 5) }
    #expect(failure { try read(small { $0[entry($0) + 8] |= 1 }) }.contains("encrypted"))
    #expect(failure { try read(small { $0[entry($0) + 10] = 12 }) }.contains("method 12"))
    #expect(failure { try read(small { $0[entry($0) + 46 + 51] = 0x61 }) }.contains("stands twice"))
    #expect(
      failure {
        try read(
          small {
            $0[entry($0) + 20] = 0xFF; $0[entry($0) + 24] = 0xFF
          })
      }.contains("overlaps"))
    #expect(failure { try read(small { $0[entry($0) + 20] -= 1 }) }.contains("two sizes"))
    #expect(failure { try read(small { $0[entry($0) + 51 + 42] = 0 }) }.contains("another name"))
  }

  @Test("no flipped byte of an archive traps", arguments: ["stored.npz", "deflated.npz"])
  func flips(_ name: String) throws {
    let sink = MemorySink()
    let source = try ArrayFile(fixture(name)).archive()
    try writeNPZ([("a", source.read("f4-little-C"))], to: sink)
    var dice = Dice(1)
    let whole = name == "stored.npz" ? sink.bytes : try fixtureBytes(name)
    for _ in 0..<300 {
      var bytes = whole
      bytes[Int.random(in: 0..<bytes.count, using: &dice)] = UInt8.random(in: 0...255, using: &dice)
      try? read(bytes)
    }
    for _ in 0..<50 {
      #expect(throws: Failure.self) { try read(Array(whole[..<Int.random(in: 0..<whole.count, using: &dice)])) }
    }
  }

  @Test("unpacking stops at the size that the array's header tells")
  func bomb() throws {
    // 1 MB of zeros behind a header of one number.
    let array = npyFile(.float32(Tensor(shape: [1], elements: [0]))) + [UInt8](repeating: 0, count: 1 << 20)
    func archive(claiming count: Int) throws -> [UInt8] {
      let (bytes, record) = try ZipRecords.packed(array, name: Array("a.npy".utf8), ZipDirectory.deflated)
      let claimed = ZipRecords.Member(
        name: record.name, method: record.method, checksum: record.checksum, packedCount: record.packedCount,
        count: count)
      let body = ZipRecords.localHeader(claimed) + bytes
      let entry = ZipRecords.entry(claimed, offset: 0)
      return body + entry
        + ZipRecords.end(count: 1, directoryOffset: body.count, directoryCount: entry.count, comment: [])
    }
    #expect(failure { try read(try archive(claiming: array.count)) }.contains("4 bytes of numbers, but 1048580 follow"))
    #expect(failure { try read(try archive(claiming: 132)) }.contains("goes on after the size"))
    #expect(failure { try read(try archive(claiming: 1 << 40)) }.contains("more bytes than can be packed"))
  }

  @Test("zip64 sizes, places and ends, as members of gigabytes have them, are understood")
  func zip64() throws {
    let array = AnyTensor.float32(Tensor(shape: [2], elements: [1, 2]))
    let (bytes, record) = try ZipRecords.packed(npyFile(array), name: Array("a.npy".utf8), ZipDirectory.stored)
    // The sizes of a large member, with the numbers of a small one in them.
    let large = ZipRecords.Member(
      name: record.name, method: 0, checksum: record.checksum, packedCount: 5 << 30, count: 5 << 30)
    var header = ZipRecords.localHeader(large)
    var entry = ZipRecords.entry(large, offset: 6 << 30)
    #expect(header.count == 30 + 5 + 20 && entry.count == 46 + 5 + 28)
    #expect(entry.number(20, 4) == 0xFFFF_FFFF && entry.number(42, 4) == 0xFFFF_FFFF)
    func put(_ value: Int, _ place: Int, _ bytes: inout [UInt8]) {
      for index in 0..<8 { bytes[place + index] = UInt8(value >> (8 * index) & 0xFF) }
    }
    for place in [39, 47] { put(bytes.count, place, &header) }
    for (place, value) in [(55, bytes.count), (63, bytes.count), (71, 0)] { put(value, place, &entry) }
    let body = header + bytes
    // An end with more members than 16 bits count is a zip64 end; its count is then made 1.
    var end = ZipRecords.end(
      count: 70_000, directoryOffset: body.count, directoryCount: entry.count, comment: Array("comment".utf8))
    for place in [24, 32] { put(1, place, &end) }
    let file = try arrayFile(body + entry + end)
    #expect(try file.archive().read("a") == array)
    let rewritten = try arrayFile(
      file.rewritten(["a": .float32(Tensor(shape: [2], elements: [3, 4]))], adding: [("b", array)]))
    #expect(try rewritten.archive().read("a") == .float32(Tensor(shape: [2], elements: [3, 4])))
    #expect(try rewritten.archive().read("b") == array)
    put(1 << 62, 32, &end)
    #expect(failure { _ = try arrayFile(body + entry + end) }.contains("too short for"))
  }
}

@Suite("Archives: .safetensors")
struct SafetensorsTests {
  private func file(_ header: String, data: Int = 0) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(header.utf8.count, width: 8)
    return bytes + Array(header.utf8) + [UInt8](repeating: 0, count: data)
  }

  @Test("every element type and the metadata of a file made by the library")
  func everyType() throws {
    let archive = try ArrayFile(fixture("all.safetensors")).archive()
    #expect(archive.metadata.count == 1)
    #expect(archive.metadata.first?.key == "author")
    #expect(archive.metadata.first?.value == "Ännchen \"A\"")
    func values(_ key: String) throws -> [Double] {
      try archive.read(key, as: .float64).converted(to: Double.self).elements
    }
    #expect(try values("half") == [0.5, -2])
    #expect(try values("brain") == [1.5, -3])
    #expect(try archive.read("single") == .float32(Tensor(shape: [2, 2], elements: [1, 2, 3, 4])))
    #expect(try values("double") == [0.1])
    #expect(try archive.source("long").readIntegers(rows: 0..<2) == [-1, 1 << 53 + 1])
    #expect(try values("byte") == [0, 128, 255])
    #expect(try values("truth") == [0, 1])
    #expect(try archive.source("none").shape == [0, 4])
  }

  @Test(
    "a header that is not exactly right is refused",
    arguments: [
      (
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
        8, "stands twice"
      ),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"shape":[1]}}"#, 4, "stands twice"),
      (
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}"#,
        6, "overlaps"
      ),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, "hole"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 5, "belong to none"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 3, "beyond the end"),
      (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, "not the size of its shape"),
      (#"{"a":{"dtype":"F32","shape":[9999999999,9999999999],"data_offsets":[0,4]}}"#, 4, "not the size of its shape"),
      (#"{"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}"#, 4, "unknown type"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4, "no range"),
      (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, "whole number"),
      (#"{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}"#, 4, "is missing"),
      (#"{"a":{"dtype":"F32","shape":[1]}}"#, 0, "lacks"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}"#, 4, "unknown key"),
      (#"{"a":1}"#, 0, "is missing"),
      (#"{} x"#, 0, "follows"),
      (#"{"__metadata__":{"a":1}}"#, 0, "string is wanted"),
      (#"{"\ud800":{}}"#, 0, "surrogate"),
      (#"{"\x":{}}"#, 0, "unknown escape"),
      (#" {}"#, 0, "begin with '{'"),
      (#"{"#, 0, "string is wanted"),
    ])
  func wrongHeaders(_ header: String, _ data: Int, _ words: String) {
    let message = failure { _ = try arrayFile(file(header, data: data), suffix: "safetensors") }
    #expect(message.contains(words), "\(message)")
  }

  @Test("a header longer than the file, or than the format allows, is refused before it is read")
  func headerBounds() {
    #expect(failure { _ = try arrayFile([255, 0, 0, 0, 0, 0, 0, 0, 0x7B]) }.contains("ends within the header"))
    #expect(failure { _ = try arrayFile([0, 0, 0, 0, 0, 0, 0, 1, 0x7B]) }.contains("the format allows 100000000"))
    #expect(failure { _ = try arrayFile([1, 0], suffix: "safetensors") }.contains("too short"))
  }

  @Test("what is written is read back, with metadata and order, and the numbers begin at a multiple of 8")
  func roundTrip() throws {
    let arrays: [(key: String, value: AnyTensor)] = [
      ("z", .float32(Tensor(shape: [3], elements: [1, -0.0, .pi]))),
      ("a.b\"\\\n\u{1}é", .float64(Tensor(shape: [], elements: [1.0 / 3]))),
      ("empty", .float32(Tensor(shape: [0, 2], elements: []))),
    ]
    let metadata = [(key: "k", value: "v"), (key: "b", value: "")]
    let sink = MemorySink()
    try writeSafetensors(arrays, metadata: metadata, to: sink)
    #expect(sink.bytes.number(0, 4) % 8 == 0)
    let archive = try arrayFile(sink.bytes).archive()
    #expect(archive.keys == arrays.map(\.key))
    #expect(archive.metadata.map(\.key) == ["k", "b"])
    for (key, value) in arrays { #expect(try archive.read(key) == value) }
  }

  @Test("a rewrite keeps what it is not told to change")
  func rewriting() throws {
    let file = try ArrayFile(fixture("all.safetensors"))
    #expect(try file.rewritten([:]) == fixtureBytes("all.safetensors"))
    let single = AnyTensor.float64(Tensor(shape: [2, 2], elements: [0.1, 0.2, 0.3, 0.4]))
    let half = AnyTensor.float32(Tensor(shape: [2], elements: [8, 9]))
    let one = try arrayFile(file.rewritten(["single": single])).archive()
    #expect(try one.read("single") == .float32(single.converted(to: Float.self)))
    let bytes = try file.rewritten(["single": single, "half": half], adding: [("more", half)])
    let old = try file.archive()
    let new = try arrayFile(bytes).archive()
    #expect(Set(new.keys) == Set(old.keys + ["more"]))
    #expect(new.metadata.first?.value == old.metadata.first?.value)
    for key in old.keys where key != "single" && key != "half" { #expect(try new.read(key) == old.read(key)) }
    #expect(try new.read("half") == half)
    #expect(try new.read("more") == half)
    #expect(try new.source("half").type == .float32)
  }

  @Test("no flipped byte traps")
  func flips() throws {
    let whole = try fixtureBytes("all.safetensors")
    var dice = Dice(2)
    for _ in 0..<2000 {
      var bytes = whole
      bytes[Int.random(in: 0..<bytes.count, using: &dice)] = UInt8.random(in: 0...255, using: &dice)
      guard let archive = try? arrayFile(bytes, suffix: "safetensors").archive() else { continue }
      for key in archive.keys { _ = try? archive.read(key) }
    }
  }
}
