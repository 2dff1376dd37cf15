#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension TensorScalar {
  /// The finite number with the fewest digits that read back to the same bits, in a form that YAML 1.2 and JSON share;
  /// what is not finite as YAML spells it.
  @inlinable
  public var shortestText: String {
    if isFinite { return description }
    if isNaN { return ".nan" }
    return self < 0 ? "-.inf" : ".inf"
  }

  /// The number in JSON; `null` where it is not finite, for which JSON has no word.
  @inlinable
  public var jsonText: String { isFinite ? description : "null" }
}

/// The shortest decimal digits of a finite number: 0.d1d2d3… times 10 to `exponent`.
struct DecimalDigits {
  let isNegative: Bool
  /// Without zeros at either end; empty for zero.
  let digits: [UInt8]
  let exponent: Int

  init(_ value: some TensorScalar) {
    isNegative = value.sign == .minus
    var all: [UInt8] = []
    var pointPlace: Int?
    var power = 0
    let text = Array(value.magnitude.description.utf8)
    for (index, byte) in text.enumerated() {
      if byte == UInt8(ascii: ".") {
        pointPlace = all.count
      } else if byte == UInt8(ascii: "e") {
        power = Int(String(decoding: text[(index + 1)...], as: UTF8.self)) ?? 0
        break
      } else {
        all.append(byte)
      }
    }
    var place = (pointPlace ?? all.count) + power
    let leading = all.prefix { $0 == UInt8(ascii: "0") }.count
    all.removeFirst(leading)
    place -= leading
    while all.last == UInt8(ascii: "0") { all.removeLast() }
    digits = all
    exponent = all.isEmpty ? 1 : place
  }

  /// The digits before and after the point.
  var positional: (whole: String, fraction: String) {
    let zero = UInt8(ascii: "0")
    let padded = digits + [UInt8](repeating: zero, count: max(0, exponent - digits.count))
    let whole = exponent > 0 ? Array(padded.prefix(exponent)) : [zero]
    let fraction =
      exponent > 0
      ? Array(digits.dropFirst(exponent)) : [UInt8](repeating: zero, count: digits.isEmpty ? 0 : -exponent) + digits
    return (String(decoding: whole, as: UTF8.self), String(decoding: fraction, as: UTF8.self))
  }

  /// One digit, the others, and the power of ten.
  var scientific: (whole: String, fraction: String, power: Int) {
    if digits.isEmpty { return ("0", "", 0) }
    return (
      String(decoding: digits.prefix(1), as: UTF8.self), String(decoding: digits.dropFirst(), as: UTF8.self),
      exponent - 1
    )
  }
}

/// The exact value of a finite number, correctly rounded to decimal places by the C library.
enum RoundedText {
  /// With so many digits after the point.
  static func positional(_ value: Double, places: Int) -> String { print("%.*f", value, places) }

  /// As `d.ddde±dd`.
  static func scientific(_ value: Double, places: Int) -> String { print("%.*e", value, places) }

  private static func print(_ format: String, _ value: Double, _ places: Int) -> String {
    // The longest: 309 digits, a sign, a point and the places.
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 330 + places) { buffer in
      unsafe withVaList([Int32(places), value]) { arguments in
        _ = unsafe vsnprintf(buffer.baseAddress, buffer.count, format, arguments)
      }
      return unsafe String(cString: buffer.baseAddress.unsafelyUnwrapped)
    }
  }
}
