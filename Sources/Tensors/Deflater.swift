import CZlib
import Diagnostics

/// The bytes deflated as zip files have them, at the level that Python takes by default.
func deflated(_ bytes: [UInt8]) throws(Failure) -> [UInt8] {
  var stream = unsafe z_stream()
  guard
    unsafe deflateInit2_(
      &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size)) == Z_OK
  else { throw Failure(.inputOutput, "zlib has no memory to start") }
  defer { unsafe _ = deflateEnd(&stream) }
  var result: [UInt8] = []
  var input = bytes
  var output = [UInt8](repeating: 0, count: 1 << 18)
  var used = 0
  var status = Z_OK
  while status == Z_OK {
    // zlib counts in 32 bits: a piece at a time.
    let piece = min(1 << 30, input.count - used)
    let isLast = used + piece == input.count
    let (inputLeft, outputLeft) = unsafe input.withUnsafeMutableBufferPointer { input in
      unsafe output.withUnsafeMutableBufferPointer { output in
        unsafe stream.next_in = input.baseAddress.map { unsafe $0 + used }
        unsafe stream.avail_in = UInt32(piece)
        unsafe stream.next_out = output.baseAddress
        unsafe stream.avail_out = UInt32(output.count)
        status = unsafe deflate(&stream, isLast ? Z_FINISH : Z_NO_FLUSH)
        return unsafe (Int(stream.avail_in), Int(stream.avail_out))
      }
    }
    used += piece - inputLeft
    result += output[..<(output.count - outputLeft)]
  }
  return result
}
