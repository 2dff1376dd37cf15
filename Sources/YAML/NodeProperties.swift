import Diagnostics

/// Where the anchor and the tag in front of a value stand, and where the value itself begins.
struct NodeProperties {
  private(set) var anchor: SourceRange?
  private(set) var tag: SourceRange?
  private(set) var contentStart: Int

  /// Reads over the properties that begin at `start`; libyaml has already said which there are.
  init(in bytes: [UInt8], at start: Int, hasAnchor: Bool, hasTag: Bool) {
    contentStart = start
    for _ in 0..<((hasAnchor ? 1 : 0) + (hasTag ? 1 : 0)) {
      contentStart = Self.skipSpace(bytes, contentStart)
      guard contentStart < bytes.count else { return }
      let from = contentStart
      switch bytes[from] {
      case UInt8(ascii: "&"):
        contentStart = Self.skip(bytes, from + 1) { Self.isNameByte($0) }
        anchor = SourceRange(start: from, end: contentStart)
      case UInt8(ascii: "!"):
        if from + 1 < bytes.count, bytes[from + 1] == UInt8(ascii: "<") {
          contentStart = min(Self.skip(bytes, from) { $0 != UInt8(ascii: ">") } + 1, bytes.count)
        } else {
          contentStart = Self.skip(bytes, from) { !Self.isSpace($0) && $0 != UInt8(ascii: ",") }
        }
        tag = SourceRange(start: from, end: contentStart)
      default: return
      }
    }
    contentStart = Self.skipSpace(bytes, contentStart)
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
  }

  private static func skip(_ bytes: [UInt8], _ start: Int, while holds: (UInt8) -> Bool) -> Int {
    var index = start
    while index < bytes.count, holds(bytes[index]) { index += 1 }
    return index
  }

  /// Skips blanks, line breaks and comments.
  private static func skipSpace(_ bytes: [UInt8], _ start: Int) -> Int {
    var index = skip(bytes, start, while: isSpace)
    while index < bytes.count, bytes[index] == UInt8(ascii: "#"), index > 0, isSpace(bytes[index - 1]) {
      index = skip(bytes, index) { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
      index = skip(bytes, index, while: isSpace)
    }
    return index
  }
}
