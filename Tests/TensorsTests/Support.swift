import Diagnostics
import Files
import Foundation
import Testing

@testable import Tensors

/// A file beside the tests.
func fixture(_ name: String) -> FilePath {
  FilePath(URL(filePath: #filePath).deletingLastPathComponent().path + "/Fixtures/" + name)
}

func fixtureBytes(_ name: String) throws -> [UInt8] { try readWholeFile(fixture(name), limit: 1 << 24) }

/// A file of arrays that exists only in memory.
func arrayFile(_ bytes: [UInt8], suffix: String = "") throws -> ArrayFile {
  try ArrayFile(InputFile(name: "test", bytes: bytes), suffix: suffix)
}

extension ArrayFile {
  /// The only array.
  func array() throws -> ArraySource {
    guard case .array(let source) = self else { throw Failure(.usage, "not one array") }
    return source
  }

  /// The archive.
  func archive() throws -> ArrayArchive {
    guard case .archive(let archive) = self else { throw Failure(.usage, "not an archive") }
    return archive
  }

  /// The file with changes, as bytes.
  func rewritten(
    _ replacements: [String: AnyTensor], adding additions: [(key: String, value: AnyTensor)] = []
  ) throws -> [UInt8] {
    let sink = MemorySink()
    try rewrite(replacing: replacements, adding: additions, to: sink)
    return sink.bytes
  }
}

/// The message of the failure that `body` must end with.
func failure(
  _ kind: Failure.Kind = .invalidData, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) -> String {
  do {
    try body()
    Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    return ""
  } catch let failure as Failure {
    #expect(failure.kind == kind, "\(failure.message)", sourceLocation: sourceLocation)
    return failure.message
  } catch {
    Issue.record(error, sourceLocation: sourceLocation)
    return ""
  }
}

/// Numbers that are the same in every run.
struct Dice: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed &+ 0x9E37_79B9_7F4A_7C15 }
  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
