import Graph
import Testing

@Suite("Symbolic sizes")
struct DimensionTests {
  private let height = Dimension.symbol("H")

  @Test("a convolution after a convolution is one quotient, so that equal sizes are equal values")
  func composition() throws {
    let window = Window(kernel: [3, 3], stride: [2, 2], padding: .explicit(top: 1, left: 1, bottom: 1, right: 1))
    let twice = try window.outputSize(.height, input: window.outputSize(.height, input: height))
    #expect(twice == .quotient(symbol: "H", offset: 3, divisor: 4))
    for size in 1..<40 {
      let known = try window.outputSize(.height, input: window.outputSize(.height, input: .fixed(size)))
      #expect(try twice.bound(["H": size]) == known)
    }
  }

  @Test("padding that makes up for the kernel gives the very size that came in")
  func identity() throws {
    let window = Window(kernel: [3, 3], padding: .explicit(top: 1, left: 1, bottom: 1, right: 1))
    #expect(try window.outputSize(.height, input: height) == height)
    #expect(try Window(kernel: [4, 4], padding: .same).outputSize(.width, input: height) == height)
  }

  @Test("sums and products do not depend on the order of their parts")
  func commutation() throws {
    let width = Dimension.symbol("W")
    #expect(try Dimension.added([height, .fixed(2), width]) == Dimension.added([width, height, .fixed(2)]))
    #expect(
      try Dimension.multiplied([height, .fixed(3), width, .fixed(2)])
        == Dimension.multiplied([.fixed(6), Dimension.multiplied([width, height])]))
    #expect(try Dimension.multiplied([height, .fixed(0)]) == .fixed(0))
    #expect(try Dimension.added([height, .fixed(0)]) == height)
    #expect(try Dimension.multiplied([height, .fixed(3), width]).bound(["H": 2, "W": 5]) == .fixed(30))
    #expect(try Dimension.added([height, .fixed(3), width]).bound(["H": 2]).bound(["W": 5]) == .fixed(10))
  }

  @Test("rounding is down, below zero too")
  func rounding() throws {
    #expect(try Dimension.fixed(-3).addingThenDividing(0, by: 2) == .fixed(-2))
    #expect(try Dimension.fixed(-4).addingThenDividing(0, by: 2) == .fixed(-2))
    #expect(try Dimension.fixed(3).addingThenDividing(0, by: 2) == .fixed(1))
  }

  @Test("sizes that cannot be counted are errors, not traps")
  func overflow() {
    #expect(throws: ShapeError.self) { try Dimension.fixed(.max).addingThenDividing(1) }
    #expect(throws: ShapeError.self) { try Dimension.multiplied([.fixed(.max), .fixed(2)]) }
    #expect(throws: ShapeError.self) { try Dimension.added([.fixed(.max), .fixed(1)]) }
    #expect(throws: ShapeError.self) {
      try Dimension.quotient(symbol: "H", offset: 0, divisor: .max / 2).addingThenDividing(0, by: 3)
    }
  }

  @Test("sizes of one symbol are told apart only where no size of it makes them equal")
  func comparison() {
    #expect(!height.mayEqual(.quotient(symbol: "H", offset: 1, divisor: 1)))
    #expect(
      Dimension.quotient(symbol: "H", offset: 0, divisor: 2).mayEqual(.quotient(symbol: "H", offset: 1, divisor: 2)))
    #expect(height.mayEqual(.symbol("W")))
    #expect(!Dimension.fixed(2).mayEqual(.fixed(3)))
  }

  @Test(
    "they are written as an author would",
    arguments: [
      (Dimension.quotient(symbol: "H", offset: 0, divisor: 1), "H"),
      (.quotient(symbol: "H", offset: -2, divisor: 1), "H-2"),
      (.quotient(symbol: "H", offset: 0, divisor: 2), "H/2"),
      (.quotient(symbol: "H", offset: 3, divisor: 4), "(H+3)/4"),
      (.product(factor: 16, [.symbol("H"), .symbol("W")]), "16*H*W"),
      (.sum(addend: 3, [.symbol("H")]), "H+3"),
    ])
  func text(dimension: Dimension, text: String) { #expect(dimension.description == text) }
}
