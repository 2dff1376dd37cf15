import Diagnostics
import Files
import ModelFile
import Tensors

/// Reads the numbers of ONNX tensors: inside the file, or in files beside it.
struct ONNXTensorReader {
  /// The ONNX file, which external files are named from.
  let path: FilePath

  /// The number of elements of a tensor. Throws where its dimensions make no sense.
  static func count(_ tensor: ONNXTensor) throws(Failure) -> Int {
    var count = 1
    for size in tensor.dimensions {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard size >= 0, size <= ONNXImport.longestAxis, !overflow else {
        throw Failure(.invalidData, "the tensor `\(printable(tensor.name))` has impossible dimensions")
      }
      count = product
    }
    return count
  }

  /// The numbers of a tensor of a floating-point type, each rounded once to `elementType`; nil for other types.
  func numbers(_ tensor: ONNXTensor, as elementType: ElementType) throws(Failure) -> AnyTensor? {
    guard let size = ONNXElementType.floatingSizes[tensor.elementType] else { return nil }
    let count = try Self.count(tensor)
    let bytes: ArraySlice<UInt8>
    if let stored = try rawBytes(tensor, count: count, size: size) {
      bytes = stored
    } else {
      // float_data and double_data hold the very bytes; float16 lies in the varints of int32_data.
      bytes = try typedBytes(tensor, count: count, size: size)[...]
    }
    func bits(_ index: Int) -> UInt64 {
      var value: UInt64 = 0
      for byte in 0..<size { value |= UInt64(bytes[bytes.startIndex + index * size + byte]) << UInt64(8 * byte) }
      return value
    }
    try requireMemory(count.multipliedReportingOverflow(by: 8).partialValue, for: path.description)
    func value(_ index: Int) -> Double {
      switch tensor.elementType {
      case ONNXElementType.float: Double(Float(bitPattern: UInt32(bits(index))))
      case ONNXElementType.double: Double(bitPattern: bits(index))
      case ONNXElementType.bfloat16: Double(Float(bitPattern: UInt32(bits(index)) << 16))
      default: Double(half(UInt16(bits(index))))
      }
    }
    switch elementType {
    case .float32:
      return .float32(Tensor(shape: tensor.dimensions, elements: (0..<count).map { Float(value($0)) }))
    case .float64: return .float64(Tensor(shape: tensor.dimensions, elements: (0..<count).map(value)))
    }
  }

  /// The integers of a tensor of int64 or int32, `limit` at most; nil for other types and longer ones.
  func integers(_ tensor: ONNXTensor, limit: Int = 64) throws(Failure) -> [Int]? {
    guard tensor.elementType == ONNXElementType.int64 || tensor.elementType == ONNXElementType.int32 else { return nil }
    let count = try Self.count(tensor)
    guard count <= limit else { return nil }
    let size = tensor.elementType == ONNXElementType.int64 ? 8 : 4
    if let bytes = try rawBytes(tensor, count: count, size: size) {
      return (0..<count).map { index in
        let bits = littleEndian(Array(bytes), at: index * size, count: size)
        return size == 8 ? Int(Int64(bitPattern: bits)) : Int(Int32(truncatingIfNeeded: bits))
      }
    }
    let integers = try varints(tensor, fields: size == 8 ? 7 : 5, limit: count)
    guard integers.count == count else { throw wrongCount(tensor, integers.count, count) }
    return size == 8 ? integers : integers.map { Int(Int32(truncatingIfNeeded: $0)) }
  }

  private func wrongCount(_ tensor: ONNXTensor, _ present: Int, _ needed: Int) -> Failure {
    Failure(
      .invalidData,
      "the tensor `\(printable(tensor.name))` needs \(needed) numbers, but the file holds \(present) of them")
  }

  /// The bytes of raw_data or of an external file; nil where the numbers are in typed fields.
  private func rawBytes(_ tensor: ONNXTensor, count: Int, size: Int) throws(Failure) -> ArraySlice<UInt8>? {
    let (needed, overflow) = count.multipliedReportingOverflow(by: size)
    guard !overflow else { throw wrongCount(tensor, 0, count) }
    if let external = tensor.external { return try externalBytes(tensor, external, needed: needed)[...] }
    guard let raw = tensor.raw else { return nil }
    guard raw.count == needed else {
      throw Failure(
        .invalidData,
        "the tensor `\(printable(tensor.name))` needs \(needed) bytes, but the file holds \(raw.count) of them")
    }
    return raw
  }

  /// Bytes of a file that lies beside the ONNX file or below it, and is led to by no link from elsewhere.
  private func externalBytes(
    _ tensor: ONNXTensor, _ places: [(key: String, value: String)], needed: Int
  ) throws(Failure) -> [UInt8] {
    func entry(_ key: String) -> String? { places.last { $0.key == key }?.value }
    func wrong(_ what: String) -> Failure {
      Failure(.invalidData, "the tensor `\(printable(tensor.name))` is in a file of its own: \(what)")
    }
    guard let location = entry("location"), !location.isEmpty else { throw wrong("no name is given for it") }
    let offset = entry("offset").map { Int($0) } ?? 0
    let length = entry("length").map { Int($0) } ?? needed
    guard let offset, let length, offset >= 0, length == needed else {
      throw wrong("`offset` or `length` does not fit its \(needed) bytes")
    }
    let file: InputFile
    switch ModelFolder(modelPath: path).resolve(location) {
    case .found(let place): file = try InputFile(place)
    case .missing(let reason):
      throw Failure(
        .cannotRead, "the tensor `\(printable(tensor.name))` is in the file `\(printable(location))`: \(reason)")
    case .outside(let reason): throw wrong("`\(printable(location))` \(reason)")
    }
    guard offset <= file.count, needed <= file.count - offset else {
      throw wrong(
        "`\(printable(location))` has \(file.count) bytes, but byte \(offset) and \(needed) from there are wanted")
    }
    return try file.read(at: offset, count: needed)
  }

  private func typedBytes(_ tensor: ONNXTensor, count: Int, size: Int) throws(Failure) -> [UInt8] {
    var bytes: [UInt8] = []
    if size == 2 {
      let integers = try varints(tensor, fields: 5, limit: count)
      guard integers.count == count else { throw wrongCount(tensor, integers.count, count) }
      for integer in integers {
        bytes.append(UInt8(truncatingIfNeeded: integer))
        bytes.append(UInt8(truncatingIfNeeded: integer >> 8))
      }
      return bytes
    }
    let field = size == 4 ? 4 : 10
    for piece in tensor.typed where piece.field == field {
      switch piece.value {
      case .bytes(let range) where range.count % size == 0: bytes += tensor.file[range]
      case .fixed32(let bits) where size == 4:
        for shift in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(8 * shift))) }
      case .fixed64(let bits) where size == 8:
        for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt64(8 * shift))) }
      default: throw damaged(tensor, "a list of numbers has a broken end or numbers of another type")
      }
    }
    guard bytes.count / size == count else { throw wrongCount(tensor, bytes.count / size, count) }
    return bytes
  }

  private func varints(_ tensor: ONNXTensor, fields field: Int, limit: Int) throws(Failure) -> [Int] {
    var integers: [Int] = []
    do throws(WireError) {
      for piece in tensor.typed where piece.field == field {
        switch piece.value {
        case .varint(let value): integers.append(Int(truncatingIfNeeded: value))
        case .bytes(let range):
          guard range.count <= 10 * max(limit, 1) else { throw WireError(message: "too many numbers") }
          var reader = try WireReader(file: tensor.file, range: range, budget: MessageBudget(most: range.count + 1))
          while let integer = try reader.nextInteger() { integers.append(integer) }
        case .fixed32, .fixed64: throw WireError(message: "its integers are numbers of another type")
        }
      }
    } catch {
      throw damaged(tensor, error.message)
    }
    return integers
  }

  private func damaged(_ tensor: ONNXTensor, _ what: String) -> Failure {
    Failure(.invalidData, "the tensor `\(printable(tensor.name))` is damaged: \(what)")
  }
}

/// The single-precision number of a half-precision one's bits (IEEE 754 binary16).
private func half(_ bits: UInt16) -> Float {
  let sign: Float = bits & 0x8000 == 0 ? 1 : -1
  let exponent = Int(bits >> 10 & 0x1F)
  let fraction = Float(bits & 0x3FF)
  switch exponent {
  case 0: return sign * fraction * 0x1p-24
  case 31: return fraction == 0 ? sign * .infinity : .nan
  default: return sign * (1 + fraction * 0x1p-10) * Float(sign: .plus, exponent: exponent - 15, significand: 1)
  }
}
