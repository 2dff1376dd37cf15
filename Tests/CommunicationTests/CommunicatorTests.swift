import Communication
import Diagnostics
import TestSupport
import Testing

@Suite("What ranks say to one another")
struct CommunicatorTests {
  @Test("bytes go from rank 0 to all, and from all to rank 0", arguments: [1, 2, 3, 4, 7])
  func bytes(ranks: Int) throws {
    let results = try atRanks(ranks) { communicator in
      let all = try communicator.gather([UInt8](repeating: UInt8(communicator.rank), count: communicator.rank))
      let round = try communicator.broadcast(communicator.leads ? [1, 2, 3] : [])
      try communicator.barrier()
      return (all, round)
    }
    #expect(results[0].0 == (0..<ranks).map { [UInt8](repeating: UInt8($0), count: $0) })
    for result in results { #expect(result.1 == [1, 2, 3]) }
  }

  @Test("every rank gets every number, in the order of the ranks")
  func numbers() throws {
    let results = try atRanks(3) { communicator in
      try communicator.gatherNumbers((0..<communicator.rank).map { Double($0) + 0.1 })
    }
    for result in results { #expect(result == [0.1, 0.1, 1.1]) }
  }

  @Test("where one rank fails, all do, and say what the first of them found")
  func agreement() throws {
    let results = try atRanks(4) { communicator in
      let own: Result<Int, Failure> =
        communicator.rank < 2 ? .success(1) : .failure(Failure(.invalidData, "rank \(communicator.rank)"))
      do throws(Failure) {
        _ = try communicator.agree(own)
        return "none"
      } catch {
        return error.message
      }
    }
    #expect(results == ["rank 2", "rank 2", "rank 2", "rank 2"])
  }

  @Test("shares are even, in order, and leave nothing out", arguments: [1, 2, 3, 5, 8])
  func shares(ranks: Int) throws {
    let shares = try atRanks(ranks) { $0.share(of: 13) }
    #expect(shares.flatMap { Array($0) } == Array(0..<13))
    #expect((shares.map(\.count).max() ?? 0) - (shares.map(\.count).min() ?? 0) <= 1)
  }

  @Test(
    "launchers' variables are read",
    arguments: [
      (["PMI_RANK": "2", "PMI_SIZE": "4"], 2, 4), (["OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "3"], 0, 3),
      (["PMIX_RANK": "1", "SLURM_STEP_NUM_TASKS": "2"], 1, 2),
    ])
  func launch(variables: [String: String], rank: Int, size: Int) throws {
    let launch = try #require(Launch { variables[$0] })
    #expect(launch.rank == rank)
    #expect(launch.size == size)
    #expect(Launch { _ in nil } == nil)
  }
}

@Suite("What goes round while ranks compute")
struct CollectiveTests {
  /// What the ranks bring: numbers whose sum depends on the order of the additions.
  private static func values(_ rank: Int, count: Int) -> [Float] {
    (0..<count).map { place in
      let bits = UInt32(truncatingIfNeeded: (rank * 7919 + place * 104_729 + 12345) &* 2_654_435_761)
      return Float(bits) / 4096 * (bits & 1 == 0 ? 1 : -0.001)
    }
  }

  /// The tree over a power of two of ranks, written down once more.
  private static func tree(_ ranks: Range<Int>, count: Int) -> [Float] {
    if ranks.count == 1 { return values(ranks.lowerBound, count: count) }
    let middle = ranks.lowerBound + ranks.count / 2
    return zip(tree(ranks.lowerBound..<middle, count: count), tree(middle..<ranks.upperBound, count: count)).map {
      $0 + $1
    }
  }

  @Test("sums have the bits of the tree at every rank, again and again", arguments: [1, 2, 4, 8])
  func treeSums(ranks: Int) throws {
    for count in [1, 2, 3, 257] {
      let expected = Self.tree(0..<ranks, count: count)
      let results = try atRanks(ranks) { try Self.sums($0, count: count) }
      for result in results { #expect(result == [expected, expected]) }
    }
  }

  @Test("other numbers of ranks have the same bits at every rank, and the right sum", arguments: [3, 5, 6, 7, 11])
  func otherSums(ranks: Int) throws {
    let count = 100
    let results = try atRanks(ranks) { try Self.sums($0, count: count) }
    for result in results { #expect(result == results[0]) }
    for place in 0..<count {
      let exact = (0..<ranks).reduce(0.0) { $0 + Double(Self.values($1, count: count)[place]) }
      #expect(
        abs(Double(results[0][0][place]) - exact) <= 1e-6
          * (0..<ranks).reduce(0.0) {
            $0 + abs(Double(Self.values($1, count: count)[place]))
          })
    }
  }

  /// The sum of all ranks' numbers, twice by the same collective.
  private static func sums(_ communicator: Communicator, count: Int) throws -> [[Float]] {
    let numbers = UnsafeMutablePointer<Float>.allocate(capacity: count)
    defer { unsafe numbers.deallocate() }
    let sum = unsafe communicator.summing(UnsafeMutableRawPointer(numbers), count: count, of: .float)
    return try (0..<2).map { _ in
      for (place, value) in values(communicator.rank, count: count).enumerated() { unsafe numbers[place] = value }
      try sum.begin()
      try sum.finish()
      return unsafe Array(UnsafeBufferPointer(start: numbers, count: count))
    }
  }

  @Test("parts are gathered in the order of the ranks, empty ones too, several at a time", arguments: [1, 2, 3, 5])
  func gathering(ranks: Int) throws {
    let counts = (0..<ranks).map { ($0 * 3 + 2) % 4 }
    let expected = (0..<ranks).flatMap { [UInt8](repeating: UInt8($0 + 1), count: counts[$0]) }
    let results = try atRanks(ranks) { communicator in
      // Two of them side by side.
      let memory = UnsafeMutableRawPointer.allocate(byteCount: 2 * expected.count + 1, alignment: 16)
      defer { unsafe memory.deallocate() }
      let start = counts[..<communicator.rank].reduce(0, +)
      let both = [0, expected.count].map { unsafe communicator.gathering(memory + $0, counts: counts) }
      for index in 0..<2 {
        for place in 0..<counts[communicator.rank] {
          let offset = index * expected.count + start + place
          unsafe memory.storeBytes(of: UInt8(communicator.rank + 1), toByteOffset: offset, as: UInt8.self)
        }
        try both[index].begin()
      }
      try both[1].finish(alongside: [both[0]])
      try both[0].finish()
      return unsafe Array(UnsafeRawBufferPointer(start: memory, count: 2 * expected.count))
    }
    for result in results { #expect(result == expected + expected) }
  }

  @Test("teams talk among themselves, the last one with the ranks that are left")
  func teams() throws {
    let results = try atRanks(5) { communicator in
      let team = communicator.team(of: 2)
      return [team.size, team.rank] + (try team.gatherNumbers([Double(communicator.rank)])).map(Int.init)
    }
    #expect(results == [[2, 0, 0, 1], [2, 1, 0, 1], [2, 0, 2, 3], [2, 1, 2, 3], [1, 0, 4]])
  }

  @Test("what is so at one rank is known at all")
  func any() throws {
    #expect(try atRanks(3) { try $0.any($0.rank == 2) } == [true, true, true])
    #expect(try atRanks(3) { try $0.any(false) } == [false, false, false])
  }
}
