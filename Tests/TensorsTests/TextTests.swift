import Foundation
import Testing

@testable import Tensors

@Suite("Numbers and arrays as text")
struct TextTests {
  private struct Case: Decodable {
    let type: String
    let shape: [Int]
    let bytes: String
    let text: String

    func tensor() throws -> AnyTensor {
      let digits = Array(bytes.utf8)
      let raw = stride(from: 0, to: digits.count, by: 2).map {
        UInt8(String(decoding: digits[$0..<($0 + 2)], as: UTF8.self), radix: 16) ?? 0
      }
      let file = NPYHeader(type: type == "float32" ? .float32 : .float64, shape: shape).bytes + raw
      return try arrayFile(file).array().read()
    }
  }

  @Test("arrays are printed as numpy prints them (fixtures of numpy 2.4.6)")
  func numpy() throws {
    let cases = try JSONDecoder().decode([Case].self, from: Data(fixtureBytes("numpy-text.json")))
    #expect(cases.count > 100)
    for one in cases {
      let text = numpyText(try one.tensor())
      #expect(text == one.text, "\(one.type) \(one.shape)\n\(text)\nnumpy:\n\(one.text)")
    }
  }

  @Test(
    "the shortest text of a number is JSON's and YAML's",
    arguments: [
      (0.1 as Double, "0.1"), (-0.0, "-0.0"), (1e-5, "1e-05"), (1e20, "1e+20"),
      (Double.leastNonzeroMagnitude, "5e-324"), (100, "100.0"),
      (1.7976931348623157e308, "1.7976931348623157e+308"), (Double.infinity, ".inf"), (-Double.infinity, "-.inf"),
    ])
  func shortest(_ value: Double, _ text: String) {
    #expect(value.shortestText == text)
  }

  @Test("text of any bits reads back to the same bits, and has JSON's grammar")
  func roundTrip() throws {
    let json = try Regex("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?")
    var dice = Dice(3)
    for _ in 0..<2000 {
      let single = Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &dice))
      if single.isFinite {
        #expect(Float(single.shortestText)?.bitPattern == single.bitPattern)
        #expect(single.shortestText.wholeMatch(of: json) != nil)
      }
      let double = Double(bitPattern: UInt64.random(in: 0...UInt64.max, using: &dice))
      if double.isFinite {
        #expect(Double(double.shortestText)?.bitPattern == double.bitPattern)
        #expect(double.shortestText.wholeMatch(of: json) != nil)
      }
    }
    #expect(Float.nan.jsonText == "null" && Double.infinity.jsonText == "null" && Float.nan.shortestText == ".nan")
  }

  @Test("JSON nests as the shape does")
  func json() {
    func text(_ shape: [Int], _ elements: [Float]) -> String {
      String(decoding: TableText.json(.float32(Tensor(shape: shape, elements: elements))), as: UTF8.self)
    }
    #expect(text([], [0.5]) == "0.5")
    #expect(text([2, 2], [1, .nan, -.infinity, 0.1]) == "[[1.0, null], [null, 0.1]]")
    #expect(text([1, 1, 2], [1, 2]) == "[[[1.0, 2.0]]]")
    #expect(text([0, 2], []) == "[]")
    #expect(text([2, 0], []) == "[[], []]")
  }

  @Test("CSV has a heading, and a row for each row")
  func csv() {
    let scores = AnyTensor.float32(Tensor(shape: [2, 2], elements: [0.5, 1, 2, .nan]))
    let one = AnyTensor.float64(Tensor(shape: [2, 1], elements: [-1e-7, .infinity]))
    let heading = TableText.csvHeading([("scores", [2]), ("one", [1]), ("plain", [])])
    #expect(String(decoding: heading, as: UTF8.self) == "scores[0],scores[1],one,plain\n")
    #expect(String(decoding: TableText.csvRows([scores, one]), as: UTF8.self) == "0.5,1.0,-1e-07\n2.0,nan,inf\n")
  }
}
