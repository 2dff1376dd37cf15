import Communication
import Diagnostics
import Files
import ModelFile
import Tensors
import Training

/// What must be the same at every rank: the program, its words, the model and the data, each by a checksum.
struct JobCheck {
  private var facts: [(what: String, value: String)] = []

  private init(_ words: [String]) throws(Failure) {
    var checksum = CRC32()
    checksum.update(try readWholeFile("/proc/self/exe", limit: 1 << 30))
    facts.append(("program", "version \(programVersion), checksum \(Self.text(checksum.value))"))
    facts.append(("instruction set (NNRUN_ISA=baseline makes it the same on all processors)", kernelInstructionSet))
    facts.append(("command line", Self.text(words)))
  }

  /// Takes in a model: its text and the values of its parameters.
  private mutating func add(_ model: Model) throws(Failure) {
    var checksum = CRC32()
    for index in model.parameters.indices {
      // Drawn ones follow from the text.
      if case .drawn = model.parameters[index].origin { continue }
      checksum.update(try model.value(of: index).littleEndianBytes)
    }
    facts.append(("model \(printable(model.path))", Self.text(model.source.bytes)))
    facts.append(("weights of \(printable(model.path))", Self.text(checksum.value)))
  }

  /// Takes in arrays.
  private mutating func add(_ arrays: [ArraySource]) throws(Failure) {
    for array in arrays { facts.append(("data \(array.name)", Self.text(try array.sampleChecksum()))) }
  }

  /// Finds out whether all ranks run the same program on the same model and data.
  static func compare(_ model: Model, _ arrays: [ArraySource]) throws {
    if Job.communicator.isAlone { return }
    let check = try Job.agree {
      var check = try JobCheck(Main.arguments())
      try check.add(model)
      try check.add(arrays)
      return check
    }
    try check.compare()
  }

  /// Compares every rank's facts with rank 0's. Throws where one differs, which is found and said at rank 0.
  private func compare() throws {
    let communicator = Job.communicator
    let own = facts.map { "\($0.what)\u{0}\($0.value)" }.joined(separator: "\u{1}")
    let all = try communicator.gather(Array((communicator.name + "\u{1}" + own).utf8))
    try Job.agree {
      for bytes in all.dropFirst() {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\u{1}", omittingEmptySubsequences: false)
        for (line, fact) in zip(lines.dropFirst(), facts) where line != "\(fact.what)\u{0}\(fact.value)" {
          let value = line.split(separator: "\u{0}").last.map(String.init) ?? "something else"
          throw Failure(
            .invalidData,
            "\(lines[0]) has another \(fact.what): \(value), but \(fact.value) here; every rank needs the same program, "
              + "command line and files")
        }
      }
    }
  }

  private static func text(_ bytes: [UInt8]) -> String {
    var checksum = CRC32()
    checksum.update(bytes)
    return text(checksum.value)
  }

  private static func text(_ words: [String]) -> String { text(Array(words.joined(separator: "\u{0}").utf8)) }

  private static func text(_ checksum: UInt32) -> String {
    let digits = String(checksum, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}
