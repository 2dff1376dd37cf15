package import Diagnostics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Something that all ranks do together in rounds of transfers. It goes on whenever it is looked at, so that computing can
/// go on meanwhile; it can be begun again and again, on the same memory.
package final class Collective {
  /// Transfers that are under way together, and what is done when they are there.
  struct Round {
    let begin: () throws(Failure) -> [any Transfer]
    var end: () -> Void = {}
  }

  private let rounds: [Round]
  private let communicator: Communicator
  private var round: Int
  private var transfers: [any Transfer] = []

  init(_ rounds: [Round], _ communicator: Communicator) {
    self.rounds = rounds
    self.communicator = communicator
    round = rounds.count
  }

  /// What is done when transfers that were begun are.
  convenience init(waitingFor transfers: [any Transfer], _ communicator: Communicator) {
    self.init([Round(begin: { [] })], communicator)
    (round, self.transfers) = (0, transfers)
  }

  /// Begins the first round.
  package func begin() throws(Failure) {
    try communicator.timed { () throws(Failure) in
      round = 0
      try beginRound()
      _ = try proceed()
    }
  }

  /// Goes on as far as can be without waiting; whether all is done.
  package func advance() throws(Failure) -> Bool {
    try communicator.timed { () throws(Failure) in try proceed() }
  }

  /// Waits until all is done; others that are under way go on meanwhile.
  package func finish(alongside others: [Collective] = []) throws(Failure) {
    try communicator.timed { () throws(Failure) in
      var pause = Pause()
      while try !proceed() {
        for other in others { _ = try other.proceed() }
        pause.next()
      }
    }
  }

  private func beginRound() throws(Failure) {
    if round < rounds.count { transfers = try rounds[round].begin() }
  }

  private func proceed() throws(Failure) -> Bool {
    while round < rounds.count {
      while let last = transfers.last {
        guard try last.isDone() else { return false }
        transfers.removeLast()
      }
      rounds[round].end()
      round += 1
      try beginRound()
    }
    return true
  }
}

/// Waiting that leaves the processor to others the longer it takes: where there are more ranks than cores, the one that is
/// waited for does not run meanwhile.
private struct Pause {
  private var turns = 0

  mutating func next() {
    turns += 1
    if turns < 100 { return }
    if turns < 2000 {
      sched_yield()
    } else {
      var pause = timespec(tv_sec: 0, tv_nsec: 20_000)
      _ = unsafe nanosleep(&pause, nil)
    }
  }
}

/// The numbers that ranks add.
package enum SummedType {
  case float
  case double

  var size: Int { self == .float ? 4 : 8 }

  /// target[i] += source[i].
  func add(_ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, count: Int) {
    switch self {
    case .float:
      let (source, target) = unsafe (
        source.assumingMemoryBound(to: Float.self), target.assumingMemoryBound(to: Float.self)
      )
      for place in 0..<count { unsafe target[place] += unsafe source[place] }
    case .double:
      let (source, target) = unsafe (
        source.assumingMemoryBound(to: Double.self), target.assumingMemoryBound(to: Double.self)
      )
      for place in 0..<count { unsafe target[place] += unsafe source[place] }
    }
  }
}

extension Communicator {
  /// Every rank's bytes at all ranks, one rank's after the other's: `counts` says how many each has; this rank's stand in
  /// their place of `whole` before.
  package func gathering(_ whole: UnsafeMutableRawPointer, counts: [Int]) -> Collective {
    let tag = nextTag()
    let starts = counts.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
    let part = { (rank: Int) in
      unsafe UnsafeMutableRawBufferPointer(start: whole + starts[rank], count: counts[rank])
    }
    return Collective(
      [
        Collective.Round(begin: { [self] () throws(Failure) in
          var transfers: [any Transfer] = []
          for distance in stride(from: 1, to: size, by: 1) {
            let (before, after) = ((rank + size - distance) % size, (rank + distance) % size)
            try unsafe receive(part(before), from: before, tag: tag, &transfers)
            try unsafe send(UnsafeRawBufferPointer(part(rank)), to: after, tag: tag, &transfers)
          }
          return transfers
        })
      ], self)
  }

  /// The sum of all ranks' numbers, in place and at all ranks, by a binary tree over the ranks: neighbours first, then
  /// neighbours of those, so that it has the same bits at each of them.
  ///
  /// Neighbours exchange halves of what they have and add, then pairs of pairs quarters, and so on; the way back hands the
  /// finished parts round (Rabenseifner 2004). Of a number of ranks that is no power of two, those beyond it add theirs to
  /// one of the others first.
  package func summing(_ values: UnsafeMutableRawPointer, count: Int, of type: SummedType) -> Collective {
    unsafe summing(values, count: count, of: type, tag: nextTag())
  }

  func summing(_ values: UnsafeMutableRawPointer, count: Int, of type: SummedType, tag: Int) -> Collective {
    let scratch = Scratch(bytes: count * type.size)
    func bytes(_ range: Range<Int>, of base: UnsafeMutableRawPointer) -> UnsafeMutableRawBufferPointer {
      unsafe UnsafeMutableRawBufferPointer(start: base + range.lowerBound * type.size, count: range.count * type.size)
    }
    /// Sends `given` to a rank and receives `taken`; adds it where `adds`.
    func round(_ other: Int, gives given: Range<Int>, takes taken: Range<Int>, adds: Bool) -> Collective.Round {
      let place = unsafe adds ? scratch.pointer : values
      return Collective.Round(
        begin: { [self] () throws(Failure) in
          var transfers: [any Transfer] = []
          try unsafe receive(bytes(taken, of: place), from: other, tag: tag, &transfers)
          try unsafe send(UnsafeRawBufferPointer(bytes(given, of: values)), to: other, tag: tag, &transfers)
          return transfers
        },
        end: {
          guard adds else { return }
          let offset = taken.lowerBound * type.size
          unsafe type.add(scratch.pointer + offset, to: values + offset, count: taken.count)
        })
    }
    var power = 1
    while power * 2 <= size { power *= 2 }
    if rank >= power {
      return Collective(
        [
          round(rank - power, gives: 0..<count, takes: 0..<0, adds: false),
          round(rank - power, gives: 0..<0, takes: 0..<count, adds: false),
        ], self)
    }
    var rounds: [Collective.Round] = []
    if rank + power < size { rounds.append(round(rank + power, gives: 0..<0, takes: 0..<count, adds: true)) }
    var ranges = [0..<count]
    var distance = 1
    while distance < power {
      let (kept, given) = halves(ranges[ranges.count - 1], lower: rank & distance == 0)
      rounds.append(round(rank ^ distance, gives: given, takes: kept, adds: true))
      ranges.append(kept)
      distance *= 2
    }
    while distance > 1 {
      distance /= 2
      let kept = ranges.removeLast()
      let (_, missing) = halves(ranges[ranges.count - 1], lower: rank & distance == 0)
      rounds.append(round(rank ^ distance, gives: kept, takes: missing, adds: false))
    }
    if rank + power < size { rounds.append(round(rank + power, gives: 0..<count, takes: 0..<0, adds: false)) }
    return Collective(rounds, self)
  }
}

/// A range's half to keep and the one to give.
private func halves(_ range: Range<Int>, lower: Bool) -> (kept: Range<Int>, given: Range<Int>) {
  let middle = range.lowerBound + (range.count + 1) / 2
  let (low, high) = (range.lowerBound..<middle, middle..<range.upperBound)
  return lower ? (low, high) : (high, low)
}

/// Memory that is there as long as the rounds that use it.
@safe
private final class Scratch {
  let pointer: UnsafeMutableRawPointer

  init(bytes: Int) { unsafe pointer = .allocate(byteCount: max(bytes, 1), alignment: 64) }

  deinit { unsafe pointer.deallocate() }
}
