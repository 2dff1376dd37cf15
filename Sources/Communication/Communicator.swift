package import Diagnostics
import Synchronization

/// What the ranks of a job say to one another together: every one makes the same calls in the same order.
package final class Communicator: Sendable {
  /// What passed over a communicator.
  package struct Traffic: Sendable {
    /// The seconds spent in it, waiting for others included.
    package var seconds = 0.0
    /// The bytes sent.
    package var bytes = 0
  }

  private final class Meter: Sendable {
    let traffic = Mutex(Traffic())
    /// The tag of the next collective; those before are for messages.
    let tag = Mutex(2)
  }

  private let transport: any Transport
  private let meter: Meter
  /// The rank of the transport that is 0 here.
  private let first: Int
  /// The number of this process, from 0.
  package let rank: Int
  /// The number of processes.
  package let size: Int

  /// The ranks that a transport reaches.
  package init(_ transport: any Transport) {
    self.transport = transport
    (first, rank, size) = (0, transport.rank, transport.size)
    meter = Meter()
  }

  private init(_ whole: Communicator, _ ranks: Range<Int>) {
    (transport, meter) = (whole.transport, whole.meter)
    (first, rank, size) = (whole.first + ranks.lowerBound, whole.rank - ranks.lowerBound, ranks.count)
  }

  /// The ranks in teams of so many, as far as they go: this rank's team, which talks among itself.
  package func team(of count: Int) -> Communicator {
    let start = rank / count * count
    return Communicator(self, start..<min(start + count, size))
  }

  /// Whether this is the only process.
  package var isAlone: Bool { size == 1 }
  /// Whether this process is the one that prints, saves and writes.
  package var leads: Bool { rank == 0 }
  /// What passed so far.
  package var traffic: Traffic { meter.traffic.withLock { $0 } }
  /// This rank in messages.
  package var name: String { transport.host.isEmpty ? "rank \(rank)" : "rank \(rank) on \(transport.host)" }

  /// A rank's share of the host's `cores`, at least one.
  package func threads(of cores: Int) -> Int { max(1, cores / transport.neighbours) }

  /// This rank's share of `count` things, in order and as even as can be.
  package func share(of count: Int) -> Range<Int> { share(of: count, rank: rank) }

  /// The share of another rank.
  package func share(of count: Int, rank: Int) -> Range<Int> { count * rank / size..<count * (rank + 1) / size }

  /// What rank 0 has said for it if the job is killed from now on, as it is where a rank dies; empty for nothing.
  package func prepareLastWords(_ text: String) { transport.prepareLastWords(text) }

  /// Leaves the job once all ranks do.
  package func finish() { transport.finish() }

  /// Ends the processes of all ranks.
  package func abort(_ status: Int32) { transport.abort(status) }

  // MARK: - Transfers

  func nextTag() -> Int {
    // MPI promises tags up to 32767; what is under way at once is far less.
    meter.tag.withLock { tag in
      tag = tag == 32_000 ? 2 : tag + 1
      return tag
    }
  }

  /// Counts the time that `body` takes.
  func timed<Value>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
    let start = ContinuousClock.now
    let value = try body()
    let taken = start.duration(to: .now).components
    meter.traffic.withLock { $0.seconds += Double(taken.seconds) + Double(taken.attoseconds) * 1e-18 }
    return value
  }

  func send(
    _ bytes: UnsafeRawBufferPointer, to rank: Int, tag: Int, _ transfers: inout [any Transfer]
  ) throws(Failure) {
    guard bytes.count > 0 else { return }
    transfers.append(try unsafe transport.send(bytes, to: first + rank, tag: tag))
    meter.traffic.withLock { $0.bytes += bytes.count }
  }

  func receive(
    _ bytes: UnsafeMutableRawBufferPointer, from rank: Int, tag: Int, _ transfers: inout [any Transfer]
  ) throws(Failure) {
    guard bytes.count > 0 else { return }
    transfers.append(try unsafe transport.receive(bytes, from: first + rank, tag: tag))
  }

  /// Whether something is so at any of the ranks.
  package func any(_ isSo: Bool) throws(Failure) -> Bool {
    if isAlone { return isSo }
    var failure: Failure?
    var count = isSo ? 1.0 : 0
    unsafe withUnsafeMutableBytes(of: &count) { bytes in
      guard let base = bytes.baseAddress else { return }
      do throws(Failure) {
        let sum = unsafe summing(base, count: 1, of: .double, tag: 0)
        try sum.begin()
        try sum.finish()
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return count > 0
  }

  /// What was found by each rank on its own: where any failed, all throw what the first of them did.
  package func agree<Value>(_ result: Result<Value, Failure>) throws(Failure) -> Value {
    if isAlone { return try result.get() }
    var report: [UInt8] = []
    if case .failure(let failure) = result {
      report = UInt64(failure.kind.rawValue).littleEndianBytes + Array(failure.message.utf8)
    }
    let first = try broadcast(try gather(report).first { !$0.isEmpty } ?? [])
    guard !first.isEmpty else { return try result.get() }
    let kind = Failure.Kind(rawValue: Int32(truncatingIfNeeded: UInt64(littleEndianBytes: first[..<8])))
    throw Failure(kind ?? .inputOutput, String(decoding: first[8...], as: UTF8.self))
  }

  // MARK: - Bytes

  /// Sends bytes of any number to a rank, which receives them by `receive`.
  package func send(_ bytes: [UInt8], to receiver: Int) throws(Failure) {
    try transfer(UInt64(bytes.count).littleEndianBytes, to: receiver)
    if !bytes.isEmpty { try transfer(bytes, to: receiver) }
  }

  /// Receives what `sender` sends.
  package func receive(from sender: Int) throws(Failure) -> [UInt8] {
    let count = UInt64(littleEndianBytes: try transfer(8, from: sender)[...])
    return count == 0 ? [] : try transfer(Int(count), from: sender)
  }

  private func transfer(_ bytes: [UInt8], to receiver: Int) throws(Failure) {
    var failure: Failure?
    unsafe bytes.withUnsafeBytes { bytes in
      do throws(Failure) {
        var transfers: [any Transfer] = []
        try unsafe send(bytes, to: receiver, tag: 1, &transfers)
        try Collective(waitingFor: transfers, self).finish()
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }

  private func transfer(_ count: Int, from sender: Int) throws(Failure) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var failure: Failure?
    unsafe bytes.withUnsafeMutableBytes { bytes in
      do throws(Failure) {
        var transfers: [any Transfer] = []
        try unsafe receive(bytes, from: sender, tag: 1, &transfers)
        try Collective(waitingFor: transfers, self).finish()
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// Rank 0's bytes, everywhere.
  package func broadcast(_ bytes: [UInt8]) throws(Failure) -> [UInt8] {
    var bytes = bytes
    // A binomial tree: who has them passes them on to the rank at twice the distance.
    var distance = 1
    while distance < size {
      if rank < distance {
        if rank + distance < size { try send(bytes, to: rank + distance) }
      } else if rank < 2 * distance {
        bytes = try receive(from: rank - distance)
      }
      distance *= 2
    }
    return bytes
  }

  /// Every rank's bytes at rank 0, in the order of the ranks; nothing at the others.
  package func gather(_ bytes: [UInt8]) throws(Failure) -> [[UInt8]] {
    guard leads else {
      try send(bytes, to: 0)
      return []
    }
    var all = [bytes]
    for other in 1..<max(size, 1) { all.append(try receive(from: other)) }
    return all
  }

  /// Every rank's numbers, one rank's after the other's, at all ranks.
  package func gatherNumbers(_ numbers: [Double]) throws(Failure) -> [Double] {
    if isAlone { return numbers }
    let all = try gather(numbers.flatMap { $0.bitPattern.littleEndianBytes })
    let bytes = try broadcast(Array(all.joined()))
    return stride(from: 0, to: bytes.count, by: 8).map {
      Double(bitPattern: UInt64(littleEndianBytes: bytes[$0..<$0 + 8]))
    }
  }

  /// Waits until every rank is here.
  package func barrier() throws(Failure) {
    _ = try gather([])
    _ = try broadcast([])
  }
}

extension UInt64 {
  /// The eight bytes, the least significant one first.
  package var littleEndianBytes: [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: self >> (8 * UInt64($0))) } }

  /// The number of eight such bytes.
  package init(littleEndianBytes bytes: ArraySlice<UInt8>) {
    self = bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
