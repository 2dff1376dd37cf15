import Foundation
import Testing

@Suite("nnrun eval --confusion")
struct EvalTests {
  private let program: Program

  /// Scores of three classes that are the three inputs.
  init() throws {
    program = try Program()
    try program.write(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 3]}}
      layers: [{name: scores, type: dense, weight: [[1, 0, 0], [0, 1, 0], [0, 0, 1]], bias: false}]
      training: {loss: cross-entropy}

      """, to: "m.yaml")
    try program.write(npy([4, 3], [9, 0, 0, 0, 9, 0, 9, 0, 0, 0, 0, 9]), to: "x.npy")
    try program.write(npy([4], [0, 1, 1, 2], type: "<i8"), to: "t.npy")
    try program.write("cat\ndog\nbird\n", to: "labels.txt")
  }

  @Test("counts what was taken for what, by rows of true classes, for people and for programs")
  func counts() throws {
    defer { program.remove() }
    let line = "nnrun eval m.yaml --input x.npy --target t.npy --confusion --labels labels.txt"
    let result = try program.shell(line)
    #expect(result.status == 0, "\(result.errors)")
    let table = result.output.components(separatedBy: "\n\n").last ?? ""
    #expect(
      table == """
        true \\ predicted    0     1     2  recall
        0 cat               1     .     .    100%
        1 dog               1     1     .     50%
        2 bird              .     .     1    100%
        precision         50%  100%  100%

        """, "\(result.output)")
    let json = try program.shell(line + " --json")
    let object = try JSONSerialization.jsonObject(with: json.outputBytes) as? [String: Any]
    let confusion = object?["confusion"] as? [String: Any]
    #expect(confusion?["matrix"] as? [[Int]] == [[1, 0, 0], [1, 1, 0], [0, 0, 1]])
    #expect(confusion?["labels"] as? [String] == ["cat", "dog", "bird"])
    #expect(object?["accuracy"] as? Double == 0.75)
  }

  @Test("labels without a table, too few labels, and an output without classes are mistakes")
  func mistakes() throws {
    defer { program.remove() }
    #expect(try program.shell("nnrun eval m.yaml --input x.npy --target t.npy --labels labels.txt").status == 64)
    try program.write("cat\n", to: "labels.txt")
    #expect(
      try program.shell("nnrun eval m.yaml --input x.npy --target t.npy --confusion --labels labels.txt").status == 65)
    let values = try program.shell("nnrun eval m.yaml --input x.npy --target x.npy --loss mse --confusion")
    #expect(values.status == 64 && values.errors.contains("no output"), "\(values.errors)")
  }
}
