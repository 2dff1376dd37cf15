import Diagnostics
import Files
import Tensors
import Testing
import YAML

@testable import ModelFile

/// A model of a text that names no files.
private func model(_ text: String) throws -> Model {
  try ModelLoader.load(source: SourceText(name: "m.yaml", bytes: Array(text.utf8)), path: "/nowhere/m.yaml").valid()
}

/// New values for the parameters with these paths.
func values(_ model: Model, _ new: [String: [Float]]) throws -> [Int: AnyTensor] {
  var values: [Int: AnyTensor] = [:]
  for (index, parameter) in model.parameters.enumerated() {
    guard let elements = new[parameter.path] else { continue }
    values[index] = .float32(Tensor(shape: parameter.shape, elements: elements))
  }
  try #require(values.count == new.count)
  return values
}

/// The text after new values were written into it.
private func written(_ text: String, _ new: [String: [Float]]) throws -> String {
  let model = try model(text)
  var planner = WriteBackPlanner(model, values: try values(model, new), output: "m.yaml")
  try planner.planAll()
  let bytes = try #require(planner.plan.edits.applied(to: model.source))
  return String(decoding: bytes, as: UTF8.self)
}

/// A model of one dense layer [N, 2] -> [N, 2] without a bias.
private func dense(_ weight: String) -> String {
  "nnrun: 1\ninputs: {x: {shape: [N, 2]}}\nlayers:\n  - {name: a, type: dense, units: 2, bias: false, weight: \(weight)}\n"
}

@Suite("new numbers in the author's text")
struct WriteBackTextTests {
  @Test(
    "numbers change and nothing else does",
    arguments: [
      ("[[1, 2], [3, 4]]", "[[1.5, 2], [-0.25, 1e-10]]"),
      ("[[1.50, 2.0], [3, 4]]", "[[1.50, 2.0], [-0.25, 1e-10]]"),
      ("[ # ä\r\n [1 ,2], # one, [2]\r\n [0x3,4. ] ]", "[ # ä\r\n [1.5 ,2], # one, [2]\r\n [-0.25,1e-10 ] ]"),
      ("[[!!float 1, 2], [!!float \"3\", 4]]", "[[!!float 1.5, 2], [!!float \"-0.25\", 1e-10]]"),
      ("&w [[1, &n 2], [3, 4]]", "&w [[1.5, &n 2], [-0.25, 1e-10]]"),
    ])
  func lists(old: String, new: String) throws {
    #expect(try written(dense(old), ["a.weight": [1.5, 2, -0.25, 1e-10]]) == dense(new))
  }

  @Test("numbers of a block list keep their dashes, comments and byte order mark")
  func blockList() throws {
    let text = { (a: String, b: String) in
      "\u{FEFF}# é\nnnrun: 1\ninputs: {x: {shape: [N, 2]}}\nlayers:\n- name: a\n  type: dense\n  bias: false\n  weight:\n  - - \(a) # 数\n    # between\n    - 2\n\n  -  [3,\n      \(b)]\n"
    }
    #expect(try written(text("1", "4"), ["a.weight": [7, 2, 3, -0.0]]) == text("7.0", "-0.0"))
  }

  @Test("zero and minus zero are different numbers")
  func minusZero() throws {
    #expect(
      try written(dense("[[0, -0.0], [0, 1]]"), ["a.weight": [-0.0, -0.0, 0, 1]]) == dense("[[-0.0, -0.0], [0, 1]]"))
  }

  @Test("aliases inside a list serve as long as they agree, and give way to a list where they do not")
  func aliases() throws {
    let old = dense("[&r [1, 2], *r]")
    #expect(try written(old, ["a.weight": [5, 2, 5, 2]]) == dense("[&r [5.0, 2], *r]"))
    #expect(try written(old, ["a.weight": [5, 2, 1, 2]]) == dense("[&r [5.0, 2], [1.0, 2.0]]"))
    let two = { (bias: String) in
      dense("[&r [1, 2], [3, 4]]") + "  - {name: b, type: dense, weight: [[1, 0], [0, 1]], bias: \(bias)}\n"
    }
    #expect(try written(two("*r"), ["b.bias": [8, 9]]) == two("[8.0, 9.0]"))
    // One number that the shared list holds twice.
    let row = { (number: String, bias: String) in
      "nnrun: 1\nx-row: &r [&n \(number), *n]\ninputs: {x: {shape: [N, 2]}}\nlayers:\n"
        + "  - {name: b, type: dense, weight: [[1, 0], [0, 1]], bias: \(bias)}\n"
    }
    #expect(try written(row("1", "*r"), ["b.bias": [8, 8]]) == row("8.0", "*r"))
    #expect(try written(row("1", "*r"), ["b.bias": [8, 9]]) == row("1", "[8.0, 9.0]"))
  }

  @Test("one number stays one while all are equal, and becomes a list when they are not")
  func number() throws {
    #expect(try written(dense("0.5"), ["a.weight": [2, 2, 2, 2]]) == dense("2.0"))
    #expect(try written(dense("0.50"), ["a.weight": [0.5, 0.5, 0.5, 0.5]]) == dense("0.50"))
    for (old, new) in [
      ("0.5", ""), ("!!float 1", ""), ("&a !!float '1'", "&a "), ("!<tag:yaml.org,2002:float> &a 1", "&a "),
    ] {
      #expect(try written(dense(old), ["a.weight": [1, 2, 3, 4]]) == dense(new + "[[1.0, 2.0], [3.0, 4.0]]"))
    }
    #expect(try written(dense("!!map {init: ones}"), ["a.weight": [1, 2, 3, 4]]) == dense("[[1.0, 2.0], [3.0, 4.0]]"))
  }

  @Test("a number that a layer takes out of another's list by an alias gets a text of its own")
  func borrowedNumber() throws {
    let text = { (weight: String, bias: String) in
      dense(weight) + "  - {name: b, type: dense, units: 2, weight: [[1, 0], [0, 1]], bias: \(bias)}\n"
    }
    let old = text("[[1, &n 2], [3, 4]]", "*n")
    #expect(try written(old, ["b.bias": [8, 8]]) == text("[[1, &n 2], [3, 4]]", "8.0"))
    #expect(try written(old, ["b.bias": [8, 9]]) == text("[[1, &n 2], [3, 4]]", "[8.0, 9.0]"))
    #expect(try written(old, ["a.weight": [1, 7, 3, 4], "b.bias": [7, 7]]) == text("[[1, &n 7.0], [3, 4]]", "7.0"))
  }

  @Test("a block's parameter that stands for a number gives way to the values")
  func reference() throws {
    let text = { (weight: String) in
      """
      nnrun: 1
      inputs: {x: {shape: [N, 1]}}
      blocks:
        b:
          parameters: {gain: 0.5}
          layers:
            - {name: d, type: dense, units: 2, bias: false, weight: \(weight)}
      layers:
        - {name: u, block: b}
      """
    }
    #expect(try written(text("$gain"), ["u.d.weight": [0.5, 0.5]]) == text("$gain"))
    #expect(try written(text("'$gain'"), ["u.d.weight": [3, 3]]) == text("3.0"))
    #expect(try written(text("$gain"), ["u.d.weight": [1, 2]]) == text("[[1.0], [2.0]]"))
  }

  @Test("base64 changes character by character")
  func binary() throws {
    let text = { (base64: String) in dense("!!binary \(base64)") }
    #expect(
      try written(text("\"AACAPwAAAEAAAEBAAACAQA==\""), ["a.weight": [2, 2, 3, 4]])
        == text("\"AAAAQAAAAEAAAEBAAACAQA==\""))
    let block = { (lines: String) in
      "nnrun: 1\ninputs: {x: {shape: [N, 2]}}\nlayers:\n  - name: a\n    type: dense\n    units: 2\n    bias: false\n    weight: !!binary |2-  # here\n      \(lines)\n"
    }
    #expect(
      try written(block("AACAPwAA\r\n        AEAA\n      AEBAAACAQA=="), ["a.weight": [1, 2, 3, 2]])
        == block("AACAPwAA\r\n        AEAA\n      AEBAAAAAQA=="))
  }

  @Test("drawn values take the place of `init`, or come in as a new key in the layer's style")
  func drawn() throws {
    let flow =
      "nnrun: 1\ninputs: {x: {shape: [N, 1]}}\nlayers:\n  - {name: a, type: dense, units: 1, weight: {init: ones},}  # end\n"
    #expect(
      try written(flow, ["a.weight": [3], "a.bias": [4]])
        == flow.replacing("{init: ones}", with: "[[3.0]], bias: [4.0]"))
    let block =
      "nnrun: 1\r\ninputs: {x: {shape: [N, 1]}}\r\nlayers:\r\n  - name: a\r\n    type: dense\r\n    units: 1 # one\r\n"
    #expect(
      try written(block, ["a.weight": [3], "a.bias": [4]])
        == block.replacing("# one\r\n", with: "# one\r\n    weight: [[3.0]]\r\n    bias: [4.0]\r\n"))
    let json =
      "{\"nnrun\": 1, \"inputs\": {\"x\": {\"shape\": [\"N\", 1]}}, \"layers\": [{\"name\": \"a\", \"type\": \"dense\", \"units\": 1}]}"
    #expect(
      try written(json, ["a.weight": [3], "a.bias": [4]])
        == json.replacing("\"units\": 1", with: "\"units\": 1, \"weight\": [[3.0]], \"bias\": [4.0]"))
  }

  @Test("more than 4,096 drawn numbers go into a weight file, which the model then names")
  func weightFile() throws {
    let text = { (more: String) in
      "nnrun: 1 # format\nname: m\(more)\ninputs: {x: {shape: [N, 64]}}\nlayers:\n  - {name: a, type: dense, units: 65, bias: [\((0..<65).map(String.init).joined(separator: ", "))]}\n"
    }
    let model = try model(text(""))
    var planner = WriteBackPlanner(model, values: [:], output: "m.yaml")
    try planner.planAll()
    let plan = planner.plan
    #expect(plan.newWeights?.arrays.map(\.key) == ["a.weight"])
    #expect(
      plan.edits.applied(to: model.source).map { String(decoding: $0, as: UTF8.self) }
        == text("\nweights: m.safetensors"))
  }

  @Test("one number that becomes too many goes into the weight file, and its key with it")
  func numberTooMany() throws {
    let text =
      "nnrun: 1\ninputs: {x: {shape: [N, 64]}}\nlayers:\n  - name: a\n    type: dense\n    weight: 0.5 # half\n    units: 65\n    bias: false\n"
    let model = try model(text)
    let weight = AnyTensor.float32(Tensor(shape: [65, 64], elements: (0..<65 * 64).map(Float.init)))
    var planner = WriteBackPlanner(model, values: [0: weight], output: "m.yaml")
    try planner.planAll()
    #expect(planner.plan.newWeights?.arrays.map(\.key) == ["a.weight"])
    #expect(
      planner.plan.edits.applied(to: model.source).map { String(decoding: $0, as: UTF8.self) }
        == text.replacing("    weight: 0.5 # half", with: "    # half").replacing(
          "nnrun: 1", with: "nnrun: 1\nweights: m.safetensors"))
  }

  @Test("numbers in a repeated block stay while they agree, and go into the weight file when they do not")
  func repeated() throws {
    let text = { (weight: String) in
      """
      nnrun: 1
      inputs: {x: {shape: [N, 1]}}
      blocks:
        b: {layers: [{name: d, type: dense, units: 1, bias: false\(weight)}]}
      layers:
        - {name: u, block: b, repeat: 2}
      """
    }
    let old = text(", weight: 0.5")
    #expect(try written(old, ["u.0.d.weight": [3], "u.1.d.weight": [3]]) == text(", weight: 3.0"))
    #expect(
      try written(old, ["u.0.d.weight": [3], "u.1.d.weight": [4]])
        == text("").replacing("nnrun: 1", with: "nnrun: 1\nweights: m.safetensors"))
  }
}
