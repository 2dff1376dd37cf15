import Tensors

/// The elements of a tensor as they are written into a model file.
struct NumberTexts {
  let tensor: AnyTensor

  /// The fewest digits that read back to the same bits.
  func text(_ index: Int) -> String {
    switch tensor {
    case .float32(let tensor): tensor.elements[index].description
    case .float64(let tensor): tensor.elements[index].description
    }
  }

  /// The bits of an element, which tell more than comparing numbers: -0 is not 0.
  func bits(_ index: Int) -> UInt64 {
    switch tensor {
    case .float32(let tensor): UInt64(tensor.elements[index].bitPattern)
    case .float64(let tensor): tensor.elements[index].bitPattern
    }
  }

  /// Whether all elements are the same, bit for bit.
  var isUniform: Bool { (1..<max(tensor.count, 1)).allSatisfy { bits($0) == bits(0) } }

  /// The elements from `first` on as nested lists of `shape`, broken into lines where they are long; further lines begin
  /// with `continuation`.
  func nestedList(first: Int = 0, shape: [Int]? = nil, lineBreak: String, continuation: String) -> String {
    list(first: first, shape: (shape ?? tensor.shape)[...], lineBreak: lineBreak, continuation: continuation).text
  }

  private static let longestLine = 100

  private func list(
    first: Int, shape: ArraySlice<Int>, lineBreak: String, continuation: String
  ) -> (text: String, isOneLine: Bool) {
    guard let count = shape.first else { return (text(first), true) }
    let inner = shape.dropFirst()
    let step = inner.reduce(1, *)
    let parts = (0..<count).map {
      list(first: first + $0 * step, shape: inner, lineBreak: lineBreak, continuation: continuation + " ")
    }
    let length = parts.reduce(0) { $0 + $1.text.utf8.count + 2 }
    if parts.allSatisfy(\.isOneLine), length <= Self.longestLine {
      return ("[" + parts.map(\.text).joined(separator: ", ") + "]", true)
    }
    var text = "["
    var column = 0
    for (index, part) in parts.enumerated() {
      if index > 0 {
        text += ","
        // Numbers fill their lines; each inner list begins a line of its own.
        if inner.isEmpty, column + part.text.utf8.count + 2 <= Self.longestLine {
          text += " "
        } else {
          text += lineBreak + continuation + " "
          column = 0
        }
      }
      text += part.text
      column += part.text.utf8.count + 2
    }
    return (text + "]", false)
  }
}

extension AnyTensor {
  /// Whether both hold the same bits: -0 is not 0 here.
  func isIdentical(to other: AnyTensor) -> Bool {
    guard shape == other.shape, elementType == other.elementType else { return false }
    let (own, others) = (NumberTexts(tensor: self), NumberTexts(tensor: other))
    return (0..<count).allSatisfy { own.bits($0) == others.bits($0) }
  }
}

/// Base64 (RFC 4648) of bytes.
func base64(_ bytes: [UInt8]) -> [UInt8] {
  let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  var text: [UInt8] = []
  text.reserveCapacity((bytes.count + 2) / 3 * 4)
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let left = bytes.count - start
    let group =
      Int(bytes[start]) << 16 | (left > 1 ? Int(bytes[start + 1]) << 8 : 0) | (left > 2 ? Int(bytes[start + 2]) : 0)
    text.append(digits[group >> 18])
    text.append(digits[group >> 12 & 63])
    text.append(left > 1 ? digits[group >> 6 & 63] : UInt8(ascii: "="))
    text.append(left > 2 ? digits[group & 63] : UInt8(ascii: "="))
  }
  return text
}
