import Foundation
import Testing

private let untidy = "nnrun: 1\nlayers: [{type: relu, name: a}]  # one layer\ninputs: {x: {shape: [N, 2]}}\n"
private let tidy = """
  nnrun: 1
  inputs: {x: {shape: [N, 2]}}
  layers:  # one layer
    - {name: a, type: relu}

  """

@Suite("nnrun fmt")
struct FmtTests {
  private let program: Program

  init() throws {
    program = try Program()
    try program.write(untidy, to: "a.yaml")
  }

  private func text(_ name: String) throws -> String { String(decoding: try program.read(name), as: UTF8.self) }

  @Test("rewrites a file in place once, through a link, and keeps its mode")
  func rewrites() throws {
    defer { program.remove() }
    let first = try program.shell(
      "chmod 640 a.yaml && ln -s a.yaml link.yaml && nnrun fmt link.yaml && stat -c %a a.yaml && ls -A")
    #expect(first.status == 0, "\(first.errors)")
    #expect(first.output == "640\n.stderr\n.stdout\na.yaml\nlink.yaml\n")
    #expect(first.errors == "formatted link.yaml\n1 file changed, 0 are as they should be\n")
    #expect(try text("a.yaml") == tidy)
    let second = try program.shell("nnrun fmt a.yaml && nnrun fmt --quiet a.yaml")
    #expect(second.errors == "0 files changed, 1 is as it should be\n")
  }

  @Test("--check changes nothing, names what would change, and ends with 1")
  func check() throws {
    defer { program.remove() }
    try program.write(tidy, to: "good/b.yaml")
    try program.write("a: 1\n", to: "good/other.yaml")
    let result = try program.shell("nnrun fmt --check good a.yaml")
    #expect(result.status == 1)
    #expect(
      result.output
        == "a.yaml:2\n  - layers: [{type: relu, name: a}]  # one layer\n  + inputs: {x: {shape: [N, 2]}}\n")
    #expect(result.errors.contains("good/other.yaml: passed over, as it has no `nnrun` key"))
    #expect(try text("a.yaml") == untidy)
    #expect(try program.shell("nnrun fmt --check good").status == 0)
  }

  @Test("- reads standard input and writes standard output")
  func standardInput() throws {
    defer { program.remove() }
    let result = try program.shell("nnrun fmt - < a.yaml")
    #expect(result.status == 0)
    #expect(result.output == tidy)
    #expect(try program.shell("nnrun fmt --check - < a.yaml").status == 1)
    #expect(try program.shell("nnrun fmt - < a.yaml | nnrun fmt --check -").status == 0)
  }

  @Test("what cannot be read as a model is told as `validate` tells it and left alone; the others are still laid out")
  func errors() throws {
    defer { program.remove() }
    try program.write("nnrun: 1\nlayers: [", to: "broken.yaml")
    try program.write("key: value\n", to: "other.yaml")
    let result = try program.shell("nnrun fmt broken.yaml other.yaml none.yaml a.yaml")
    #expect(result.status == 66)
    #expect(
      result.errors.contains("broken.yaml:2:10: error:") && result.errors.contains("[syntax]"), "\(result.errors)")
    #expect(result.errors.contains("other.yaml:1:1: error:"))
    #expect(try text("broken.yaml") == "nnrun: 1\nlayers: [")
    #expect(try text("a.yaml") == tidy)
    #expect(try program.shell("nnrun fmt").status == 64)
    #expect(try program.shell("nnrun fmt - a.yaml").status == 64)
  }

  @Test("a model with errors beyond its text is laid out like any")
  func invalidModel() throws {
    defer { program.remove() }
    try program.write("nnrun: 1\nlayers:\n- {type: rellu, name: a}\n", to: "b.yaml")
    #expect(try program.shell("nnrun fmt b.yaml").status == 0)
    #expect(try text("b.yaml") == "nnrun: 1\nlayers:\n  - {name: a, type: rellu}\n")
  }

  @Test("a model that is being trained is refused with 75")
  func locked() throws {
    defer { program.remove() }
    let result = try program.shell("flock a.yaml sh -c 'nnrun fmt a.yaml; echo $?'")
    #expect(result.output == "75\n", "\(result.errors)")
    #expect(try text("a.yaml") == untidy)
  }

  @Test("numbers that training wrote are laid out as matrices, and stay the same numbers")
  func afterTraining() throws {
    defer { program.remove() }
    try program.write(
      "nnrun: 1\ninputs:\n  x: {shape: [N, 40]}\nlayers:\n  - {name: out, type: dense, units: 3}\ntraining: {epochs: 1}\n",
      to: "c.yaml")
    try program.write(npy([2, 40], (0..<80).map { Double($0) / 80 }), to: "x.npy")
    try program.write(npy([2, 3], [1, 0, 0, 0, 1, 0]), to: "y.npy")
    let result = try program.shell(
      """
      nnrun train c.yaml --input x.npy --target y.npy --quiet && cp c.yaml d.yaml && nnrun fmt c.yaml --quiet \
        && nnrun diff d.yaml c.yaml && nnrun fmt c.yaml --check
      """)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output == "the same model: only comments, layout or what goes without saying has changed\n")
    let lines = try text("c.yaml").split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 120 })
    #expect(lines.contains { $0.hasPrefix("    weight: [[") })
  }
}
