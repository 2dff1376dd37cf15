import NNRun

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A number with so many decimals; in powers of ten where it is too large or too small to show that way.
func decimal(_ value: Double, digits: Int) -> String {
  guard value.isFinite else { return "\(value)" }
  let unit = pow(10, Double(digits))
  guard value.magnitude < 1e9, value == 0 || value.magnitude * unit >= 1 else { return scientific(value) }
  let scaled = Int((value.magnitude * unit).rounded())
  let fraction = String(scaled % Int(unit))
  let sign = value < 0 ? "-" : ""
  return "\(sign)\(scaled / Int(unit))." + String(repeating: "0", count: digits - fraction.count) + fraction
}

/// A number in powers of ten with three digits: `1.23e-07`.
func scientific(_ value: Double) -> String {
  guard value.isFinite, value != 0 else { return "\(value)" }
  var exponent = Int(floor(log10(value.magnitude)))
  var mantissa = (value.magnitude / pow(10, Double(exponent)) * 100).rounded()
  if mantissa >= 1000 {
    mantissa /= 10
    exponent += 1
  }
  let digits = Int(mantissa)
  let fraction = digits % 100
  return
    "\(value < 0 ? "-" : "")\(digits / 100).\(fraction < 10 ? "0" : "")\(fraction)e\(exponent < 0 ? "-" : "+")\(abs(exponent) < 10 ? "0" : "")\(abs(exponent))"
}

/// A stretch of time as people say it: `42 s`, `3 min 20 s`, `2 h 5 min`.
func duration(_ seconds: Double) -> String {
  guard seconds.isFinite, seconds < 1e8 else { return "?" }
  let whole = Int(seconds.rounded())
  if whole < 60 { return "\(whole) s" }
  if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
  return "\(whole / 3600) h \(whole % 3600 / 60) min"
}

/// A short stretch of time with three digits: `0.842 ms`, `27.1 ns`.
func shortTime(_ seconds: Double) -> String {
  guard seconds.isFinite, seconds >= 0 else { return "?" }
  for (unit, size) in [("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)] where seconds >= size * 0.9995 {
    return threeDigits(seconds / size) + " " + unit
  }
  return threeDigits(seconds / 1e-9) + " ns"
}

/// A number of bytes with three digits: `15.3 MB`.
func bytes(_ count: Int) -> String {
  for (unit, size) in [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)] where Double(count) >= size * 0.9995 {
    return threeDigits(Double(count) / size) + " " + unit
  }
  return "\(count) bytes"
}

/// A number with three digits or all before its point: `0.84`, `8.42`, `84.2`, `8,420`.
func threeDigits(_ value: Double) -> String {
  if value < 9.995 { return decimal(value, digits: value < 0.9995 && value > 0 ? 3 : 2) }
  return value < 99.95 ? decimal(value, digits: 1) : value < 1e15 ? grouped(Int(value.rounded())) : scientific(value)
}
