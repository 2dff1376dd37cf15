import Diagnostics
import ModelFile

/// The names of classes, a line each.
struct ClassNames {
  private let names: [String]

  /// Reads the names. Throws where the file cannot be read.
  init(path: String) throws(Failure) {
    let bytes = try readTextFile(path)
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    names = lines.map { line in
      let isCRLF = line.last == UInt8(ascii: "\r")
      return String(decoding: isCRLF ? line.dropLast() : line, as: UTF8.self)
    }
  }

  /// How many there are.
  var count: Int { names.count }

  /// The name of a class.
  subscript(index: Int) -> String { names.indices.contains(index) ? names[index] : "\(index)" }
}
