/// Why a pattern cannot be used.
struct PatternError: Error, Equatable {
  let message: String
}

/// A pattern as a tree. Groups nest at most 64 deep, so walks over it may recurse.
indirect enum PatternTree {
  case scalar(Unicode.Scalar)
  case characters(CharacterClass)
  case start
  case end
  case wordBoundary(isNegated: Bool)
  case sequence([PatternTree])
  case alternatives([PatternTree])
  case repeated(PatternTree, minimum: Int, maximum: Int?)
}

/// Reads the part of ECMA-262's regular expressions that a machine without memory can match.
///
/// Look-around and back-references are refused; capturing groups group, lazy quantifiers repeat.
struct RegularExpressionParser {
  private let scalars: [Unicode.Scalar]
  private var position = 0
  private var depth = 0
  private static let maximumRepetition = 1_000

  init(_ pattern: String) {
    scalars = Array(pattern.unicodeScalars)
  }

  mutating func parse() throws(PatternError) -> PatternTree {
    let tree = try alternatives()
    if position < scalars.count { throw PatternError(message: "there is a `)` without its `(`") }
    return tree
  }

  private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard next == scalar else { return false }
    position += 1
    return true
  }

  private mutating func alternatives() throws(PatternError) -> PatternTree {
    depth += 1
    defer { depth -= 1 }
    guard depth <= 64 else { throw PatternError(message: "its groups are nested more than 64 deep") }
    var branches = [try sequence()]
    while take("|") { branches.append(try sequence()) }
    return branches.count == 1 ? branches[0] : .alternatives(branches)
  }

  private mutating func sequence() throws(PatternError) -> PatternTree {
    var parts: [PatternTree] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      position += 1
      parts.append(try quantified(atom(scalar)))
    }
    return .sequence(parts)
  }

  private mutating func atom(_ scalar: Unicode.Scalar) throws(PatternError) -> PatternTree {
    switch scalar {
    case "^": return .start
    case "$": return .end
    case ".": return .characters(.dot)
    case "[": return .characters(try characterClass())
    case "(": return try group()
    case "\\": return try escape()
    case "*", "+", "?": throw PatternError(message: "there is nothing for `\(scalar)` to repeat")
    default: return .scalar(scalar)
    }
  }

  private mutating func group() throws(PatternError) -> PatternTree {
    if take("?") {
      if take("=") || take("!") { throw PatternError(message: "look-ahead is not supported") }
      if take("<") {
        if next == "=" || next == "!" { throw PatternError(message: "look-behind is not supported") }
        while let scalar = next, scalar != ">" { position += 1 }
        guard take(">") else { throw PatternError(message: "the name of a group has no end") }
      } else if !take(":") {
        throw PatternError(message: "a group begins with `(?` and something unknown")
      }
    }
    let tree = try alternatives()
    guard take(")") else { throw PatternError(message: "there is a `(` without its `)`") }
    return tree
  }

  private mutating func quantified(_ tree: PatternTree) throws(PatternError) -> PatternTree {
    let minimum: Int
    let maximum: Int?
    if take("*") {
      (minimum, maximum) = (0, nil)
    } else if take("+") {
      (minimum, maximum) = (1, nil)
    } else if take("?") {
      (minimum, maximum) = (0, 1)
    } else if next == "{", let bounds = try counts() {
      (minimum, maximum) = bounds
    } else {
      return tree
    }
    _ = take("?")
    if next == "*" || next == "+" || next == "?" { throw PatternError(message: "a quantifier stands after another") }
    return .repeated(tree, minimum: minimum, maximum: maximum)
  }

  /// `{2}`, `{2,}` or `{2,5}`; nil, and nothing taken, where the brace is a plain character.
  private mutating func counts() throws(PatternError) -> (Int, Int?)? {
    let start = position
    position += 1
    guard let minimum = try number() else {
      position = start
      return nil
    }
    var maximum: Int? = minimum
    if take(",") { maximum = try number() }
    guard take("}") else {
      position = start
      return nil
    }
    if let maximum, maximum < minimum {
      throw PatternError(message: "the bounds of `{\(minimum),\(maximum)}` are reversed")
    }
    return (minimum, maximum)
  }

  private mutating func number() throws(PatternError) -> Int? {
    var value: Int?
    while let scalar = next, ("0"..."9").contains(scalar) {
      value = (value ?? 0) * 10 + Int(scalar.value - 48)
      guard value ?? 0 <= Self.maximumRepetition else {
        throw PatternError(message: "something is repeated more than \(Self.maximumRepetition) times")
      }
      position += 1
    }
    return value
  }

  // MARK: Escapes and classes

  private mutating func escape() throws(PatternError) -> PatternTree {
    guard let scalar = next else { throw PatternError(message: "it ends with a `\\`") }
    switch scalar {
    case "b", "B":
      position += 1
      return .wordBoundary(isNegated: scalar == "B")
    case "1"..."9", "k": throw PatternError(message: "back-references are not supported")
    default:
      switch try classEscape() {
      case .range(let range) where range.count == 1:
        guard let single = Unicode.Scalar(range.lowerBound) else {
          throw PatternError(message: "it names half of a surrogate pair")
        }
        return .scalar(single)
      case let item: return .characters(CharacterClass([item]))
      }
    }
  }

  /// What stands after a backslash, inside a class or outside.
  private mutating func classEscape() throws(PatternError) -> CharacterClass.Item {
    guard let scalar = next else { throw PatternError(message: "it ends with a `\\`") }
    position += 1
    switch scalar {
    case "d": return .digit
    case "D": return .not(.digit)
    case "w": return .word
    case "W": return .not(.word)
    case "s": return .space
    case "S": return .not(.space)
    case "p", "P":
      let property = try self.property()
      return scalar == "p" ? .property(property) : .not(.property(property))
    case "t": return single(0x09)
    case "n": return single(0x0A)
    case "v": return single(0x0B)
    case "f": return single(0x0C)
    case "r": return single(0x0D)
    case "b": return single(0x08)
    case "0": return single(0)
    case "c":
      guard let letter = next, letter.isASCII, letter.properties.isAlphabetic else {
        throw PatternError(message: "`\\c` needs a letter")
      }
      position += 1
      return single(letter.value % 32)
    case "x": return single(try hexadecimal(digits: 2))
    case "u": return single(try codePoint())
    case _ where scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil):
      throw PatternError(message: "the escape `\\\(scalar)` is not known")
    default: return single(scalar.value)
    }
  }

  private func single(_ value: UInt32) -> CharacterClass.Item { .range(value...value) }

  private mutating func property() throws(PatternError) -> CharacterClass.Property {
    let unknown = PatternError(message: "`\\p` needs a property that is known here, such as `\\p{L}` or `\\p{Letter}`")
    guard take("{") else { throw unknown }
    var name = String.UnicodeScalarView()
    while let scalar = next, scalar != "}" {
      name.append(scalar)
      position += 1
    }
    guard take("}"), let property = CharacterClass.Property(name: Substring(String(name))) else { throw unknown }
    return property
  }

  private mutating func hexadecimal(digits: Int) throws(PatternError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<digits {
      guard let digit = next.flatMap({ Character($0).hexDigitValue }) else {
        throw PatternError(message: "an escape has too few hexadecimal digits")
      }
      value = value * 16 + UInt32(digit)
      position += 1
    }
    return value
  }

  /// What follows `\u`: four digits, a surrogate pair, or `{…}`.
  private mutating func codePoint() throws(PatternError) -> UInt32 {
    if take("{") {
      var value: UInt32 = 0
      while let digit = next.flatMap({ Character($0).hexDigitValue }) {
        value = value * 16 + UInt32(digit)
        guard value <= 0x10FFFF else { throw PatternError(message: "an escape names no code point") }
        position += 1
      }
      guard take("}") else { throw PatternError(message: "`\\u{` has no end") }
      return value
    }
    let value = try hexadecimal(digits: 4)
    guard (0xD800...0xDBFF).contains(value), next == "\\", position + 1 < scalars.count, scalars[position + 1] == "u"
    else { return value }
    position += 2
    let low = try hexadecimal(digits: 4)
    guard (0xDC00...0xDFFF).contains(low) else { throw PatternError(message: "it names half of a surrogate pair") }
    return 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
  }

  private mutating func characterClass() throws(PatternError) -> CharacterClass {
    let isNegated = take("^")
    var items: [CharacterClass.Item] = []
    while !take("]") {
      let first = try classItem()
      guard next == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else {
        items.append(first)
        continue
      }
      position += 1
      let last = try classItem()
      if case .range(let low) = first, case .range(let high) = last {
        guard low.lowerBound <= high.upperBound else { throw PatternError(message: "the range of a class is reversed") }
        items.append(.range(low.lowerBound...high.upperBound))
      } else {
        items += [first, single(0x2D), last]
      }
    }
    return CharacterClass(items, isNegated: isNegated)
  }

  private mutating func classItem() throws(PatternError) -> CharacterClass.Item {
    guard let scalar = next else { throw PatternError(message: "there is a `[` without its `]`") }
    position += 1
    return scalar == "\\" ? try classEscape() : single(scalar.value)
  }
}
