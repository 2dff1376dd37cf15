/// The element types of array files.
public enum StoredType: String, Sendable, Hashable, CaseIterable {
  case float16, bfloat16, float32, float64
  case int8, int16, int32, int64
  case uint8, uint16, uint32, uint64
  case boolean

  /// Bytes an element.
  public var size: Int {
    switch self {
    case .int8, .uint8, .boolean: 1
    case .float16, .bfloat16, .int16, .uint16: 2
    case .float32, .int32, .uint32: 4
    case .float64, .int64, .uint64: 8
    }
  }

  /// Whether it holds integers; truth values do not count as such.
  public var isInteger: Bool {
    switch self {
    case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64: true
    case .float16, .bfloat16, .float32, .float64, .boolean: false
    }
  }

  /// The type that holds every value exactly where there is one, else the widest.
  public var elementType: ElementType {
    switch self {
    case .float16, .bfloat16, .float32, .int8, .int16, .uint8, .uint16, .boolean: .float32
    case .float64, .int32, .int64, .uint32, .uint64: .float64
    }
  }

  /// The stored type of an element type.
  public init(_ type: ElementType) { self = type == .float32 ? .float32 : .float64 }
}

/// What array files can be read into: `Float`, `Double` and, for labels, `Int`.
protocol StoredElement {
  /// The stored type whose little-endian bytes are this type's own.
  static var native: StoredType { get }
  init(stored: Float)
  init(stored: Double)
  init(stored: Int64)
  init(stored: UInt64)
}

extension Float: StoredElement {
  static var native: StoredType { .float32 }
  init(stored: Float) { self = stored }
  init(stored: Double) { self = Float(stored) }
  init(stored: Int64) { self = Float(stored) }
  init(stored: UInt64) { self = Float(stored) }
}

extension Double: StoredElement {
  static var native: StoredType { .float64 }
  init(stored: Float) { self = Double(stored) }
  init(stored: Double) { self = stored }
  init(stored: Int64) { self = Double(stored) }
  init(stored: UInt64) { self = Double(stored) }
}

extension Int: StoredElement {
  static var native: StoredType { .int64 }
  init(stored: Float) { self = Int(exactly: stored) ?? 0 }
  init(stored: Double) { self = Int(exactly: stored) ?? 0 }
  init(stored: Int64) { self = Int(stored) }
  // No label is so large; it is refused as out of range all the same.
  init(stored: UInt64) { self = Int(clamping: stored) }
}

/// Turns stored elements into `Element`s, each rounded once; `target` has room for as many as `bytes` holds.
func decode<Element: StoredElement>(
  _ bytes: UnsafeRawBufferPointer, _ type: StoredType, bigEndian: Bool,
  into target: UnsafeMutableBufferPointer<Element>
) {
  func each<Raw: FixedWidthInteger>(_: Raw.Type, _ make: (Raw) -> Element) {
    let count = min(bytes.count / MemoryLayout<Raw>.size, target.count)
    for index in 0..<count {
      let raw = unsafe bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Raw>.size, as: Raw.self)
      unsafe (target.baseAddress.unsafelyUnwrapped + index).initialize(
        to: make(bigEndian ? Raw(bigEndian: raw) : Raw(littleEndian: raw)))
    }
  }
  if target.isEmpty { return }
  switch type {
  case .float16: each(UInt16.self) { Element(stored: Float(Float16(bitPattern: $0))) }
  case .bfloat16: each(UInt16.self) { Element(stored: Float(bitPattern: UInt32($0) << 16)) }
  case .float32: each(UInt32.self) { Element(stored: Float(bitPattern: $0)) }
  case .float64: each(UInt64.self) { Element(stored: Double(bitPattern: $0)) }
  case .int8: each(Int8.self) { Element(stored: Int64($0)) }
  case .int16: each(Int16.self) { Element(stored: Int64($0)) }
  case .int32: each(Int32.self) { Element(stored: Int64($0)) }
  case .int64: each(Int64.self) { Element(stored: $0) }
  case .uint8: each(UInt8.self) { Element(stored: Int64($0)) }
  case .uint16: each(UInt16.self) { Element(stored: Int64($0)) }
  case .uint32: each(UInt32.self) { Element(stored: Int64($0)) }
  case .uint64: each(UInt64.self) { Element(stored: $0) }
  case .boolean: each(UInt8.self) { Element(stored: Int64($0 == 0 ? 0 : 1)) }
  }
}

/// The bytes of a shape of elements of `elementSize` bytes; nil where they are more than a machine can count.
///
/// Axes of length zero are left out of the count of the others, so that no later product of lengths can overflow, and the
/// widest elements are counted, so that the array can be written as any type. `elementSize` may be in bits just as well.
func byteCount(_ shape: [Int], elementSize: Int) -> Int? {
  var count = 1
  var isEmpty = false
  for length in shape {
    if length < 0 { return nil }
    if length == 0 {
      isEmpty = true
      continue
    }
    let (product, overflow) = count.multipliedReportingOverflow(by: length)
    if overflow { return nil }
    count = product
  }
  let widest = 64
  guard !count.multipliedReportingOverflow(by: max(elementSize, widest)).overflow else { return nil }
  return isEmpty ? 0 : count * elementSize
}
