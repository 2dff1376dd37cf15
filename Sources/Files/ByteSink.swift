package import Diagnostics

/// Where bytes are written one after the other.
package protocol ByteSink: AnyObject {
  func write(_ bytes: UnsafeRawBufferPointer) throws(Failure)
}

extension ByteSink {
  package func write(_ bytes: [UInt8]) throws(Failure) {
    var failure: Failure?
    unsafe bytes.withUnsafeBytes { buffer in
      do throws(Failure) { try unsafe write(buffer) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  package func write(_ text: String) throws(Failure) { try write(Array(text.utf8)) }
}

/// Bytes gathered in memory.
package final class MemorySink: ByteSink {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  package func write(_ bytes: UnsafeRawBufferPointer) throws(Failure) { unsafe self.bytes.append(contentsOf: bytes) }
}
