import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite("nnrun test")
struct TestCommandTests {
  private let program: Program

  init() throws {
    program = try Program()
  }

  /// A neuron with tests of every kind; what `half` and `loss` expect is wrong.
  private let tested =
    neuron
      + """
      tests:
        # the author's own remark
        - {name: half, inputs: {x: [[0, 0], [1, 2]]}, outputs: {out: [[0.5], [0.9]]}}   # measured by hand
        - name: size
          counts: {parameters: 3, multiply-adds: 2}
        - name: loss
          train: {inputs: {x: [[1, 2]]}, targets: {out: [[1]]}, epochs: 1}
          losses: [0.9]                  # rounded
          parameters:
            out.bias: [0]                # it moves, by less than this allows
          tolerance: 0.01

      """

  @Test("one line a test, the largest difference and where it is, totals, and status 1")
  func report() throws {
    defer { program.remove() }
    try program.write(tested, to: "t.yaml")
    let result = try program.shell("nnrun test t.yaml")
    #expect(result.status == 1)
    let lines = result.output.split(separator: "\n")
    try #require(lines.count == 6, "\(result.output)")
    #expect(lines[0] == "FAILED  t.yaml: half")
    #expect(lines[1].contains("out[1, 0]: expected 0.9, found 0.42555"), "\(lines[1])")
    #expect(lines[1].contains("1 of 2 is off by more than 1e-05"), "\(lines[1])")
    #expect(lines[1].hasSuffix("line 6 column 73"), "\(lines[1])")
    #expect(lines[2] == "ok      t.yaml: size")
    #expect(lines[3] == "FAILED  t.yaml: loss")
    #expect(lines[4].contains("losses[0]: expected 0.9, found 0.3299"), "\(lines[4])")
    #expect(lines[5].hasPrefix("1 passed, 2 failed in "))
    #expect(result.errors == "")
  }

  @Test("a filter chooses tests by file and name; one that matches nothing is a mistake")
  func filter() throws {
    defer { program.remove() }
    try program.write(tested, to: "t.yaml")
    let result = try program.shell("nnrun test t.yaml --filter size")
    #expect(result.status == 0 && result.output.hasPrefix("ok      t.yaml: size\n1 passed, 0 failed"))
    #expect(try program.shell("nnrun test t.yaml --filter size --filter half --quiet").status == 1)
    let none = try program.shell("nnrun test t.yaml --filter nothing")
    #expect(none.status == 64 && none.errors.contains("`nothing`"))
  }

  @Test("folders are searched; a bad model is told of and does not stop the others")
  func folder() throws {
    defer { program.remove() }
    try program.write(neuron + "tests: [{name: size, counts: {parameters: 3}}]\n", to: "models/a/good.yaml")
    try program.write(
      "nnrun: 1\ninputs: {x: {shape: [N, 2]}}\nlayers: [{name: a, type: rleu}]\n", to: "models/bad.yaml")
    try program.write("key: value\n", to: "models/other.yaml")
    let result = try program.shell("nnrun test models")
    #expect(result.status == 65)
    let expected = "ok      models/a/good.yaml: size\n1 passed, 0 failed, 1 error in "
    #expect(result.output.hasPrefix(expected), "\(result.output)")
    #expect(result.errors.contains("did you mean `relu`?") && result.errors.contains("passed over"))
  }

  @Test("a test whose data is not there is an error of its own, and the next ones run")
  func errors() throws {
    defer { program.remove() }
    try program.write(
      neuron + """
        tests:
          - {name: gone, inputs: {x: {file: gone.npy}}, outputs: {out: [[0.5]]}}
          - {name: size, counts: {parameters: 3}}

        """, to: "t.yaml")
    let result = try program.shell("nnrun test t.yaml")
    #expect(result.status == 66, "\(result.errors)")
    #expect(result.output.contains("ERROR   t.yaml: gone\n") && result.output.contains("gone.npy"))
    #expect(result.output.contains("ok      t.yaml: size\n1 passed, 0 failed, 1 error in "), "\(result.output)")
  }

  @Test("JUnit XML has a suite a file and a case a test, with what went wrong")
  func junit() throws {
    defer { program.remove() }
    try program.write(tested.replacingOccurrences(of: "name: half", with: "name: 'half & <half>'"), to: "t.yaml")
    #expect(try program.shell("nnrun test t.yaml --junit report.xml").status == 1)
    let document = try XMLShape(try program.read("report.xml"))
    #expect(document.elements["testsuites"]?.first?["tests"] == "3")
    #expect(document.elements["testsuite"]?.first?["name"] == "t.yaml")
    #expect(document.elements["testsuite"]?.first?["failures"] == "2")
    #expect(document.elements["testcase"]?.map { $0["name"] } == ["half & <half>", "size", "loss"])
    #expect(document.elements["failure"]?.count == 2)
    #expect(document.elements["failure"]?.first?["message"]?.contains("expected 0.9") == true)
  }

  @Test("JSON has every test with its outcome")
  func json() throws {
    defer { program.remove() }
    try program.write(tested, to: "t.yaml")
    let result = try program.shell("nnrun test t.yaml --json")
    let object = try #require(try JSONSerialization.jsonObject(with: result.outputBytes) as? [String: Any])
    #expect(object["passed"] as? Int == 1 && object["failed"] as? Int == 2 && result.status == 1)
    let tests = try #require(object["tests"] as? [[String: Any]])
    #expect(tests.map { $0["outcome"] as? String } == ["failed", "passed", "failed"])
    let difference = (tests[0]["differences"] as? [[String: Any]])?.first
    #expect(difference?["index"] as? [Int] == [1, 0] && difference?["line"] as? Int == 6)
  }

  @Test("--update writes what came out, changes nothing else, and the tests pass then")
  func update() throws {
    defer { program.remove() }
    try program.write(tested, to: "t.yaml")
    let result = try program.shell("nnrun test t.yaml --update")
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors.contains("t.yaml:6:") && result.errors.contains("wrote t.yaml"), "\(result.errors)")
    let text = String(decoding: try program.read("t.yaml"), as: UTF8.self)
    let expected = tested.replacingOccurrences(of: "[0.9]]}}   #", with: "[FOUND]]}}   #")
      .replacingOccurrences(of: "losses: [0.9] ", with: "losses: [FOUND] ")
    let found = text.replacing(/0\.42555\d*/, with: "FOUND").replacing(/0\.3299\d*/, with: "FOUND")
    #expect(found == expected, "\(text)")
    #expect(try program.shell("nnrun test t.yaml").status == 0)
    #expect(try program.shell("nnrun test t.yaml --update && ls").output.contains("t.yaml"))
  }

  @Test("--update gives an array of another shape, a count and an array in a file what came out")
  func updateOfOtherForms() throws {
    defer { program.remove() }
    try program.write(npy([1, 1], [0.75]), to: "y.npy")
    try program.write(
      neuron + """
        tests:
          - {name: shape, inputs: {x: &zero [[0, 0]]}, outputs: {out: [0.5, 0.5]}}   # one row
          - {name: file, inputs: {x: *zero}, outputs: {out: {file: y.npy}}}
          - {name: alias, inputs: {x: &half [[0.5, 0.5]]}, outputs: {out: *half}}
          - counts: {parameters: 4}

        """, to: "t.yaml")
    #expect(try program.shell("nnrun test t.yaml").status == 1)
    let result = try program.shell("nnrun test t.yaml --update")
    #expect(result.status == 0, "\(result.errors)")
    let text = String(decoding: try program.read("t.yaml"), as: UTF8.self)
    #expect(text.contains("outputs: {out: [[0.5]]}}   # one row"), "\(text)")
    #expect(text.contains("counts: {parameters: 3}") && text.contains("x: &half [[0.5, 0.5]]"), "\(text)")
    #expect(try program.read("y.npy") == npy([1, 1], [0.5]))
    #expect(try program.shell("nnrun test t.yaml").status == 0)
  }

  @Test("--update refuses a value that another place shares, and changes nothing")
  func updateOfSharedValues() throws {
    defer { program.remove() }
    let text =
      neuron + """
        tests:
          - {name: first, inputs: {x: [[0, 0]]}, outputs: {out: &y [[0.6]]}}
          - {name: second, inputs: {x: [[2, 0]]}, outputs: {out: *y}, tolerance: 1}

        """
    try program.write(text, to: "t.yaml")
    let result = try program.shell("nnrun test t.yaml --update")
    #expect(result.status == 65 && result.errors.contains("shared"), "\(result.errors)")
    #expect(String(decoding: try program.read("t.yaml"), as: UTF8.self) == text)
  }
}

/// The elements of an XML document and their attributes, in order.
private final class XMLShape: NSObject, XMLParserDelegate {
  private(set) var elements: [String: [[String: String]]] = [:]

  init(_ data: Data) throws {
    super.init()
    let parser = XMLParser(data: data)
    parser.delegate = self
    try #require(parser.parse(), "not XML: \(String(decoding: data, as: UTF8.self))")
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    elements[name, default: []].append(attributes)
  }
}
