import Foundation
import Testing

/// Sentences of the command line's contract, each as a user would try it.
@Suite("The command line's contract")
struct ContractTests {
  private let program: Program

  init() throws {
    program = try Program()
    try program.write(neuron, to: "m.yaml")
    try program.write(npy([4, 2], [1, 2, 2, 1, -1, -2, 0, 1]), to: "x.npy")
    try program.write(npy([4, 1], [1, 0, 0, 1]), to: "y.npy")
  }

  @Test("a setting that the optimiser does not have, or out of its range, is wrong usage and trains nothing")
  func overrides() throws {
    defer { program.remove() }
    let before = try program.read("m.yaml")
    for (flags, words) in [
      ("--beta1 0.5", "the optimizer `sgd` has no `beta1`"), ("--optimizer adam --momentum 0.9", "no `momentum`"),
      ("--momentum=-1", "`momentum` is 0 or more, not -1"), ("--clip-norm 0", "`clip-norm` is more than 0"),
      ("--optimizer adam --beta2 1", "`beta2` is from 0 up to, but not including, 1"),
      ("--epochs 0", "`epochs` is 1 or more"),
    ] {
      let result = try program.shell("nnrun train m.yaml --input x.npy --target y.npy \(flags)")
      #expect(result.status == 64, "\(flags)")
      #expect(result.errors.contains(words), "\(result.errors)")
    }
    #expect(try program.read("m.yaml") == before)
    #expect(try program.shell("nnrun train m.yaml --input x.npy --target y.npy --momentum 0.9").status == 0)
  }

  @Test("a run that is resumed with other settings says which")
  func resumption() throws {
    defer { program.remove() }
    let train = "nnrun train m.yaml --input x.npy --target y.npy --checkpoint c --epochs"
    #expect(try program.shell("\(train) 1 --batch-size 2").status == 0)
    let same = try program.shell("\(train) 2 --batch-size 2 --resume")
    #expect(same.status == 0)
    #expect(!same.errors.contains("warning"), "\(same.errors)")
    let other = try program.shell("\(train) 3 --resume --learning-rate 0.5 --quiet")
    #expect(other.status == 0)
    #expect(other.errors.contains("warning: `batch-size` was 2 in the checkpoint and is 32 now"), "\(other.errors)")
    #expect(other.errors.contains("warning: `learning-rate` was 0.01 in the checkpoint and is 0.5 now"))
  }

  @Test("a place where the trained model cannot go is found before training")
  func destinations() throws {
    defer { program.remove() }
    try program.write(
      "nnrun: 1\ninputs: {x: {shape: [N, 2]}}\nlayers: [{name: d, type: dense, units: 2000}, {name: e, type: dense, units: 1}]\n",
      to: "big.yaml")
    try program.write("", to: "taken.safetensors")
    for output in ["nowhere/out.yaml", "taken.yaml", "m.yaml"] {
      let result = try program.shell("nnrun train big.yaml --input x.npy --target y.npy --output \(output)")
      #expect(result.status == 73, "\(result.errors)")
      #expect(!result.errors.contains("epoch"), "\(result.errors)")
    }
  }

  @Test("validate finds what is not finite in a file, and what tests name that is not there")
  func validation() throws {
    defer { program.remove() }
    try program.write(npy([1, 2], [1, .nan]), to: "w.npy")
    try program.write(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 2]}}
      layers: [{name: out, type: dense, weight: {file: w.npy}}]
      tests:
        - {inputs: {y: [[1, 2]]}, outputs: {out.z: [[1]]}}
        - {train: {inputs: {x: [[1, 2]]}, targets: {put: [[1]]}}, parameters: {out.wieght: [[1, 2]]}}
        - {inputs: {x: [[1, 2]]}, outputs: {out: [[1], [1, 2]]}}

      """, to: "bad.yaml")
    let result = try program.shell("nnrun validate bad.yaml")
    #expect(result.status == 65)
    for words in [
      "bad.yaml:3:43: error: `out.weight` in `w.npy` is not finite at index 1",
      "bad.yaml:5:15: error: the model has no input `y`", "bad.yaml:5:39: error: the model has no layer `out.z`",
      "bad.yaml:6:47: error: the model has no output `put`", "did you mean `out.weight`?",
      "bad.yaml:7:44: error: the lists of numbers are ragged",
      "6 errors",
    ] { #expect(result.errors.contains(words), "\(words)\n\(result.errors)") }
    #expect(try program.shell("nnrun run bad.yaml --input x.npy").status == 65)
  }

  @Test("a model with its blocks written out runs as it is")
  func expansion() throws {
    defer { program.remove() }
    try program.write(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 2]}}
      blocks: {b: {layers: [{name: d, type: dense, units: 2}]}}
      layers: [{name: s, block: b, repeat: 2}, {name: out, type: softmax}]

      """, to: "m.yaml")
    let moved = try program.shell("nnrun weights m.yaml --to m.safetensors")
    #expect(moved.status == 0 && moved.errors == "wrote m.safetensors and m.yaml\n", "\(moved.errors)")
    let expanded = try program.shell("nnrun show m.yaml --expand")
    #expect(
      expanded.output.contains("{name: s-1-d, type: dense, units: 2, weight: {file: m.safetensors, key: s.1.d.weight}"))
    try program.write(expanded.output, to: "expanded.yaml")
    #expect(try program.shell("nnrun validate expanded.yaml").errors.contains("valid"))
    let outputs = try ["m", "expanded"].map {
      try program.shell("nnrun \($0).yaml --input x.npy --output -").outputBytes
    }
    #expect(outputs[0] == outputs[1])
    #expect(try program.shell("nnrun show m.yaml --expand --json").status == 64)
  }
}
