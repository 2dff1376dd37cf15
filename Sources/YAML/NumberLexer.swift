/// A number as its text says it.
package struct LexedNumber {
  /// The text's value, correctly rounded.
  package let value: Double
  /// The value of an integer literal that fits.
  package let integer: Int?
  /// The value rounded from the text to `Float` at once, where rounding `value` once more would give another.
  package let floatCorrection: Float?
}

/// Reads the numbers of YAML 1.2's core schema: decimal, `0x`, `0o`, `.inf` and `.nan`, and nothing else.
package enum NumberLexer {
  /// The number that all of `text` is, or nil.
  package static func lex(_ text: Span<UInt8>) -> LexedNumber? {
    let count = text.count
    guard count > 0 else { return nil }
    var index = 0
    let isNegative = text[0] == UInt8(ascii: "-")
    if isNegative || text[0] == UInt8(ascii: "+") {
      index = 1
    } else if count > 2, text[0] == UInt8(ascii: "0"), text[1] | 0x20 > UInt8(ascii: "9") {
      switch text[1] {
      case UInt8(ascii: "x"): return lexRadix(text, bitsPerDigit: 4)
      case UInt8(ascii: "o"): return lexRadix(text, bitsPerDigit: 3)
      default: break
      }
    }

    // The first 19 significant digits fit in 64 bits; what follows only shifts the exponent.
    var mantissa: UInt64 = 0
    var significantDigits = 0
    var digits = 0
    var exponent = 0
    var isTruncated = false
    while index < count {
      let digit = text[index] &- UInt8(ascii: "0")
      guard digit < 10 else { break }
      if significantDigits < 19 {
        mantissa = mantissa &* 10 &+ UInt64(digit)
        if mantissa != 0 { significantDigits &+= 1 }
      } else {
        exponent &+= 1
        isTruncated = isTruncated || digit != 0
      }
      digits &+= 1
      index &+= 1
    }
    var isIntegerLiteral = true
    if index < count, text[index] == UInt8(ascii: ".") {
      isIntegerLiteral = false
      index &+= 1
      while index < count {
        let digit = text[index] &- UInt8(ascii: "0")
        guard digit < 10 else { break }
        if significantDigits < 19 {
          mantissa = mantissa &* 10 &+ UInt64(digit)
          if mantissa != 0 { significantDigits &+= 1 }
          exponent &-= 1
        } else {
          isTruncated = isTruncated || digit != 0
        }
        digits &+= 1
        index &+= 1
      }
    }
    guard digits > 0 else { return isIntegerLiteral ? nil : lexNotFinite(text, at: index, isNegative: isNegative) }
    if index < count, text[index] | 0x20 == UInt8(ascii: "e") {
      isIntegerLiteral = false
      index &+= 1
      var isExponentNegative = false
      if index < count, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
        isExponentNegative = text[index] == UInt8(ascii: "-")
        index &+= 1
      }
      guard index < count else { return nil }
      var written = 0
      while index < count {
        let digit = text[index] &- UInt8(ascii: "0")
        guard digit < 10 else { break }
        // Far beyond every `Double`; the exact reading below takes over long before it matters.
        if written < 100_000 { written = written &* 10 &+ Int(digit) }
        index &+= 1
      }
      exponent &+= isExponentNegative ? -written : written
    }
    guard index == count else { return nil }

    if isIntegerLiteral, !isTruncated, exponent == 0 {
      let magnitude = Double(mantissa)
      let integer = isNegative ? Int(exactly: mantissa).map { -$0 } : Int(exactly: mantissa)
      return finish(
        text, isNegative && mantissa != 0 ? -magnitude : magnitude,
        integer: integer ?? leastInteger(isNegative, mantissa))
    }
    // Clinger's fast path: both factors are exact, so one rounding is all there is.
    if !isTruncated, mantissa <= 1 << 53, exponent >= -22, exponent <= 22 {
      let magnitude =
        exponent < 0 ? Double(mantissa) / powersOfTen[-exponent] : Double(mantissa) * powersOfTen[exponent]
      return finish(text, isNegative ? -magnitude : magnitude, integer: nil)
    }
    if !isTruncated, mantissa > 0, exponent < 0, exponent >= -19 {
      let magnitude = quotient(mantissa, integerPowersOfTen[-exponent])
      return finish(text, isNegative ? -magnitude : magnitude, integer: nil)
    }
    return finish(text, Double(string(text)) ?? .nan, integer: nil)
  }

  /// `dividend / divisor`, correctly rounded: 62 bits or more of the exact quotient, and whether more follow, decide it.
  private static func quotient(_ dividend: UInt64, _ divisor: UInt64) -> Double {
    let dividendShift = dividend.leadingZeroBitCount
    let divisorShift = divisor.leadingZeroBitCount
    let high = dividend << UInt64(dividendShift)
    let (bits, rest) = (divisor << UInt64(divisorShift)).dividingFullWidth((high >> 1, high << 63))
    let exponent = divisorShift - dividendShift - 63
    return Double(rest == 0 ? bits : bits | 1) * Double(bitPattern: UInt64(1023 + exponent) << 52)
  }

  private static func leastInteger(_ isNegative: Bool, _ mantissa: UInt64) -> Int? {
    isNegative && mantissa == Int.min.magnitude ? Int.min : nil
  }

  /// Adds the correction that `value` needs where it lies halfway between two `Float`s: only there can rounding twice
  /// differ from rounding once.
  private static func finish(_ text: Span<UInt8>, _ value: Double, integer: Int?) -> LexedNumber {
    let isHalfway = value.bitPattern & 0x1FFF_FFFF == 0x1000_0000
    let isSubnormal = value.magnitude < Double(Float.leastNormalMagnitude) && value != 0
    guard isHalfway || isSubnormal, let exact = Float(string(text)), exact != Float(value) else {
      return LexedNumber(value: value, integer: integer, floatCorrection: nil)
    }
    return LexedNumber(value: value, integer: integer, floatCorrection: exact)
  }

  /// Reads `0x…` or `0o…`: the leading 61 to 64 bits and whether anything but zeros follows decide every rounding.
  private static func lexRadix(_ text: Span<UInt8>, bitsPerDigit: Int) -> LexedNumber? {
    var mantissa: UInt64 = 0
    var exponent = 0
    var isInexact = false
    for index in 2..<text.count {
      let byte = text[index]
      let digit =
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: UInt8.max
        }
      guard digit < 1 << bitsPerDigit else { return nil }
      if mantissa.leadingZeroBitCount >= bitsPerDigit, exponent == 0 {
        mantissa = mantissa << UInt64(bitsPerDigit) | UInt64(digit)
      } else {
        exponent += bitsPerDigit
        isInexact = isInexact || digit != 0
      }
    }
    if isInexact { mantissa |= 1 }
    let value = Double(sign: .plus, exponent: exponent, significand: Double(mantissa))
    let float = Float(sign: .plus, exponent: exponent, significand: Float(mantissa))
    return LexedNumber(
      value: value,
      integer: exponent == 0 ? Int(exactly: mantissa) : nil,
      floatCorrection: float == Float(value) ? nil : float)
  }

  /// Reads `.inf` and `.nan` from the letters at `index`, behind the point.
  private static func lexNotFinite(_ text: Span<UInt8>, at index: Int, isNegative: Bool) -> LexedNumber? {
    guard text.count == index + 3 else { return nil }
    let value: Double
    switch string(text.extracting(index..<text.count)) {
    case "inf", "Inf", "INF": value = isNegative ? -.infinity : .infinity
    case "nan" where index == 1, "NaN" where index == 1, "NAN" where index == 1: value = .nan
    default: return nil
    }
    return LexedNumber(value: value, integer: nil, floatCorrection: nil)
  }

  private static func string(_ text: Span<UInt8>) -> String {
    unsafe text.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
  }

  private static let integerPowersOfTen: [UInt64] = [
    1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000,
    100_000_000_000, 1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000,
    10_000_000_000_000_000, 100_000_000_000_000_000, 1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
  ]

  private static let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
  ]
}
