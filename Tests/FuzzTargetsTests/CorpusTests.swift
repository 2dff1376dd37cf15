import FuzzTargets
import Foundation
import Testing

/// The seeds and the inputs that once broke something, `Tests/Fuzz/Corpus/*`, through the fuzz targets: a broken
/// promise ends the process.
@Suite("Inputs that fuzzing found")
struct CorpusTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fuzz/Corpus")

  @Test("every target takes its inputs, and none is slow", arguments: FuzzTarget.allCases)
  func replay(_ target: FuzzTarget) throws {
    let files = try FileManager.default.contentsOfDirectory(
      at: Self.folder.appending(path: target.corpus), includingPropertiesForKeys: nil)
    #expect(!files.isEmpty)
    for file in files.sorted(by: { $0.path < $1.path }) {
      let bytes = [UInt8](try Data(contentsOf: file))
      let start = clock()
      target.run(bytes)
      // Processor time, so that a busy machine does not count.
      #expect(Double(clock() - start) / Double(CLOCKS_PER_SEC) < 5, "\(file.lastPathComponent)")
    }
  }
}
