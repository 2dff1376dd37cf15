/// What is wrong with the text of a header.
struct HeaderProblem: Error {
  let message: String
}

/// A reader of a header's text: what Python's literals and JSON have in common.
protocol HeaderScanner {
  /// What has not been read yet.
  var rest: ArraySlice<UInt8> { get set }
}

extension HeaderScanner {
  mutating func skipSpace() {
    while let byte = rest.first, byte == 0x20 || byte == 0x0A || byte == 0x09 || byte == 0x0D {
      rest = rest.dropFirst()
    }
  }

  /// Reads over a character, and space before it; false where it is not there.
  mutating func accept(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard rest.first == UInt8(ascii: character) else { return false }
    rest = rest.dropFirst()
    return true
  }

  /// Reads over a character that has to be there.
  mutating func expect(_ character: Unicode.Scalar) throws(HeaderProblem) {
    guard accept(character) else { throw HeaderProblem(message: "'\(character)' is missing") }
  }
}
