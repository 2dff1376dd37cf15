import CZlib
import Diagnostics
import Files

/// Unpacks a deflated member of a zip file, as far as it is wanted and never beyond.
struct Inflater {
  private let file: InputFile
  private let range: Range<Int>
  private let name: String

  init(_ file: InputFile, _ range: Range<Int>, name: String) {
    self.file = file
    self.range = range
    self.name = name
  }

  /// The first bytes, `count` at most.
  func read(atMost count: Int) throws(Failure) -> [UInt8] { try unpack(count: count).bytes }

  /// All the bytes, which must be `count` and have the given checksum, without the first `dropped`.
  func readAll(count: Int, checksum: UInt32, dropping dropped: Int) throws(Failure) -> [UInt8] {
    try requireMemory(count, for: name)
    // Room for one byte more shows a member that goes on after its size.
    var (bytes, isWhole) = try unpack(count: count + 1)
    guard isWhole, bytes.count == count else {
      throw damaged(bytes.count > count ? "it goes on after the size of its array" : "it ends too early")
    }
    var actual = CRC32()
    actual.update(bytes)
    guard actual.value == checksum else { throw damaged("its checksum is not that of the directory") }
    bytes.removeFirst(dropped)
    return bytes
  }

  private func damaged(_ what: String) -> Failure { Failure(.invalidData, "\(name): damaged: \(what)") }

  /// Unpacks until `count` bytes are there or the member ends; whether it ended, with nothing behind its end.
  private func unpack(count: Int) throws(Failure) -> (bytes: [UInt8], isWhole: Bool) {
    var stream = unsafe z_stream()
    guard
      unsafe inflateInit2_(&stream, -MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw Failure(.inputOutput, "\(name): zlib cannot start") }
    defer { unsafe _ = inflateEnd(&stream) }
    var bytes: [UInt8] = []
    var position = range.lowerBound
    var input: [UInt8] = []
    var used = 0
    var status = Z_OK
    var output = [UInt8](repeating: 0, count: min(max(count, 1), 1 << 18))
    while status == Z_OK, bytes.count < count {
      if used == input.count {
        let length = min(1 << 16, range.upperBound - position)
        if length == 0 { throw damaged("it ends too early") }
        input = try file.read(at: position, count: length)
        position += length
        used = 0
      }
      let room = min(output.count, count - bytes.count)
      let (inputLeft, outputLeft) = unsafe input.withUnsafeMutableBufferPointer { input in
        unsafe output.withUnsafeMutableBufferPointer { output in
          unsafe stream.next_in = input.baseAddress.unsafelyUnwrapped + used
          unsafe stream.avail_in = UInt32(input.count - used)
          unsafe stream.next_out = output.baseAddress.unsafelyUnwrapped
          unsafe stream.avail_out = UInt32(room)
          status = unsafe inflate(&stream, Z_NO_FLUSH)
          return unsafe (Int(stream.avail_in), Int(stream.avail_out))
        }
      }
      used = input.count - inputLeft
      bytes += output[..<(room - outputLeft)]
      // No progress was possible: more input is wanted.
      if status == Z_BUF_ERROR { status = Z_OK }
    }
    guard status == Z_OK || status == Z_STREAM_END else { throw damaged("its packed bytes are not valid") }
    return (bytes, status == Z_STREAM_END && used == input.count && position == range.upperBound)
  }
}
