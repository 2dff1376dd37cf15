import ArgumentParser
import Testing

@testable import NNRunCLI

@Suite("Plain command lines, which are read without ArgumentParser")
struct PlainRunTests {
  static let lines = [
    "model.yaml", "model.yaml --input x.npy", "--input x.npy model.yaml", "m -i x.npy --quiet --threads 2",
    "m --input a=x.npy --input b=y.npy -q", "m -i x.npy -o r.npy", "m --input x.npy --output r.npz --trace t.npz",
    "m --input x.npy --top 3 --labels names.txt --json", "m --input x.npy --json --batch-size 16 --threads 1",
    "m --top +2 -i x.npy",
  ]

  @Test("mean what ArgumentParser takes them for", arguments: lines)
  func same(line: String) throws {
    let words = line.split(separator: " ").map(String.init)
    #expect(try #require(ModelRun(plain: words)) == RunCommand.parse(words).request)
  }

  @Test(
    "are left to it where there is more to them",
    arguments: [
      "", "m --help", "m --version", "m --input", "m --input --json", "m -i -", "m n", "m --input=x.npy", "m --jsonn",
      "m --top 0", "m --top x", "m --top 1 --top 2", "m --json --json", "m --labels names.txt", "m -- x", "m -qj",
      "m --color never", "m --max-memory 1G", "m --threads 0", "m --threads -1", "m --output r.txt", "m --trace t.npy",
      "m --output r.npy --json", "--generate-completion-script bash",
    ])
  func others(line: String) {
    #expect(ModelRun(plain: line.split(separator: " ").map(String.init)) == nil)
  }
}
