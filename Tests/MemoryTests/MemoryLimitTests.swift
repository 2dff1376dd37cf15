import Testing

@testable import Memory

@Suite("How much memory there is")
struct MemoryLimitTests {
  @Test("the process takes something, and less than the machine has")
  func measures() {
    #expect(MemoryLimit.residentMemory() > 1 << 20)
    #expect(MemoryLimit.freeMemory() > 1 << 20)
    #expect(MemoryLimit.residentMemory() < 1 << 40)
  }

  @Test("what is small is never refused, what no machine has always is")
  func extremes() {
    #expect(MemoryLimit.allows(1 << 16))
    #expect(!MemoryLimit.allows(.max))
    #expect(!MemoryLimit.allows(1 << 55))
  }
}
