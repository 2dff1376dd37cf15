/// A set of code points, as `[a-z]`, `\d`, `\p{L}` and `.` write it.
struct CharacterClass {
  enum Item {
    case range(ClosedRange<UInt32>)
    case digit
    case word
    case space
    case property(Property)
    indirect case not(Item)
  }

  enum Property {
    case categories(Set<Unicode.GeneralCategory>)
    case alphabetic
    case lowercase
    case uppercase
    case whiteSpace
    case any
  }

  private let items: [Item]
  private let isNegated: Bool
  /// The answers for ASCII, a bit each.
  private var lowBits: UInt64 = 0
  private var highBits: UInt64 = 0

  init(_ items: [Item], isNegated: Bool = false) {
    self.items = items
    self.isNegated = isNegated
    for item in items {
      // A range is asked for what is in it only.
      var values = UInt8(0)...127
      if case .range(let range) = item {
        guard range.lowerBound < 128 else { continue }
        values = UInt8(range.lowerBound)...UInt8(min(range.upperBound, 127))
      }
      for value in values where item.contains(Unicode.Scalar(value)) {
        if value < 64 { lowBits |= 1 << UInt64(value) } else { highBits |= 1 << UInt64(value - 64) }
      }
    }
    if isNegated { (lowBits, highBits) = (~lowBits, ~highBits) }
  }

  /// `.`: everything but line terminators.
  static var dot: CharacterClass {
    CharacterClass([.range(0x0A...0x0A), .range(0x0D...0x0D), .range(0x2028...0x2029)], isNegated: true)
  }

  func contains(_ scalar: Unicode.Scalar) -> Bool {
    let value = scalar.value
    if value < 64 { return lowBits >> UInt64(value) & 1 == 1 }
    if value < 128 { return highBits >> UInt64(value - 64) & 1 == 1 }
    return slowContains(scalar)
  }

  private func slowContains(_ scalar: Unicode.Scalar) -> Bool {
    items.contains { $0.contains(scalar) } != isNegated
  }

  /// Whether the code point is one of `\w`.
  static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x30...0x39, 0x41...0x5A, 0x5F, 0x61...0x7A: true
    default: false
    }
  }
}

extension CharacterClass.Item {
  fileprivate func contains(_ scalar: Unicode.Scalar) -> Bool {
    switch self {
    case .range(let range): return range.contains(scalar.value)
    case .digit: return (0x30...0x39).contains(scalar.value)
    case .word: return CharacterClass.isWord(scalar)
    case .space:
      switch scalar.value {
      case 0x09...0x0D, 0x20, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF: return true
      default: return false
      }
    case .property(let property):
      switch property {
      case .categories(let categories): return categories.contains(scalar.properties.generalCategory)
      case .alphabetic: return scalar.properties.isAlphabetic
      case .lowercase: return scalar.properties.isLowercase
      case .uppercase: return scalar.properties.isUppercase
      case .whiteSpace: return scalar.properties.isWhitespace
      case .any: return true
      }
    case .not(let item): return !item.contains(scalar)
    }
  }
}

extension CharacterClass.Property {
  /// The property that `\p{name}` means, if it is known: a general category or one of a few binary properties.
  init?(name: Substring) {
    let bare =
      ["General_Category=", "gc="].lazy.compactMap { name.hasPrefix($0) ? name.dropFirst($0.count) : nil }.first
      ?? name
    switch bare {
    case "Any": self = .any
    case "Alphabetic", "Alpha": self = .alphabetic
    case "Lowercase", "Lower": self = .lowercase
    case "Uppercase", "Upper": self = .uppercase
    case "White_Space", "space": self = .whiteSpace
    default:
      guard let categories = Self.categories(bare) else { return nil }
      self = .categories(categories)
    }
  }

  private static func categories(_ name: Substring) -> Set<Unicode.GeneralCategory>? {
    let rows: [(String, String, Unicode.GeneralCategory)] = [
      ("Lu", "Uppercase_Letter", .uppercaseLetter), ("Ll", "Lowercase_Letter", .lowercaseLetter),
      ("Lt", "Titlecase_Letter", .titlecaseLetter), ("Lm", "Modifier_Letter", .modifierLetter),
      ("Lo", "Other_Letter", .otherLetter), ("Mn", "Nonspacing_Mark", .nonspacingMark),
      ("Mc", "Spacing_Mark", .spacingMark), ("Me", "Enclosing_Mark", .enclosingMark),
      ("Nd", "Decimal_Number", .decimalNumber), ("Nl", "Letter_Number", .letterNumber),
      ("No", "Other_Number", .otherNumber), ("Pc", "Connector_Punctuation", .connectorPunctuation),
      ("Pd", "Dash_Punctuation", .dashPunctuation), ("Ps", "Open_Punctuation", .openPunctuation),
      ("Pe", "Close_Punctuation", .closePunctuation), ("Pi", "Initial_Punctuation", .initialPunctuation),
      ("Pf", "Final_Punctuation", .finalPunctuation), ("Po", "Other_Punctuation", .otherPunctuation),
      ("Sm", "Math_Symbol", .mathSymbol), ("Sc", "Currency_Symbol", .currencySymbol),
      ("Sk", "Modifier_Symbol", .modifierSymbol), ("So", "Other_Symbol", .otherSymbol),
      ("Zs", "Space_Separator", .spaceSeparator), ("Zl", "Line_Separator", .lineSeparator),
      ("Zp", "Paragraph_Separator", .paragraphSeparator), ("Cc", "Control", .control), ("Cf", "Format", .format),
      ("Cs", "Surrogate", .surrogate), ("Co", "Private_Use", .privateUse), ("Cn", "Unassigned", .unassigned),
    ]
    let groups = [
      "Letter": "L", "Mark": "M", "Number": "N", "Punctuation": "P", "Symbol": "S", "Separator": "Z", "Other": "C",
    ]
    let wanted = groups[String(name)].map { Substring($0) } ?? name
    if wanted == "digit" { return [.decimalNumber] }
    if wanted == "punct" { return categories("P") }
    let found = rows.filter { $0.0 == wanted || $0.1 == wanted || (wanted.utf8.count == 1 && $0.0.hasPrefix(wanted)) }
    return found.isEmpty ? nil : Set(found.map(\.2))
  }
}
