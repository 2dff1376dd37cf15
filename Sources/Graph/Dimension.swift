/// The length of one axis: a number, or an expression of the symbols whose sizes are known when data arrives.
///
/// Convolutions and poolings turn a size s into floor((s + a) / q), and such expressions are closed under further
/// convolutions: floor((floor((s + a) / q) + b) / r) = floor((s + a + b q) / (q r)). So a whole network's symbolic
/// sizes stay in that one form, where equal means equal.
public enum Dimension: Hashable, Sendable {
  /// A known length.
  case fixed(Int)
  /// floor((symbol + offset) / divisor), with divisor at least 1.
  case quotient(symbol: String, offset: Int, divisor: Int)
  /// A product of lengths, sorted, the fixed ones multiplied into `factor`.
  indirect case product(factor: Int, [Dimension])
  /// A sum of lengths, sorted, the fixed ones added into `addend`.
  indirect case sum(addend: Int, [Dimension])

  /// A symbol by itself.
  public static func symbol(_ name: String) -> Dimension { .quotient(symbol: name, offset: 0, divisor: 1) }

  /// The length, where it is known.
  public var value: Int? {
    if case .fixed(let value) = self { value } else { nil }
  }
}

extension Dimension: CustomStringConvertible {
  public var description: String {
    switch self {
    case .fixed(let value): return "\(value)"
    case .quotient(let symbol, let offset, let divisor):
      let inner = offset == 0 ? symbol : offset > 0 ? "\(symbol)+\(offset)" : "\(symbol)-\(-offset)"
      if divisor == 1 { return inner }
      return offset == 0 ? "\(inner)/\(divisor)" : "(\(inner))/\(divisor)"
    case .product(let factor, let parts):
      let texts = parts.map { part in
        if case .sum = part { return "(\(part))" }
        if case .quotient(_, let offset, let divisor) = part, offset != 0, divisor == 1 { return "(\(part))" }
        return "\(part)"
      }
      return ((factor == 1 ? [] : ["\(factor)"]) + texts).joined(separator: "*")
    case .sum(let addend, let parts):
      return (parts.map(\.description) + (addend == 0 ? [] : ["\(addend)"])).joined(separator: "+")
    }
  }
}

extension Dimension {
  /// floor((self + addend) / divisor), checked for overflow; a known result may be zero or negative.
  public func addingThenDividing(_ addend: Int, by divisor: Int = 1) throws(ShapeError) -> Dimension {
    switch self {
    case .fixed(let value):
      let (sum, overflow) = value.addingReportingOverflow(addend)
      guard !overflow else { throw .overflow }
      return .fixed(floorDivide(sum, divisor))
    case .quotient(let symbol, let offset, let inner):
      let (shift, overflow1) = addend.multipliedReportingOverflow(by: inner)
      let (newOffset, overflow2) = offset.addingReportingOverflow(shift)
      let (newDivisor, overflow3) = inner.multipliedReportingOverflow(by: divisor)
      guard !overflow1, !overflow2, !overflow3 else { throw .overflow }
      return .quotient(symbol: symbol, offset: newOffset, divisor: newDivisor)
    case .product, .sum:
      if addend == 0, divisor == 1 { return self }
      throw ShapeError("the size \(self) is not known well enough here; give the input a number instead of a symbol")
    }
  }

  /// The product of lengths.
  public static func multiplied(_ dimensions: [Dimension]) throws(ShapeError) -> Dimension {
    var factor = 1
    var parts: [Dimension] = []
    func include(_ value: Int) throws(ShapeError) {
      let (product, overflow) = factor.multipliedReportingOverflow(by: value)
      guard !overflow else { throw .overflow }
      factor = product
    }
    for dimension in dimensions {
      switch dimension {
      case .fixed(let value): try include(value)
      case .product(let inner, let more):
        try include(inner)
        parts += more
      default: parts.append(dimension)
      }
    }
    if parts.isEmpty || factor == 0 { return .fixed(factor) }
    if factor == 1, parts.count == 1 { return parts[0] }
    return .product(factor: factor, parts.sorted { $0.description < $1.description })
  }

  /// The sum of lengths.
  public static func added(_ dimensions: [Dimension]) throws(ShapeError) -> Dimension {
    var addend = 0
    var parts: [Dimension] = []
    func include(_ value: Int) throws(ShapeError) {
      let (sum, overflow) = addend.addingReportingOverflow(value)
      guard !overflow else { throw .overflow }
      addend = sum
    }
    for dimension in dimensions {
      switch dimension {
      case .fixed(let value): try include(value)
      case .sum(let inner, let more):
        try include(inner)
        parts += more
      default: parts.append(dimension)
      }
    }
    if parts.isEmpty { return .fixed(addend) }
    if addend == 0, parts.count == 1 { return parts[0] }
    return .sum(addend: addend, parts.sorted { $0.description < $1.description })
  }

  /// The length once the symbols' sizes are known; symbols without a size stay.
  public func bound(_ sizes: [String: Int]) throws(ShapeError) -> Dimension {
    switch self {
    case .fixed: return self
    case .quotient(let symbol, let offset, let divisor):
      guard let size = sizes[symbol] else { return self }
      return try Dimension.fixed(size).addingThenDividing(offset, by: divisor)
    case .product(let factor, let parts):
      var bound: [Dimension] = [.fixed(factor)]
      for part in parts { bound.append(try part.bound(sizes)) }
      return try .multiplied(bound)
    case .sum(let addend, let parts):
      var bound: [Dimension] = [.fixed(addend)]
      for part in parts { bound.append(try part.bound(sizes)) }
      return try .added(bound)
    }
  }

  /// Whether some sizes of the symbols make the two lengths the same.
  public func mayEqual(_ other: Dimension) -> Bool {
    switch (self, other) {
    case (.fixed(let left), .fixed(let right)): return left == right
    case (.quotient(let left, let a, let q), .quotient(let right, let b, let r)) where left == right && q == r:
      return abs(a - b) < q
    default: return true
    }
  }
}

/// The quotient rounded down, for a positive divisor.
func floorDivide(_ value: Int, _ divisor: Int) -> Int {
  value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor)
}
