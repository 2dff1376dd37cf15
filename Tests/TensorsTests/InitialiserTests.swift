import Testing

@testable import Tensors

@Suite("Drawn parameters")
struct InitialiserTests {
  struct KnownAnswer: Sendable {
    let counter: [UInt64]
    let key: [UInt64]
    let block: [UInt64]
  }

  /// Of the authors' own `kat_vectors` (Random123 1.14), philox4x32 with 10 rounds.
  @Test(
    "the generator gives its authors' known answers",
    arguments: [
      KnownAnswer(counter: [0, 0, 0, 0], key: [0, 0], block: [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8]),
      KnownAnswer(
        counter: [0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF], key: [0xFFFF_FFFF, 0xFFFF_FFFF],
        block: [0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD]),
      KnownAnswer(
        counter: [0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344], key: [0xA409_3822, 0x299F_31D0],
        block: [0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1]),
    ])
  func knownAnswers(_ answer: KnownAnswer) {
    let (counter, key) = (answer.counter, answer.key)
    let generator = Philox(key: key[1] << 32 | key[0], counterHigh: counter[3] << 32 | counter[2])
    let block = generator.block(counter[1] << 32 | counter[0])
    #expect((0..<4).map { UInt64(block[$0]) } == answer.block)
  }

  private func draw(_ initialiser: Initialiser, _ shape: [Int], seed: UInt64 = 0, path: String = "p") -> [Double] {
    initialiser.draw(shape: shape, fanIn: 50, fanOut: 150, seed: seed, path: path, as: .float64)
      .converted(to: Double.self).elements
  }

  @Test(
    "mean and standard deviation are those of the definition",
    arguments: [
      (Initialiser.normal(scale: 3), 3.0), (.uniform(scale: 3), 3 / 3.0.squareRoot()), (.xavierNormal, 0.1),
      (.xavierUniform, 0.1), (.heNormal, 0.2), (.heUniform, 0.2),
    ])
  func moments(_ initialiser: Initialiser, _ deviation: Double) {
    let values = draw(initialiser, [200, 501])
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let variance = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / count
    // Five standard errors of the mean; the deviation's own error is smaller than 0.4 % here.
    #expect(abs(mean) < 5 * deviation / count.squareRoot())
    #expect(abs(variance.squareRoot() / deviation - 1) < 0.01)
    #expect(values.contains { $0 > 0 } && values.contains { $0 < 0 })
  }

  @Test("the tails of the normal distribution are there, and uniform numbers stay within their limit")
  func tails() {
    let normal = draw(.normal(scale: 1), [100_000])
    // 2 (1 - Φ(2)) = 4.55 %, 2 (1 - Φ(3)) = 0.27 %
    #expect(abs(normal.count { abs($0) > 2 } - 4550) < 350)
    #expect(abs(normal.count { abs($0) > 3 } - 270) < 90)
    let uniform = draw(.uniform(scale: 0.25), [10_000])
    #expect(uniform.allSatisfy { abs($0) <= 0.25 })
    #expect(uniform.contains { $0 > 0.249 } && uniform.contains { $0 < -0.249 })
  }

  @Test("what is drawn depends on the seed and the path alone")
  func dependence() {
    let first = draw(.heNormal, [3, 5])
    #expect(first == draw(.heNormal, [3, 5]))
    #expect(Array(draw(.heNormal, [100]).prefix(15)) == first)
    #expect(first != draw(.heNormal, [3, 5], seed: 1))
    #expect(first != draw(.heNormal, [3, 5], path: "q"))
    #expect(Set(first).count == 15)
  }

  @Test("single precision is double precision, rounded")
  func precisions() {
    let single = Initialiser.xavierUniform.draw(shape: [7], fanIn: 1, fanOut: 1, seed: 9, path: "a", as: .float32)
    let double = Initialiser.xavierUniform.draw(shape: [7], fanIn: 1, fanOut: 1, seed: 9, path: "a", as: .float64)
    #expect(single == .float32(double.converted(to: Float.self)))
  }

  @Test("every name of the format draws")
  func names() {
    for name in ["zeros", "ones", "normal", "uniform", "xavier-normal", "xavier-uniform", "he-normal", "he-uniform"] {
      #expect(Initialiser(name: name) != nil)
    }
    #expect(Initialiser(name: "glorot") == nil)
    #expect(draw(.zeros, [2]) == [0, 0])
    #expect(draw(.ones, [2]) == [1, 1])
  }
}
