public import Diagnostics
import Files

/// An array in a file, read when it is wanted and as far as it is wanted: a range of rows at a time.
public final class ArraySource: Sendable {
  /// What it is called in messages: the file's name, and the array's in an archive.
  public let name: String
  /// Its key in an archive; empty for a file that holds one array.
  public let key: String
  /// The type its elements are stored as.
  public let type: StoredType
  /// The length of every axis; empty for a single number.
  public let shape: [Int]
  /// Whether the first axis runs fastest in the file.
  package let isFortranOrder: Bool
  /// Whether the most significant byte comes first in the file.
  package let isBigEndian: Bool
  /// What stands before the numbers in numpy's format; empty in others.
  let header: [UInt8]
  /// The stored bytes.
  let data: ArrayData

  /// An array whose `data` holds exactly the bytes of its shape.
  init(
    name: String, key: String = "", type: StoredType, shape: [Int], isFortranOrder: Bool = false,
    isBigEndian: Bool = false, header: [UInt8] = [], data: ArrayData
  ) {
    self.name = name
    self.key = key
    self.type = type
    self.shape = shape
    self.isFortranOrder = isFortranOrder && shape.count > 1
    self.isBigEndian = isBigEndian
    self.header = header
    // Columns are gathered one by one; from memory where that is small enough.
    self.data = isFortranOrder && shape.count > 1 && data.count <= 1 << 28 ? data.cached() : data
  }

  /// An array that is in memory already.
  public convenience init(name: String, key: String = "", _ tensor: AnyTensor) {
    let bytes = tensor.littleEndianBytes
    self.init(
      name: name, key: key, type: StoredType(tensor.elementType), shape: tensor.shape,
      data: ArrayData(InputFile(name: name, bytes: bytes), offset: 0, count: bytes.count))
  }

  /// A list of integers that is in memory already.
  package convenience init(name: String, _ integers: [Int]) {
    let bytes = integers.flatMap { integer in
      let bits = UInt64(bitPattern: Int64(integer))
      return (0..<8).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
    }
    self.init(
      name: name, type: .int64, shape: [integers.count],
      data: ArrayData(InputFile(name: name, bytes: bytes), offset: 0, count: bytes.count))
  }

  /// The length of the first axis; 1 for a single number.
  public var rows: Int { shape.first ?? 1 }
  /// The number of elements.
  public var count: Int { shape.reduce(1, *) }
  /// Whether the elements are integers, fit for class labels.
  public var isInteger: Bool { type.isInteger }

  private var columns: Int { shape.dropFirst().reduce(1, *) }

  /// The given rows, each element rounded once to `elementType`; the default holds the stored values exactly where it
  /// can. Throws where the file cannot be read or is damaged.
  public func read(rows: Range<Int>, as elementType: ElementType? = nil) throws(Failure) -> AnyTensor {
    let shape = self.shape.isEmpty ? [] : [rows.count] + self.shape.dropFirst()
    switch elementType ?? type.elementType {
    case .float32: return .float32(Tensor(shape: shape, elements: try elements(rows, Float.self)))
    case .float64: return .float64(Tensor(shape: shape, elements: try elements(rows, Double.self)))
    }
  }

  /// The whole array, each element rounded once to `elementType`.
  public func read(as elementType: ElementType? = nil) throws(Failure) -> AnyTensor {
    try read(rows: 0..<rows, as: elementType)
  }

  /// The given rows of an array of integers, in row-major order; what does not fit is clamped.
  public func readIntegers(rows: Range<Int>) throws(Failure) -> [Int] {
    guard isInteger else {
      throw Failure(.invalidData, "\(name): the elements are \(type.rawValue), where integers are wanted")
    }
    return try elements(rows, Int.self)
  }

  /// A checksum by which copies of an array are told apart without reading all of a large one: type, shape, and of the
  /// numbers 1024 stretches of 64 KiB evenly spread, or all of them where they are no more than that.
  package func sampleChecksum() throws(Failure) -> UInt32 {
    let (stretches, length) = (1024, 1 << 16)
    var checksum = CRC32()
    checksum.update(Array("\(type.rawValue) \(shape) \(isFortranOrder) \(isBigEndian)".utf8))
    if data.count <= stretches * length {
      for start in stride(from: 0, to: data.count, by: length) {
        checksum.update(try data.read(at: start, count: min(length, data.count - start)))
      }
    } else {
      for index in 0..<stretches {
        checksum.update(try data.read(at: (data.count - length) / (stretches - 1) * index, count: length))
      }
    }
    return checksum.value
  }

  private func elements<Element: StoredElement>(_ rows: Range<Int>, _: Element.Type) throws(Failure) -> [Element] {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= self.rows, "rows of the array")
    let columns = columns
    guard let needed = byteCount([rows.count, columns], elementSize: MemoryLayout<Element>.size) else {
      throw Failure(.invalidData, "\(name): too large for this machine's memory")
    }
    try requireMemory(needed, for: name)
    var failure: Failure?
    let result = unsafe [Element](unsafeUninitializedCapacity: rows.count * columns) { target, initialized in
      let target = unsafe UnsafeMutableBufferPointer(rebasing: target[..<(rows.count * columns)])
      do throws(Failure) {
        try unsafe readRows(rows, into: target)
        initialized = target.count
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return result
  }

  /// Reads the whole array, each element rounded once to single precision, into `target`, which has its count.
  @unsafe
  package func read(into target: UnsafeMutableBufferPointer<Float>) throws(Failure) {
    precondition(target.count == count, "a place for each element")
    try unsafe readRows(0..<rows, into: target)
  }

  private func readRows<Element: StoredElement>(
    _ rows: Range<Int>, into target: UnsafeMutableBufferPointer<Element>
  ) throws(Failure) {
    if isFortranOrder, self.rows > 0, columns > 0 {
      try unsafe readColumns(rows, columns, into: target)
    } else {
      try unsafe readRun(from: rows.lowerBound * columns, into: target)
    }
  }

  /// The elements that lie one after the other from the one at `first` on.
  private func readRun<Element: StoredElement>(
    from first: Int, into target: UnsafeMutableBufferPointer<Element>
  ) throws(Failure) {
    if type == Element.native, !isBigEndian {
      return try unsafe data.read(at: first * type.size, into: UnsafeMutableRawBufferPointer(target))
    }
    let pieceLength = 1 << 15
    var failure: Failure?
    unsafe withUnsafeTemporaryAllocation(byteCount: min(pieceLength, max(1, target.count)) * type.size, alignment: 16) {
      buffer in
      var done = 0
      while done < target.count {
        let length = min(pieceLength, target.count - done)
        let bytes = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<(length * type.size)])
        do throws(Failure) {
          try unsafe data.read(at: (first + done) * type.size, into: bytes)
        } catch {
          failure = error
          return
        }
        unsafe decode(
          UnsafeRawBufferPointer(bytes), type, bigEndian: isBigEndian,
          into: UnsafeMutableBufferPointer(rebasing: target[done..<(done + length)]))
        done += length
      }
    }
    if let failure { throw failure }
  }

  /// Gathers rows of an array whose first axis runs fastest: a run of each column.
  private func readColumns<Element: StoredElement>(
    _ rows: Range<Int>, _ columns: Int, into target: UnsafeMutableBufferPointer<Element>
  ) throws(Failure) {
    if rows.isEmpty { return }
    let axes = Array(shape.dropFirst())
    // strides[a]: how far apart neighbours along axis a are within a row of the result.
    var strides = [Int](repeating: 1, count: axes.count)
    for axis in stride(from: axes.count - 2, through: 0, by: -1) { strides[axis] = strides[axis + 1] * axes[axis + 1] }
    var index = [Int](repeating: 0, count: axes.count)
    var place = 0
    var failure: Failure?
    try requireMemory(rows.count * MemoryLayout<Element>.size, for: name)
    unsafe withUnsafeTemporaryAllocation(of: Element.self, capacity: rows.count) { column in
      for number in 0..<columns {
        do throws(Failure) {
          try unsafe readRun(from: number * self.rows + rows.lowerBound, into: column)
        } catch {
          failure = error
          return
        }
        for row in 0..<rows.count {
          unsafe (target.baseAddress.unsafelyUnwrapped + (row * columns + place)).initialize(to: column[row])
        }
        // The next column in the file: the first of the axes steps, the others carry.
        for axis in 0..<axes.count {
          index[axis] += 1
          place += strides[axis]
          if index[axis] < axes[axis] { break }
          place -= axes[axis] * strides[axis]
          index[axis] = 0
        }
      }
    }
    if let failure { throw failure }
  }
}

extension AnyTensor {
  /// The elements' bytes, little-endian and row-major.
  package var littleEndianBytes: [UInt8] {
    switch self {
    case .float32(let tensor): unsafe tensor.elements.withUnsafeBytes { unsafe Array($0) }
    case .float64(let tensor): unsafe tensor.elements.withUnsafeBytes { unsafe Array($0) }
    }
  }
}
