/// The bytes of arrays as files store them.
enum Encoding {
  /// A tensor's elements, each rounded once to `type` (float32 or float64), in the given orders.
  static func bytes(
    _ tensor: AnyTensor, as type: ElementType, bigEndian: Bool = false, fortranOrder: Bool = false
  ) -> [UInt8] {
    switch type {
    case .float32:
      let converted = tensor.converted(to: Float.self)
      let elements = fortranOrder ? columnMajor(converted) : converted.elements
      if bigEndian { return swapped(elements.map(\.bitPattern.bigEndian)) }
      return unsafe elements.withUnsafeBytes { unsafe Array($0) }
    case .float64:
      let converted = tensor.converted(to: Double.self)
      let elements = fortranOrder ? columnMajor(converted) : converted.elements
      if bigEndian { return swapped(elements.map(\.bitPattern.bigEndian)) }
      return unsafe elements.withUnsafeBytes { unsafe Array($0) }
    }
  }

  private static func swapped<Bits: FixedWidthInteger>(_ bits: [Bits]) -> [UInt8] {
    unsafe bits.withUnsafeBytes { unsafe Array($0) }
  }

  /// The elements with the first axis running fastest.
  private static func columnMajor<Scalar: TensorScalar>(_ tensor: Tensor<Scalar>) -> [Scalar] {
    let shape = tensor.shape
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in stride(from: shape.count - 2, through: 0, by: -1) {
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    var index = [Int](repeating: 0, count: shape.count)
    var place = 0
    var result: [Scalar] = []
    result.reserveCapacity(tensor.elements.count)
    for _ in 0..<tensor.elements.count {
      result.append(tensor.elements[place])
      for axis in 0..<shape.count {
        index[axis] += 1
        place += strides[axis]
        if index[axis] < shape[axis] { break }
        place -= shape[axis] * strides[axis]
        index[axis] = 0
      }
    }
    return result
  }
}

extension ArraySource {
  /// What the array is stored as after it was given new values: float32 and float64 stay, others become the values' own.
  func storedType(replacedBy tensor: AnyTensor) -> ElementType {
    switch type {
    case .float32: .float32
    case .float64: .float64
    default: tensor.elementType
    }
  }

  /// Whether new values can take the old ones' place without a change of the header.
  func keepsLayout(replacedBy tensor: AnyTensor) -> Bool {
    shape == tensor.shape && type == StoredType(storedType(replacedBy: tensor))
  }

  /// The whole array in numpy's format with new values: header and numbers.
  func npyBytes(replacedBy tensor: AnyTensor) -> [UInt8] {
    if keepsLayout(replacedBy: tensor), !header.isEmpty {
      return header
        + Encoding.bytes(
          tensor, as: storedType(replacedBy: tensor), bigEndian: isBigEndian, fortranOrder: isFortranOrder)
    }
    return npyFile(tensor, as: storedType(replacedBy: tensor))
  }
}

/// A whole `.npy` file.
func npyFile(_ tensor: AnyTensor, as type: ElementType? = nil) -> [UInt8] {
  let type = type ?? tensor.elementType
  return NPYHeader(type: StoredType(type), shape: tensor.shape).bytes + Encoding.bytes(tensor, as: type)
}
