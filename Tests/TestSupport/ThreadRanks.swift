package import Communication
import Diagnostics
import Foundation
import Synchronization

/// Ranks that are threads of this process, so that what ranks do together is tested without MPI.
private final class ThreadTransport: Transport {
  /// The bytes on their way from one rank to another, by tag.
  final class Wires: Sendable {
    private struct Wire: Hashable {
      let from: Int
      let to: Int
      let tag: Int
    }

    let size: Int
    private let waiting = Mutex([Wire: [[UInt8]]]())

    init(size: Int) { self.size = size }

    func send(_ bytes: [UInt8], from: Int, to: Int, tag: Int) {
      waiting.withLock { $0[Wire(from: from, to: to, tag: tag), default: []].append(bytes) }
    }

    /// The next message, if it has come.
    func receive(from: Int, to: Int, tag: Int) -> [UInt8]? {
      waiting.withLock { waiting in
        let wire = Wire(from: from, to: to, tag: tag)
        guard waiting[wire]?.isEmpty == false else { return nil }
        return waiting[wire]?.removeFirst()
      }
    }
  }

  @safe
  private final class Arrival: Transfer {
    private let receive: () -> [UInt8]?
    private let target: UnsafeMutableRawBufferPointer
    private var isThere = false

    init(_ target: UnsafeMutableRawBufferPointer, _ receive: @escaping () -> [UInt8]?) {
      unsafe self.target = target
      self.receive = receive
    }

    func isDone() -> Bool {
      if isThere { return true }
      guard let bytes = receive() else { return false }
      precondition(unsafe bytes.count == target.count, "a message of another length than is expected")
      unsafe target.copyBytes(from: bytes)
      isThere = true
      return true
    }
  }

  private final class Departure: Transfer {
    func isDone() -> Bool { true }
  }

  let rank: Int
  let wires: Wires
  var size: Int { wires.size }
  var neighbours: Int { wires.size }
  var host: String { "here" }

  init(rank: Int, _ wires: Wires) {
    self.rank = rank
    self.wires = wires
  }

  func send(_ bytes: UnsafeRawBufferPointer, to rank: Int, tag: Int) -> any Transfer {
    unsafe wires.send(Array(bytes), from: self.rank, to: rank, tag: tag)
    return Departure()
  }

  func receive(_ bytes: UnsafeMutableRawBufferPointer, from rank: Int, tag: Int) -> any Transfer {
    unsafe Arrival(bytes) { [self] in wires.receive(from: rank, to: self.rank, tag: tag) }
  }

  func prepareLastWords(_ text: String) {}
  func finish() {}
  func abort(_ status: Int32) {}
}

/// Runs `body` at `count` ranks at once and returns what each gave; throws what the first of them threw.
package func atRanks<Value: Sendable>(
  _ count: Int, _ body: @escaping @Sendable (Communicator) throws -> Value
) throws -> [Value] {
  let wires = ThreadTransport.Wires(size: count)
  let results = Mutex([Result<Value, any Error>?](repeating: nil, count: count))
  let group = DispatchGroup()
  for rank in 0..<count {
    group.enter()
    let thread = Thread {
      let result = Result { try body(Communicator(ThreadTransport(rank: rank, wires))) }
      results.withLock { $0[rank] = result }
      group.leave()
    }
    thread.stackSize = 8 << 20
    thread.start()
  }
  group.wait()
  return try results.withLock { try $0.compactMap { try $0?.get() } }
}
