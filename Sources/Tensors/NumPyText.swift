extension Tensor: CustomStringConvertible {
  /// The numbers as numpy 2 prints an array.
  public var description: String { numpyText(self) }
}

extension AnyTensor: CustomStringConvertible {
  /// The numbers as numpy 2 prints an array.
  public var description: String { numpyText(self) }
}

/// An array as numpy 2 prints it with `print`: columns aligned, 8 digits after the point at most, powers of ten where
/// the numbers' sizes differ much, and `...` in arrays of more than 1,000 elements.
package func numpyText(_ tensor: AnyTensor) -> String {
  switch tensor {
  case .float32(let tensor): numpyText(tensor)
  case .float64(let tensor): numpyText(tensor)
  }
}

/// An array as numpy 2 prints it with `print`.
package func numpyText<Scalar: TensorScalar>(_ tensor: Tensor<Scalar>) -> String {
  if tensor.shape.isEmpty { return scalarText(tensor.elements[0]) }
  if tensor.elements.isEmpty { return "[]" }
  let layout = ArrayLayout(tensor)
  return layout.text(axis: 0, offset: 0, indent: " ", width: 75)
}

/// A single number as numpy prints its scalars.
private func scalarText<Scalar: TensorScalar>(_ value: Scalar) -> String {
  if value.isNaN { return "nan" }
  let sign = value.sign == .minus ? "-" : ""
  if value.isInfinite { return sign + "inf" }
  let digits = DecimalDigits(value)
  // numpy compares in double precision here, so that the float32 nearest to 0.0001, which is less, counts as less.
  let size = Double(value.magnitude)
  if size == 0 || (size >= 0.0001 && size < (Scalar.elementType == .float32 ? 1e6 : 1e16)) {
    let (whole, fraction) = digits.positional
    return sign + whole + "." + (fraction.isEmpty ? "0" : fraction)
  }
  let (whole, fraction, power) = digits.scientific
  return sign + whole + (fraction.isEmpty ? "" : "." + fraction) + "e" + exponentText(power, digits: 2)
}

private func exponentText(_ power: Int, digits: Int) -> String {
  let text = String(power.magnitude)
  return (power < 0 ? "-" : "+") + String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
}

/// What is shown of an array, and where its lines break.
private struct ArrayLayout<Scalar: TensorScalar> {
  private let tensor: Tensor<Scalar>
  private let isSummarised: Bool
  private let format: NumberFormat<Scalar>
  private static var edge: Int { 3 }

  init(_ tensor: Tensor<Scalar>) {
    self.tensor = tensor
    isSummarised = tensor.elements.count > 1000
    var shown: [Scalar] = []
    Self.collect(tensor, isSummarised, axis: 0, offset: 0, into: &shown)
    format = NumberFormat(shown)
  }

  /// The indices along an axis that are shown before and after the dots.
  private static func places(_ length: Int, _ isSummarised: Bool) -> (leading: Range<Int>, trailing: Range<Int>) {
    isSummarised && length > 2 * edge ? (0..<edge, (length - edge)..<length) : (0..<0, 0..<length)
  }

  private static func collect(
    _ tensor: Tensor<Scalar>, _ isSummarised: Bool, axis: Int, offset: Int, into shown: inout [Scalar]
  ) {
    if axis == tensor.shape.count {
      shown.append(tensor.elements[offset])
      return
    }
    let (leading, trailing) = places(tensor.shape[axis], isSummarised)
    for index in Array(leading) + Array(trailing) {
      collect(
        tensor, isSummarised, axis: axis + 1, offset: offset * tensor.shape[axis] + index, into: &shown)
    }
  }

  /// The text of a part of the array; the first line lacks its indent, which the caller has written.
  func text(axis: Int, offset: Int, indent: String, width: Int) -> String {
    let length = tensor.shape[axis]
    let (leading, trailing) = Self.places(length, isSummarised)
    let axesLeft = tensor.shape.count - axis
    var text = ""
    if axesLeft == 1 {
      var line = indent
      func extend(_ word: String) {
        // A line that holds nothing yet gains nothing from a break.
        if line.utf8.count + word.utf8.count > width - 1, line.utf8.count > indent.utf8.count {
          while line.last == " " { line.removeLast() }
          text += line + "\n"
          line = indent
        }
        line += word
      }
      for index in leading {
        extend(format.text(tensor.elements[offset * length + index]))
        line += " "
      }
      if !leading.isEmpty {
        extend("...")
        line += " "
      }
      for index in trailing {
        extend(format.text(tensor.elements[offset * length + index]))
        if index + 1 < length { line += " " }
      }
      text += line
    } else {
      let separator = String(repeating: "\n", count: axesLeft - 1)
      func nested(_ index: Int) -> String {
        indent + self.text(axis: axis + 1, offset: offset * length + index, indent: indent + " ", width: width - 1)
      }
      for index in leading { text += nested(index) + separator }
      if !leading.isEmpty { text += indent + "..." + separator }
      for index in trailing { text += nested(index) + (index + 1 < length ? separator : "") }
    }
    return "[" + text.dropFirst(indent.count) + "]"
  }
}

/// How all numbers of an array are printed, so that their points stand in one column.
private struct NumberFormat<Scalar: TensorScalar> {
  private let isScientific: Bool
  private var wholeWidth = 0
  private var fractionWidth = 0
  private var exponentWidth = 2

  private static var precision: Int { 8 }

  init(_ values: [Scalar]) {
    let sizes = values.lazy.filter { $0.isFinite && $0 != 0 }.map(\.magnitude)
    if let largest = sizes.max(), let smallest = sizes.min() {
      let cutoff: Scalar.Magnitude = Scalar.elementType == .float32 ? 1e6 : 1e8
      isScientific = largest >= cutoff || smallest < 0.0001 || largest / smallest > 1000
    } else {
      isScientific = false
    }
    var hasNonFinite = false
    var hasNegativeInfinity = false
    for value in values {
      guard value.isFinite else {
        hasNonFinite = true
        if value.isInfinite, value < 0 { hasNegativeInfinity = true }
        continue
      }
      let parts = parts(value)
      wholeWidth = max(wholeWidth, parts.whole.utf8.count)
      fractionWidth = max(fractionWidth, parts.fraction.utf8.count)
      if let power = parts.power { exponentWidth = max(exponentWidth, String(power.magnitude).utf8.count) }
    }
    if hasNonFinite {
      wholeWidth = max(wholeWidth, 3 - tailWidth, 3 + (hasNegativeInfinity ? 1 : 0) - tailWidth)
    }
  }

  /// What stands to the right of the whole part, the point included.
  private var tailWidth: Int { fractionWidth + 1 + (isScientific ? exponentWidth + 2 : 0) }

  func text(_ value: Scalar) -> String {
    guard value.isFinite else {
      let word = value.isNaN ? "nan" : value < 0 ? "-inf" : "inf"
      return spaces(wholeWidth + tailWidth - word.utf8.count) + word
    }
    let (whole, fraction, power) = isScientific ? rounded(value, places: fractionWidth) : parts(value)
    let start = spaces(wholeWidth - whole.utf8.count) + whole + "." + fraction
    guard let power else { return start + spaces(fractionWidth - fraction.utf8.count) }
    return start + "e" + exponentText(power, digits: exponentWidth)
  }

  private func spaces(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }

  /// The shortest digits, or where they are more than 8 after the point, the exact value rounded to these.
  private func parts(_ value: Scalar) -> (whole: String, fraction: String, power: Int?) {
    let sign = value.sign == .minus ? "-" : ""
    let digits = DecimalDigits(value)
    if isScientific {
      let (whole, fraction, power) = digits.scientific
      if fraction.utf8.count <= Self.precision { return (sign + whole, fraction, power) }
      let (roundedWhole, roundedFraction, roundedPower) = rounded(value, places: Self.precision)
      return (roundedWhole, trimmed(roundedFraction[...]), roundedPower)
    }
    let (whole, fraction) = digits.positional
    if fraction.utf8.count <= Self.precision { return (sign + whole, fraction, nil) }
    let halves = RoundedText.positional(Double(value.magnitude), places: Self.precision).split(separator: ".")
    return (sign + halves[0], trimmed(halves[1]), nil)
  }

  /// The exact value to so many digits after the point, as all numbers in powers of ten are shown.
  private func rounded(_ value: Scalar, places: Int) -> (whole: String, fraction: String, power: Int?) {
    let halves = RoundedText.scientific(Double(value.magnitude), places: places).split(separator: "e")
    return (
      (value.sign == .minus ? "-" : "") + halves[0].prefix(1), String(halves[0].dropFirst(2)), Int(halves[1]) ?? 0
    )
  }

  private func trimmed(_ fraction: Substring) -> String {
    var fraction = fraction
    while fraction.last == "0" { fraction.removeLast() }
    return String(fraction)
  }
}
