import Diagnostics
import Testing
import YAML

@testable import ModelFile

/// The limits of docs/limits.md, each from both sides.
@Suite("Limits of model files")
struct LimitTests {
  private func codes(_ text: String) -> [DiagnosticCode] {
    ModelLoader.load(source: SourceText(name: "model.yaml", bytes: Array(text.utf8)), path: "/nowhere/model.yaml")
      .diagnostics.map(\.code)
  }

  private func codes(input: String, _ layer: String) -> [DiagnosticCode] {
    codes("nnrun: 1\ninputs: {x: {shape: \(input)}}\nlayers: [{name: a, \(layer)}]")
  }

  @Test("lists and mappings within one another: 64")
  func nesting() {
    // The document, `layers` and the layer are three of them.
    func weight(_ depth: Int) -> String {
      let brackets = (String(repeating: "[", count: depth), String(repeating: "]", count: depth))
      return "type: dense, units: 1, bias: false, weight: \(brackets.0)1\(brackets.1)"
    }
    #expect(codes(input: "[N, 1]", weight(61)) == [.parameterShape])
    #expect(codes(input: "[N, 1]", weight(62)) == [.tooDeep])
  }

  @Test(
    "what aliases add: a million values, or sixteen million packed numbers",
    arguments: [("y", 999), ("1", 15_984)])
  func aliases(item: String, count: Int) {
    let list = Array(repeating: item, count: count).joined(separator: ", ")
    func text(_ uses: Int) -> String {
      "x-a: &a [\(list)]\nx-b: [\(Array(repeating: "*a", count: uses).joined(separator: ", "))]\n" + """
        nnrun: 1
        inputs: {x: {shape: [N, 2]}}
        layers: [{name: a, type: relu}]
        """
    }
    #expect(codes(text(1000)) == [])
    #expect(codes(text(1001)) == [.aliasExpansion])
  }

  @Test("lengths of axes, units and filters: 2^40")
  func lengths() {
    #expect(codes(input: "[1099511627776]", "type: relu") == [])
    #expect(codes(input: "[1099511627777]", "type: relu") == [.outOfRange])
    #expect(codes(input: "[N, 9223372036854775808]", "type: relu") == [.outOfRange])
    #expect(codes(input: "[N, 1]", "type: dense, units: 1099511627776, bias: false") == [])
    #expect(codes(input: "[N, 1]", "type: dense, units: 1099511627777, bias: false") == [.outOfRange])
  }

  @Test("numbers in one array: 2^40")
  func counts() {
    #expect(codes(input: "[1048576, 1048576]", "type: relu") == [])
    #expect(codes(input: "[1048576, 1048577]", "type: relu") == [.shape])
    #expect(codes(input: "[N, 1024]", "type: dense, units: 1073741824, bias: false") == [])
    #expect(codes(input: "[N, 1024]", "type: dense, units: 1073741825, bias: false") == [.shape])
    #expect(codes(input: "[1, 2, 8, 8]", "type: pad-channels, channels: 17179869184") == [])
    #expect(codes(input: "[1, 2, 8, 8]", "type: pad-channels, channels: 17179869185") == [.shape])
    #expect(codes(input: "[1048576, 1048576]", "type: concat, input: [x, x]") == [.shape])
  }

  @Test("cells of a window, its stride, dilation and padding: 2^31 - 1")
  func windows() {
    for key in ["stride", "dilation"] {
      #expect(codes(input: "[N, 1, 8, 8]", "type: conv2d, filters: 1, kernel: 1, \(key): 2147483647") == [])
      #expect(codes(input: "[N, 1, 8, 8]", "type: conv2d, filters: 1, kernel: 1, \(key): 2147483648") == [.outOfRange])
    }
    #expect(codes(input: "[N, 1, 8, 8]", "type: maxpool, kernel: [2147483647, 1], padding: same") == [])
    #expect(codes(input: "[N, 1, 8, 8]", "type: maxpool, kernel: [2147483648, 1], padding: same") == [.outOfRange])
    #expect(
      codes(input: "[N, 1, 8, 8]", "type: conv2d, filters: 1, kernel: 1, padding: [0, 2147483648]") == [.outOfRange])
    #expect(codes(input: "[N, 1, 8, 8]", "type: conv2d, filters: 1, kernel: 1, padding: [0, 2147483647]") == [])
  }

  @Test("multiply-adds of one layer: 2^52")
  func work() {
    func pool(_ kernel: Int) -> String { "type: avgpool, kernel: \(kernel), padding: same, stride: 1" }
    #expect(codes(input: "[1, 1, 1024, 1024]", pool(1 << 16)) == [])
    #expect(codes(input: "[1, 1, 1024, 1024]", pool(1 << 16 | 1)) == [.shape])
  }

  @Test("layers after blocks are written out: 100,000")
  func layers() {
    func expanded(_ count: Int, of layers: String = "{name: r, type: relu}") -> [DiagnosticCode] {
      let text = "layers: [{name: a, block: b, repeat: \(count)}]\nblocks: {b: {layers: [\(layers)]}}"
      let source = SourceText(name: "model.yaml", bytes: Array(text.utf8))
      guard let root = YAMLDocument.parse(source: source).root, let layers = root["layers"] else { return [.syntax] }
      var sink = DiagnosticSink(source: source)
      var expansion = BlockExpansion(root: root, brokenRanges: []) { _ in [] }
      _ = expansion.expand(layers, into: &sink)
      return sink.diagnostics.map(\.code)
    }
    #expect(expanded(99_999) == [])
    #expect(expanded(100_000) == [.tooManyLayers])
    #expect(expanded(.max) == [.tooManyLayers])
    let three = ["r", "s", "t"].map { "{name: \($0), type: relu}" }.joined(separator: ", ")
    #expect(expanded(33_333, of: three) == [])
    #expect(expanded(33_334, of: three) == [.tooManyLayers])
  }

  @Test("blocks within blocks: 64")
  func blocks() {
    func nested(_ depth: Int) -> [DiagnosticCode] {
      var text = "nnrun: 1\ninputs: {x: {shape: [N, 2]}}\nlayers: [{name: a, block: b1}]\nblocks:\n"
      for level in 1..<depth { text += "  b\(level): {layers: [{name: a, block: b\(level + 1)}]}\n" }
      return codes(text + "  b\(depth): {layers: [{name: a, type: relu}]}\n")
    }
    #expect(nested(64) == [])
    #expect(nested(65) == [.blockCycle])
  }

  @Test("errors that are listed: a thousand, and the work for them stays small")
  func errors() {
    let names = (0..<3000).map { "{name: layer\($0), type: relu, input: lay\($0)}" }.joined(separator: ", ")
    let found = codes("nnrun: 1\ninputs: {x: {shape: [N, 2]}}\nlayers: [\(names)]")
    #expect(found.count == 1001 && found.last == .tooManyErrors)
    let keys = (0..<3000).map { "key\($0): 1\n" }.joined()
    #expect(codes("nnrun: 1\n\(keys)").filter { $0 == .tooManyErrors }.count == 1)
  }
}
