import Diagnostics
import Files
import Testing

@testable import Tensors

/// The limits of docs/limits.md for files of arrays, each from both sides.
@Suite("Limits of files of arrays")
struct ArrayLimitTests {
  private func npy(version: UInt8, shape: String, headerLength: Int? = nil) -> [UInt8] {
    var text = Array("{'descr': '<f4', 'fortran_order': False, 'shape': \(shape), }".utf8)
    let start = version == 1 ? 10 : 12
    if let headerLength { text += [UInt8](repeating: UInt8(ascii: " "), count: headerLength - start - text.count) }
    let length = (0..<(start - 8)).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
    return NPYHeader.magic + [version, 0] + length + text
  }

  private func safetensors(_ header: [UInt8]) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) } + header
  }

  @Test("a .npy header: 65,536 bytes, in the versions whose lengths can say more", arguments: [2, 3] as [UInt8])
  func npyHeader(version: UInt8) throws {
    let array = [UInt8](repeating: 0, count: 8)
    let longest = try arrayFile(npy(version: version, shape: "(2,)", headerLength: 65_536) + array).array()
    #expect(longest.shape == [2])
    #expect(try longest.read() == .float32(Tensor(shape: [2], elements: [0, 0])))
    let message = failure {
      _ = try arrayFile(npy(version: version, shape: "(2,)", headerLength: 65_537) + array)
    }
    #expect(message.contains("65536"), "\(message)")
  }

  @Test("axes of an array: 64, in .npy and .safetensors")
  func axes() throws {
    func ones(_ count: Int) -> String { Array(repeating: "1", count: count).joined(separator: ", ") }
    func tensor(_ axes: Int) -> [UInt8] {
      safetensors(Array(#"{"a": {"dtype": "F32", "shape": [\#(ones(axes))], "data_offsets": [0, 4]}}"#.utf8))
        + [0, 0, 128, 63]
    }
    let array = try arrayFile(npy(version: 1, shape: "(\(ones(64)))") + [0, 0, 128, 63]).array()
    #expect(array.shape == Array(repeating: 1, count: 64))
    #expect(failure { _ = try arrayFile(npy(version: 1, shape: "(\(ones(65)))")) }.contains("more than 64 axes"))
    let archive = try arrayFile(tensor(64), suffix: "safetensors").archive()
    #expect(try archive.source("a").shape == Array(repeating: 1, count: 64))
    #expect(failure { _ = try arrayFile(tensor(65), suffix: "safetensors") }.contains("more than 64 axes"))
  }

  @Test("a .safetensors header: 100,000,000 bytes, and what claims more is not read")
  func safetensorsHeader() throws {
    func file(claiming length: UInt64) -> [UInt8] {
      (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * UInt64($0))) } + Array("{}".utf8)
    }
    // What the format allows is looked for in the file.
    let allowed = failure { _ = try arrayFile(file(claiming: 100_000_000), suffix: "safetensors") }
    #expect(allowed.contains("ends within the header"), "\(allowed)")
    for claimed in [100_000_001, UInt64(1) << 62, .max] {
      let message = failure { _ = try arrayFile(file(claiming: claimed), suffix: "safetensors") }
      #expect(message.contains("100000000"), "\(message)")
    }
  }
}
