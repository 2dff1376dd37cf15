package import Diagnostics
package import Files

/// Writes a `.npy` file (version 1) whose rows come piece by piece; how many there will be is known beforehand.
package final class NPYWriter {
  private let sink: any ByteSink
  private let type: StoredType
  private let shape: [Int]
  private var left: Int

  /// Writes the header of an array of `type` (float32, float64 or int64) and `shape`.
  package init(to sink: any ByteSink, type: StoredType, shape: [Int]) throws(Failure) {
    self.sink = sink
    self.type = type
    self.shape = shape
    left = shape.reduce(1, *)
    try sink.write(NPYHeader(type: type, shape: shape).bytes)
  }

  /// Writes the next elements, converted to the file's type, with one rounding.
  package func append(_ tensor: AnyTensor) throws(Failure) {
    try take(tensor.count)
    try sink.write(Encoding.bytes(tensor, as: type == .float32 ? .float32 : .float64))
  }

  /// Writes the next elements of an int64 file.
  package func append(_ integers: [Int]) throws(Failure) {
    precondition(type == .int64, "integers go into a file of integers")
    try take(integers.count)
    try sink.write(unsafe integers.withUnsafeBytes { unsafe Array($0) })
  }

  /// Checks that all that was announced was written. The sink stays open.
  package func finish() throws(Failure) {
    guard left == 0 else {
      throw Failure(.inputOutput, "\(left) numbers of an array of shape \(shape) were never written")
    }
  }

  private func take(_ count: Int) throws(Failure) {
    guard count <= left else {
      throw Failure(.inputOutput, "more numbers than an array of shape \(shape) has were to be written")
    }
    left -= count
  }
}

/// Writes some of the rows of a `.npy` file that several processes write together.
package final class NPYPartWriter {
  private let file: OutputFile
  private let header: NPYHeader
  private var place: Int

  /// A writer of the rows from `row` on of an array of `type` (float32 or float64) and `shape`.
  package init(to file: OutputFile, type: StoredType, shape: [Int], startingAt row: Int) {
    self.file = file
    header = NPYHeader(type: type, shape: shape)
    place = header.length + header.dataCount / max(shape.first ?? 1, 1) * row
  }

  /// Writes the next elements.
  package func append(_ tensor: AnyTensor) throws(Failure) {
    let bytes = Encoding.bytes(tensor, as: header.type == .float32 ? .float32 : .float64)
    guard bytes.count <= header.length + header.dataCount - place else {
      throw Failure(.inputOutput, "more numbers than an array of shape \(header.shape) has were to be written")
    }
    try file.write(bytes, at: place)
    place += bytes.count
  }

  /// Writes the header, which one of the processes does.
  package func writeHeader() throws(Failure) { try file.write(header.bytes, at: 0) }
}
