/// A number of a schema or a document, compared exactly whether it was written as an integer or not.
enum SchemaNumber {
  case integer(Int)
  case real(Double)

  /// Whether the number has no fraction: `1.0` is an integer.
  var isIntegral: Bool {
    switch self {
    case .integer: true
    case .real(let value): value.isFinite && value.rounded(.towardZero) == value
    }
  }

  var doubleValue: Double {
    switch self {
    case .integer(let value): Double(value)
    case .real(let value): value
    }
  }

  /// The number as a count, at most `Int.max`; nil where it is negative or has a fraction.
  var count: Int? {
    switch self {
    case .integer(let value): value >= 0 ? value : nil
    case .real(let value): isIntegral && value >= 0 ? Int(exactly: value) ?? Int.max : nil
    }
  }

  /// -1, 0 or 1; nil where one of the two is not a number.
  func compared(to other: SchemaNumber) -> Int? {
    switch (self, other) {
    case (.integer(let left), .integer(let right)): left < right ? -1 : (left > right ? 1 : 0)
    case (.real(let left), .real(let right)):
      left.isNaN || right.isNaN ? nil : (left < right ? -1 : (left > right ? 1 : 0))
    case (.integer(let left), .real(let right)): Self.compare(left, right)
    case (.real(let left), .integer(let right)): Self.compare(right, left).map { -$0 }
    }
  }

  private static func compare(_ left: Int, _ right: Double) -> Int? {
    if right.isNaN { return nil }
    if right >= 0x1p63 { return -1 }
    if right < -0x1p63 { return 1 }
    let whole = Int(right)
    if left != whole { return left < whole ? -1 : 1 }
    let fraction = right - Double(whole)
    return fraction > 0 ? -1 : (fraction < 0 ? 1 : 0)
  }

  /// Whether the number is a whole multiple of `divisor`, both taken as the decimals that they are written as.
  func isMultiple(of divisor: SchemaNumber) -> Bool {
    if case .integer(let value) = self, case .integer(let unit) = divisor {
      return unit != 0 && (unit == -1 || value % unit == 0)
    }
    guard let value = Decimal(self), let unit = Decimal(divisor), unit.digits != 0 else { return false }
    if value.digits == 0 { return true }
    let shift = value.exponent - unit.exponent
    if shift >= 0 {
      // value.digits * 10^shift modulo unit.digits, a digit at a time so that nothing overflows.
      var remainder = value.digits % unit.digits
      for _ in 0..<shift where remainder != 0 {
        let product = remainder.multipliedFullWidth(by: 10)
        remainder = unit.digits.dividingFullWidth(product).remainder
      }
      return remainder == 0
    }
    var unitDigits = unit.digits
    for _ in 0..<(-shift) {
      let (product, overflow) = unitDigits.multipliedReportingOverflow(by: 10)
      if overflow { return false }
      unitDigits = product
    }
    return value.digits % unitDigits == 0
  }

  /// The magnitude `digits * 10^exponent`, without trailing zeros.
  private struct Decimal {
    var digits: UInt64 = 0
    var exponent = 0

    init?(_ number: SchemaNumber) {
      switch number {
      case .integer(let value): digits = UInt64(value.magnitude)
      case .real(let value):
        guard value.isFinite else { return nil }
        var isFraction = false
        var text = value.magnitude.description[...]
        if let mark = text.firstIndex(of: "e") {
          exponent = Int(text[text.index(after: mark)...]) ?? 0
          text = text[..<mark]
        }
        for character in text.utf8 {
          guard character != UInt8(ascii: ".") else {
            isFraction = true
            continue
          }
          digits = digits &* 10 &+ UInt64(character &- 48)
          if isFraction { exponent -= 1 }
        }
      }
      while digits != 0, digits % 10 == 0 {
        digits /= 10
        exponent += 1
      }
    }
  }
}

extension SchemaNumber: CustomStringConvertible {
  var description: String {
    switch self {
    case .integer(let value): return "\(value)"
    case .real(let value):
      if value.isNaN { return ".nan" }
      if value.isInfinite { return value < 0 ? "-.inf" : ".inf" }
      return Int(exactly: value).map { "\($0)" } ?? "\(value)"
    }
  }
}
