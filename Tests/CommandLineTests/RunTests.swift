import Foundation
import Testing

@Suite("nnrun MODEL --input x.npy")
struct RunTests {
  private let program: Program

  init() throws {
    program = try Program()
    try program.write(neuron, to: "neuron.yaml")
    try program.write(sum, to: "sum.yaml")
    try program.write(npy([3, 2], [1, 2, 2, 1, -1, -2]), to: "x.npy")
    try program.write(npy([2], [1, 2]), to: "row.npy")
    try program.write(npy([1, 2], [3, -8]), to: "b.npy")
    try program.write(npy([0, 2], []), to: "none.npy")
  }

  @Test("prints the result as numpy prints an array")
  func text() throws {
    defer { program.remove() }
    let result = try program.shell("nnrun neuron.yaml --input x.npy")
    #expect(result.status == 0)
    #expect(
      result.output == "[[0.4255575]\n [0.5      ]\n [0.5744425]]\n"
        || result.output == "[[0.42555746]\n [0.5       ]\n [0.5744425 ]]\n")
    #expect(result.errors == "")
  }

  @Test(
    "takes arrays in every way that it names",
    arguments: [
      "nnrun neuron.yaml --input x.npy --json", "nnrun run neuron.yaml --input x=x.npy --json",
      "nnrun neuron.yaml -i - --json < x.npy", "nnrun neuron.yaml --input=x.npy --json --batch-size 2 --threads 2",
      "nnrun neuron.yaml --input x.npy --output r.json && cat r.json",
    ])
  func inputs(line: String) throws {
    defer { program.remove() }
    let result = try program.shell(line)
    #expect(result.status == 0, "\(result.errors)")
    let object = try JSONSerialization.jsonObject(with: result.outputBytes) as? [String: [[Double]]]
    let scores = try #require(object?["out"]).map { $0[0] }
    for (score, expected) in zip(scores, [0.4255574831883411, 0.5, 0.574442516811659]) {
      #expect(abs(score - expected) < 1e-7)
    }
    #expect(scores.count == 3)
  }

  @Test("an array without the batch's axis is a batch of one, and the result comes without it")
  func unbatched() throws {
    defer { program.remove() }
    #expect(try program.shell("nnrun neuron.yaml --input row.npy --json").output.hasPrefix("{\"out\": [0.42555"))
  }

  @Test("several inputs and outputs go by their names")
  func several() throws {
    defer { program.remove() }
    let result = try program.shell("nnrun sum.yaml --input b=b.npy --input a=b.npy --json")
    #expect(result.output == "{\"total\": [[6.0, -16.0]], \"positive\": [[6.0, 0.0]]}\n")
    let csv = try program.shell("nnrun sum.yaml --input b=b.npy --input a=b.npy --output r.csv && cat r.csv")
    #expect(csv.output == "total[0],total[1],positive[0],positive[1]\n6.0,-16.0,6.0,0.0\n", "\(csv.errors)")
  }

  @Test("no rows give an empty result of the right shape")
  func noRows() throws {
    defer { program.remove() }
    let result = try program.shell("nnrun neuron.yaml --input none.npy --output -")
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("(0, 1)"))
  }

  @Test("the best classes, by number or by name; of equal ones the first")
  func top() throws {
    defer { program.remove() }
    try program.write("cat\r\ndog\r\n", to: "labels.txt")
    let line = "nnrun sum.yaml --input a=b.npy --input b=b.npy --top 1 --labels labels.txt"
    #expect(try program.shell(line).output == "total:\n0: cat 6.0000\npositive:\n0: cat 6.0000\n")
    try program.write("cat\n", to: "labels.txt")
    #expect(try program.shell(line).status == 65)
  }

  @Test("--trace keeps every layer's value under its path")
  func trace() throws {
    defer { program.remove() }
    let result = try program.shell(
      "nnrun sum.yaml --input a=b.npy --input b=b.npy --trace t.npz && nnrun again.yaml --input t.npz")
    #expect(result.status == 66)
    try program.write(
      "nnrun: 1\ninputs: {positive: {shape: [N, 2]}}\nlayers: [{name: y, type: relu}]\n", to: "again.yaml")
    #expect(try program.shell("nnrun again.yaml --input t.npz --json").output == "{\"y\": [[6.0, 0.0]]}\n")
  }

  @Test(
    "mistakes end with the status that the command line documents, and a message",
    arguments: [
      ("nnrun neuron.yaml", Int32(64), "--input"),
      ("nnrun neuron.yaml --input y=x.npy", 64, "no input `y`"),
      ("nnrun sum.yaml --input a=b.npy", 64, "`b` is missing"),
      ("nnrun sum.yaml --input b.npy", 64, "2 inputs"),
      ("nnrun neuron.yaml --input x.npy --input x.npy", 64, "twice"),
      ("nnrun neuron.yaml --input x.npy --output r.txt", 64, ".npy"),
      ("nnrun sum.yaml --input a=b.npy --input b=b.npy --output r.npy", 64, "2 outputs"),
      ("nnrun neuron.yaml --input x.npy --top 0", 64, "--top"),
      ("nnrun neuron.yaml --input x.npy --frobnicate", 64, "--frobnicate"),
      ("nnrun neuron.yaml --input nothing.npy", 66, "nothing.npy"),
      ("nnrun nothing.yaml --input x.npy", 66, "nothing.yaml"),
      ("nnrun validat", 66, "nnrun validate"),
      ("nnrun . --input x.npy", 66, "folder"),
      ("nnrun neuron.yaml --input neuron.yaml", 65, "neuron.yaml"),
      ("nnrun sum.yaml --input a=b.npy --input b=x.npy", 65, "`N`"),
      ("nnrun sum.yaml --input a=row.npy --input b=x.npy", 65, "first axis"),
      ("nnrun x.npy --input x.npy", 65, "x.npy"),
      ("nnrun neuron.yaml --input x.npy --output nowhere/r.npy", 73, "nowhere"),
      ("nnrun neuron.yaml --input x.npy > /dev/full", 74, "standard output"),
    ])
  func mistakes(line: String, status: Int32, words: String) throws {
    defer { program.remove() }
    let result = try program.shell(line)
    #expect(result.status == status, "\(result.errors)")
    #expect(result.errors.contains(words), "\(result.errors)")
    #expect(result.output == "")
  }

  @Test("closed standard streams reach no file of the user's, and a result or input that is lost by them is an error")
  func closedStreams() throws {
    defer { program.remove() }
    for line in [
      "nnrun neuron.yaml --input x.npy >&-", "nnrun neuron.yaml --input x.npy --output - >&-", "nnrun schema >&-",
    ] {
      let result = try program.shell(line)
      #expect(result.status == 74 && result.errors.contains("closed"), "\(line): \(result.errors)")
    }
    let input = try program.shell("nnrun neuron.yaml --input - <&-")
    #expect(input.status == 66 && input.errors.contains("closed"), "\(input.errors)")
    #expect(try program.shell("nnrun neuron.yaml --input x.npy 2>&-").status == 0)
    #expect(try program.shell("nnrun missing.yaml --input x.npy 2>&-").status == 66)
    #expect(try program.shell("nnrun neuron.yaml --input x.npy --output r.npy <&- >&- 2>&-").status == 0)
    #expect(try program.read("r.npy").starts(with: [0x93] + Array("NUMPY".utf8)))
  }

  @Test("an output that exists is replaced, and a pipe that closes early is no crash")
  func replacing() throws {
    defer { program.remove() }
    try program.write("old", to: "r.npy")
    #expect(try program.shell("nnrun neuron.yaml --input x.npy --output r.npy").status == 0)
    #expect(try program.read("r.npy").count > 100)
    #expect(try program.shell("nnrun schema | head -c 1").output == "{")
  }

  @Test("drawn weights run, and are said in one line unless asked for quiet")
  func drawn() throws {
    defer { program.remove() }
    try program.write(
      "nnrun: 1\ninputs: {x: {shape: [N, 2]}}\nlayers: [{name: d, type: dense, units: 3}]\n", to: "drawn.yaml")
    let result = try program.shell("nnrun drawn.yaml --input x.npy")
    #expect(result.status == 0 && result.errors.split(separator: "\n").count == 1 && result.errors.contains("drawn"))
    #expect(try program.shell("nnrun drawn.yaml --input x.npy --quiet").errors == "")
  }
}
