import Diagnostics
import Files
import Testing

@testable import Tensors

@Suite("The .npy format")
struct NPYTests {
  private func file(_ header: String, data: [UInt8] = [], version: UInt8 = 1) -> [UInt8] {
    let text = Array(header.utf8)
    let length =
      version == 1
      ? [UInt8(text.count & 255), UInt8(text.count >> 8)]
      : [UInt8(text.count & 255), UInt8(text.count >> 8 & 255), UInt8(text.count >> 16 & 255), 0]
    return NPYHeader.magic + [version, 0] + length + text + data
  }

  private let good = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n"

  @Test("files of all three versions are read", arguments: ["version1.npy", "version2.npy", "version3.npy"])
  func versions(_ name: String) throws {
    let source = try ArrayFile(fixture(name)).array()
    #expect(source.shape == [2, 3])
    #expect(try source.read() == .float32(Tensor(shape: [2, 3], elements: [0, 1, 2, 3, 4, 5])))
    #expect(try source.read(rows: 1..<2) == .float32(Tensor(shape: [1, 3], elements: [3, 4, 5])))
    #expect(try source.read(rows: 2..<2, as: .float64) == .float64(Tensor(shape: [0, 3], elements: [])))
  }

  @Test("integers are read as labels without rounding")
  func integers() throws {
    let source = try ArrayFile(fixture("row-of-int64.npy")).array()
    #expect(source.isInteger)
    #expect(try source.readIntegers(rows: 0..<3) == [3, -1, 1 << 62])
    let floats = try ArrayFile(fixture("version1.npy")).array()
    #expect(failure { _ = try floats.readIntegers(rows: 0..<1) }.contains("integers are wanted"))
  }

  @Test(
    "what is no plain number is refused in words",
    arguments: [
      ("objects.npy", "Python objects"), ("text.npy", "'<U1' is not supported"),
      ("complex.npy", "'<c16' is not supported"), ("record.npy", "records"),
    ])
  func refusedTypes(_ name: String, _ words: String) {
    let message = failure { _ = try ArrayFile(fixture(name)) }
    #expect(message.contains(words))
    #expect(message.contains(name))
  }

  @Test(
    "a header that is not exactly right is refused",
    arguments: [
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'shape': (2,), }", "'shape' stands twice"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1, }", "'x' is not known"),
      ("{'descr': '<f4', 'fortran_order': False, }", "'shape' is missing"),
      ("{'descr': '<f4', 'shape': (1,), }", "'fortran_order' is missing"),
      ("{'fortran_order': False, 'shape': (1,), }", "'descr' is missing"),
      ("{'descr': '<f4', 'fortran_order': 0, 'shape': (1,), }", "neither True nor False"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (1), }", "not a tuple"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "something else than lengths"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } x", "follows the closing brace"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)", "'}' is missing"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", "too large"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999, 9999999999), }", "more elements"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 9999999999, 9999999999), }", "more elements"),
      // As bytes they can be counted, as numbers they cannot.
      ("{'descr': '|b1', 'fortran_order': False, 'shape': (5, 2, 0, 39999999999999999, 9, 3), }", "more elements"),
      ("{'descr': '|f4', 'fortran_order': False, 'shape': (1,), }", "not supported"),
      ("{'descr': '<f4, 'fortran_order': False, 'shape': (1,), }", "not supported"),
      ("", "'{' is missing"),
    ])
  func wrongHeaders(_ header: String, _ words: String) {
    let message = failure { _ = try arrayFile(file(header, data: [0, 0, 0, 0])) }
    #expect(message.contains(words), "\(message)")
  }

  @Test("a file must hold exactly the bytes of its shape")
  func exactSize() throws {
    #expect(
      try arrayFile(file(good, data: [0, 0, 128, 63])).array().read() == .float32(Tensor(shape: [1], elements: [1])))
    for count in [0, 3, 5] {
      let message = failure { _ = try arrayFile(file(good, data: [UInt8](repeating: 0, count: count))) }
      #expect(message.contains("4 bytes of numbers, but \(count) follow"))
    }
  }

  @Test("a claim of petabytes is refused before anything is allocated")
  func hugeClaim() {
    let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (100000000000000,), }\n"
    #expect(failure { _ = try arrayFile(file(header, data: [1, 2, 3])) }.contains("800000000000000 bytes"))
    #expect(failure { _ = try arrayFile(Array(file(good).dropLast(20))) }.contains("ends within"))
    #expect(failure { _ = try arrayFile(NPYHeader.magic + [2, 0, 255, 255, 255, 255]) }.contains("longer than"))
    #expect(failure { _ = try arrayFile(NPYHeader.magic + [4, 0, 0, 0]) }.contains("version 4.0"))
  }

  @Test("no cut or flipped byte of a file traps")
  func damage() throws {
    let whole = try fixtureBytes("version1.npy")
    for length in 0..<whole.count { #expect(throws: Failure.self) { try arrayFile(Array(whole[..<length])) } }
    for place in 0..<128 {
      for value: UInt8 in [0, 0x27, 0x28, 0x2C, 0x39, 0x7D, 0xFF] {
        var bytes = whole
        bytes[place] = value
        if let array = try? arrayFile(bytes).array() { _ = try array.read() }
      }
    }
  }

  @Test("what is written is what numpy.save writes, byte for byte")
  func writing() throws {
    let sink = MemorySink()
    let writer = try NPYWriter(to: sink, type: .float32, shape: [2, 3])
    try writer.append(.float32(Tensor(shape: [1, 3], elements: [0, 1, 2])))
    #expect(failure(.inputOutput) { try writer.finish() }.contains("3 numbers"))
    try writer.append(.float64(Tensor(shape: [1, 3], elements: [3, 4, 5])))
    try writer.finish()
    #expect(sink.bytes == (try fixtureBytes("version1.npy")))

    let integers = MemorySink()
    try NPYWriter(to: integers, type: .int64, shape: [3]).append([3, -1, 1 << 62])
    #expect(integers.bytes == (try fixtureBytes("row-of-int64.npy")))
  }

  @Test("new values keep the header, the byte order and the order of the axes")
  func rewriting() throws {
    let new: [Float] = [6, 5, 4, 3, 2, 1]
    for name in ["version1.npy", "version2.npy", "version3.npy"] {
      let file = try ArrayFile(fixture(name))
      #expect(try file.rewritten([:]) == fixtureBytes(name))
      #expect(try file.rewritten(["": file.array().read()]) == fixtureBytes(name))
      let bytes = try file.rewritten(["": .float64(Tensor(shape: [2, 3], elements: new.map { Double($0) }))])
      #expect(try arrayFile(bytes).array().read() == .float32(Tensor(shape: [2, 3], elements: new)))
      #expect(bytes.count == (try fixtureBytes(name).count))
    }
  }
}
