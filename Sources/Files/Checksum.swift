import CZlib

/// The CRC-32 of zip files (ISO 3309), taken piece by piece.
package struct CRC32: Sendable, Equatable {
  /// The checksum of the bytes so far.
  package private(set) var value: UInt32 = 0

  package init() {}

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    value = UInt32(
      truncatingIfNeeded: unsafe crc32_z(UInt(value), start.assumingMemoryBound(to: UInt8.self), bytes.count))
  }

  package mutating func update(_ bytes: [UInt8]) { unsafe bytes.withUnsafeBytes { unsafe update($0) } }
}
