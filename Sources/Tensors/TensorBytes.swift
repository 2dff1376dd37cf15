extension AnyTensor {
  /// A tensor of the little-endian values in `bytes`, of which there are as many as `shape` and the type need.
  package init(littleEndianBytes bytes: [UInt8], shape: [Int], elementType: ElementType) {
    switch elementType {
    case .float32:
      self = .float32(
        Tensor(shape: shape, elements: Self.words(bytes, UInt32.self).map { Float(bitPattern: $0) }))
    case .float64:
      self = .float64(
        Tensor(shape: shape, elements: Self.words(bytes, UInt64.self).map { Double(bitPattern: $0) }))
    }
  }

  private static func words<Word: FixedWidthInteger>(_ bytes: [UInt8], _: Word.Type) -> [Word] {
    let size = MemoryLayout<Word>.size
    return stride(from: 0, to: bytes.count - size + 1, by: size).map { start in
      var word: Word = 0
      for index in (start..<start + size).reversed() { word = word << 8 | Word(bytes[index]) }
      return word
    }
  }

  /// The row-major index of the first element that is infinite or not a number.
  package var firstNonFiniteIndex: Int? {
    switch self {
    case .float32(let tensor): unsafe tensor.elements.withUnsafeBufferPointer { unsafe $0.firstNonFiniteIndex }
    case .float64(let tensor): tensor.elements.firstIndex { !$0.isFinite }
    }
  }
}

extension UnsafeBufferPointer<Float> {
  /// The index of the first element that is infinite or not a number; nil when all are finite.
  package var firstNonFiniteIndex: Int? {
    // Most often all are, which a pass without branches finds out, several numbers at a time.
    var overflows: UInt32 = 0
    unsafe forEach { overflows |= ($0.bitPattern & 0x7fff_ffff) &+ 0x0080_0000 }
    return overflows >> 31 == 0 ? nil : unsafe firstIndex { !$0.isFinite }
  }
}
