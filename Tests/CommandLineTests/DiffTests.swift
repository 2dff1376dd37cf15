import Foundation
import Testing

/// A small network of which tests change one thing or another.
private let before = """
  nnrun: 1
  name: small
  inputs: {x: {shape: [N, 2]}}
  layers:
    - {name: hidden, type: dense, weight: [[1, 0], [0, 1]], bias: [0, 0]}
    - {name: act, type: relu}
    - {name: drop, type: dropout, rate: 0.5}
    - {name: out, type: dense, weight: [[1, -1]], bias: 0}
  training: {epochs: 3, optimizer: sgd}

  """

@Suite("nnrun diff")
struct DiffTests {
  private let program: Program

  init() throws {
    program = try Program()
    try program.write(before, to: "old.yaml")
  }

  private func diff(_ edits: [(String, String)], _ options: String = "") throws -> Program.Result {
    var text = before
    for (old, new) in edits {
      #expect(text.contains(old))
      text = text.replacingOccurrences(of: old, with: new)
    }
    try program.write(text, to: "new.yaml")
    return try program.shell("nnrun diff old.yaml new.yaml \(options)")
  }

  @Test("a file and itself are the same model")
  func same() throws {
    defer { program.remove() }
    let result = try diff([])
    #expect(result.status == 0)
    #expect(result.output == "the same model: the files are the same\n")
  }

  @Test("comments, layout, the order of keys, defaults and spellings of numbers make no difference")
  func layoutAlone() throws {
    defer { program.remove() }
    let result = try diff([
      ("name: small\n", "name: \"small\"   # a name\n"),
      ("{name: act, type: relu}", "\n    type: relu\n    name: act"),
      ("rate: 0.5", "rate: 5e-1"), ("[[1, -1]]", "[\n      [1.0, -1]]"), ("bias: 0}", "bias: 0.0, activation: none}"),
      ("optimizer: sgd", "optimizer: {type: sgd, momentum: 0}, batch-size: 32"),
      ("- {name: out", "- {input: drop, name: out"),
    ])
    #expect(result.output == "the same model: only comments, layout or what goes without saying has changed\n")
    #expect(result.status == 0, "\(result.errors)")
  }

  @Test("a difference in layers, training and parameters is told line by line, and the status is 1")
  func everything() throws {
    defer { program.remove() }
    let result = try diff([
      ("{name: act, type: relu}", "{name: act, type: tanh}"),
      ("  - {name: drop, type: dropout, rate: 0.5}\n", ""),
      ("  - {name: out,", "  - {name: more, type: softmax}\n  - {name: out,"),
      ("epochs: 3", "epochs: 4, clip-norm: 1"), ("[[1, 0], [0, 1]]", "[[1, 0], [0, 1.5]]"),
      ("[[1, -1]]", "[[1, -1], [2, -2]]"), ("name: small", "name: other"),
    ])
    #expect(result.status == 1)
    #expect(
      result.output == """
        model
          ~ name  small -> other
        layers
          ~ act.type  relu -> tanh
          - drop      {type: dropout, rate: 0.5}
          + more      {type: softmax}
        training
          ~ epochs     3 -> 4
          + clip-norm  1
        parameters
                           shape              largest      mean    cosine
          ~ hidden.weight  [2, 2]            0.500000  0.125000  0.980581
          ~ out.weight     [1, 2] -> [2, 2]
          ~ out.bias       [1] -> [2]
          1 more is the same

        """)
  }

  @Test("a moved layer and a renamed one are known again, with their parameters")
  func movedAndRenamed() throws {
    defer { program.remove() }
    let result = try diff([
      ("  - {name: drop, type: dropout, rate: 0.5}\n", ""),
      ("  - {name: act,", "  - {name: drop, type: dropout, rate: 0.5}\n  - {name: act,"),
      ("{name: hidden", "{name: first"), ("[[1, 0], [0, 1]]", "[[2, 0], [0, 1]]"),
    ])
    #expect(result.output.contains("  ~ first  renamed, was hidden\n"), "\(result.output)")
    #expect(result.output.contains("moved: now after first, was after act\n"))
    #expect(result.output.contains("  ~ first.weight  [2, 2]  1.000000"))
    #expect(!result.output.contains("+ first"))
  }

  @Test("--json says the same for programs")
  func json() throws {
    defer { program.remove() }
    let result = try diff([("rate: 0.5", "rate: 0.25"), ("[[1, -1]]", "[[1, -3]]")], "--json")
    #expect(result.status == 1)
    let object = try #require(try JSONSerialization.jsonObject(with: result.outputBytes) as? [String: Any])
    #expect(object["same"] as? Bool == false)
    let changes = try #require(object["changes"] as? [[String: Any]])
    #expect(changes.count == 1)
    #expect(changes[0]["path"] as? String == "drop.rate")
    #expect(changes[0]["section"] as? String == "layers")
    #expect(changes[0]["old"] as? Double == 0.5 && changes[0]["new"] as? Double == 0.25)
    let parameters = try #require(object["parameters"] as? [[String: Any]])
    #expect(parameters.count == 4)
    let moved = try #require(parameters.first { $0["path"] as? String == "out.weight" })
    #expect(moved["change"] as? String == "changed")
    #expect(moved["largest"] as? Double == 2 && moved["mean"] as? Double == 1)
    #expect(abs(try #require(moved["cosine"] as? Double) - 4 / 20.0.squareRoot()) < 1e-12)
  }

  @Test("what a training changed is told by how far each parameter moved; where values are kept makes no difference")
  func trainingAndStorage() throws {
    defer { program.remove() }
    try program.write(npy([2, 2], [1, 2, 3, 4]), to: "x.npy")
    try program.write(npy([2, 1], [1, 0]), to: "y.npy")
    let trained = try program.shell(
      "nnrun train old.yaml --input x.npy --target y.npy --output trained.yaml --quiet && nnrun diff old.yaml trained.yaml"
    )
    #expect(trained.status == 1, "\(trained.errors)")
    #expect(trained.output.hasPrefix("parameters\n") && trained.output.contains("~ hidden.weight"))
    let stored = try program.shell(
      "cp trained.yaml stored.yaml && nnrun weights stored.yaml --to w.safetensors && nnrun diff trained.yaml stored.yaml"
    )
    #expect(stored.status == 0, "\(stored.errors)")
    #expect(stored.output.hasPrefix("the same model: only where it keeps its numbers has changed\n"))
    #expect(stored.output.contains("parameters moved from `numbers in the text` to `w.safetensors`"))
    let alone = try program.shell("mkdir apart && cp stored.yaml apart/ && nnrun diff apart/stored.yaml stored.yaml")
    #expect(alone.status == 0, "\(alone.errors)")
    #expect(alone.output.contains("in `w.safetensors` not compared: the file is not beside both models"))
  }

  @Test(
    "a model with errors is refused with its diagnostics, a missing one by its name, and a word too few or many is 64")
  func mistakes() throws {
    defer { program.remove() }
    let broken = try diff([("type: relu", "type: rellu")])
    #expect(broken.status == 65)
    #expect(broken.errors.contains("new.yaml:6:"), "\(broken.errors)")
    let missing = try program.shell("nnrun diff old.yaml none.yaml")
    #expect(missing.status == 66)
    #expect(try program.shell("nnrun diff old.yaml").status == 64)
    #expect(try program.shell("nnrun diff old.yaml old.yaml old.yaml").status == 64)
    #expect(try program.shell("nnrun diff --textconv old.yaml old.yaml").status == 64)
  }

  @Test("git diff shows layers through textconv, and git difftool and git diff compare revisions")
  func git() throws {
    defer { program.remove() }
    let setUp = """
      set -e
      unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
      export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
      git init -q . && git config user.name t && git config user.email t@example.com
      printf '*.yaml diff=nnrun\\n*.safetensors diff=nnrun\\n' > .gitattributes
      mv old.yaml model.yaml && nnrun weights model.yaml --to model.safetensors --quiet
      git add . && git commit -q -m one
      sed -i 's/rate: 0.5}/rate: 0.25}   # less/' model.yaml
      nnrun train model.yaml --input x.npy --target y.npy --quiet
      git config diff.nnrun.textconv "nnrun diff --textconv"
      """
    try program.write(npy([2, 2], [1, 2, 3, 4]), to: "x.npy")
    try program.write(npy([2, 1], [1, 0]), to: "y.npy")
    let textconv = try program.shell(setUp + "\ngit diff")
    #expect(textconv.status == 0, "\(textconv.errors)")
    #expect(textconv.output.contains("\n-layers.drop: {type: dropout, rate: 0.5}\n"), "\(textconv.output)")
    #expect(textconv.output.contains("\n+layers.drop: {type: dropout, rate: 0.25}\n"))
    #expect(textconv.output.contains("\n-hidden.weight: float32 [2, 2], from 0.000000 to 1.000000"))
    #expect(textconv.output.contains("\n+hidden.weight: float32 [2, 2], from "))

    let tool = try program.shell(
      """
      git config difftool.nnrun.cmd 'nnrun diff "$LOCAL" "$REMOTE"'
      git difftool --tool nnrun --no-prompt HEAD -- model.yaml
      """)
    #expect(tool.status == 0, "\(tool.errors)")
    #expect(tool.output.contains("~ drop.rate  0.5 -> 0.25"), "\(tool.output)")
    #expect(tool.output.contains("in `model.safetensors` not compared"))

    let driver = try program.shell("git config diff.nnrun.command 'nnrun diff' && git diff")
    #expect(driver.status == 0, "\(driver.errors)")
    #expect(driver.output.contains("nnrun diff model.safetensors\n"))
    #expect(driver.output.contains("nnrun diff model.yaml\n"))
    #expect(driver.output.contains("~ drop.rate  0.5 -> 0.25"))
    #expect(driver.output.contains("~ hidden.weight  [2, 2]"))

    let broken = try program.shell("cp model.yaml kept && echo '  - [' >> model.yaml && git diff; mv kept model.yaml")
    #expect(broken.status == 0 && broken.output.contains("not compared: one of the two has errors\n"))
    #expect(broken.errors.contains("[syntax]"))

    let removed = try program.shell("git rm -q --cached model.yaml model.safetensors && git diff --cached")
    #expect(removed.status == 0, "\(removed.errors)")
    #expect(removed.output.contains("- hidden.weight  [2, 2]"), "\(removed.output)")
  }
}
