#if MPI
  import CMPI
  package import Diagnostics

  #if canImport(Glibc)
    import Glibc
  #elseif canImport(Musl)
    import Musl
  #else
    import Darwin
  #endif

  /// The processes that a launcher such as `mpirun` started, by the Message Passing Interface.
  package final class MPITransport: Transport {
    package let rank: Int
    package let size: Int
    package let neighbours: Int
    package let host: String
    /// The most bytes of one message; MPI counts them in 32 bits.
    private static let pieceSize = 1 << 30

    /// What records for the process that outlives this one are written to; -1 where there is none.
    private let watch: Int32

    /// Joins the job as the launcher says.
    package init(_ launch: Launch) throws(Failure) {
      watch = launch.rank == 0 && launch.size > 1 ? nnrun_watch_start() : -1
      var (rank, size, neighbours): (Int32, Int32, Int32) = (0, 1, 1)
      let error = unsafe nnrun_mpi_start(&rank, &size, &neighbours)
      guard error == 0 else {
        throw Failure(.inputOutput, "the MPI job cannot be joined: \(Self.message(of: error))")
      }
      self.rank = Int(rank)
      self.size = Int(size)
      self.neighbours = max(1, Int(neighbours))
      host = unsafe Self.text { unsafe _ = nnrun_mpi_host($0, $1) }
    }

    package func send(_ bytes: UnsafeRawBufferPointer, to rank: Int, tag: Int) throws(Failure) -> any Transfer {
      try transfer(bytes.count, rank) { start, count, request in
        guard let base = bytes.baseAddress else { return 0 }
        return unsafe nnrun_mpi_send(base + start, count, Int32(rank), Int32(tag), &request)
      }
    }

    package func receive(
      _ bytes: UnsafeMutableRawBufferPointer, from rank: Int, tag: Int
    ) throws(Failure) -> any Transfer {
      try transfer(bytes.count, rank) { start, count, request in
        guard let base = bytes.baseAddress else { return 0 }
        return unsafe nnrun_mpi_receive(base + start, count, Int32(rank), Int32(tag), &request)
      }
    }

    /// Begins a transfer with a rank in as many requests as MPI's counts need.
    private func transfer(
      _ size: Int, _ rank: Int, begin: (_ start: Int, _ count: Int32, inout nnrun_mpi_transfer) -> Int32
    ) throws(Failure) -> MPITransfer {
      let transfer = MPITransfer(rank)
      for start in stride(from: 0, to: size, by: Self.pieceSize) {
        var request = nnrun_mpi_transfer()
        try Self.check(begin(start, Int32(min(size - start, Self.pieceSize)), &request), rank)
        transfer.requests.append(request)
      }
      return transfer
    }

    package func prepareLastWords(_ text: String) {
      guard watch >= 0 else { return }
      // A zero ends the text; what is too long for a record is cut.
      let length = nnrun_watch_record
      let record = Array(text.utf8.prefix(length - 1))
      _ = unsafe write(watch, record + [UInt8](repeating: 0, count: length - record.count), length)
    }

    package func finish() { _ = nnrun_mpi_finish() }
    package func abort(_ status: Int32) { nnrun_mpi_abort(status) }

    fileprivate static func check(_ error: Int32, _ rank: Int) throws(Failure) {
      guard error != 0 else { return }
      throw Failure(
        .inputOutput, "rank \(rank) cannot be reached any more: \(message(of: error))")
    }

    private static func message(of error: Int32) -> String {
      unsafe text { unsafe nnrun_mpi_message(error, $0, $1) }
    }

    /// What a function of C writes as a text.
    private static func text(_ fill: (UnsafeMutablePointer<CChar>, Int32) -> Void) -> String {
      unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1024) { buffer in
        guard let start = buffer.baseAddress else { return "" }
        unsafe start.initialize(repeating: 0, count: buffer.count)
        unsafe fill(start, Int32(buffer.count))
        return unsafe String(cString: start)
      }
    }
  }

  /// A message in as many pieces as MPI needs.
  private final class MPITransfer: Transfer {
    var requests: [nnrun_mpi_transfer] = []
    private let rank: Int

    init(_ rank: Int) { self.rank = rank }

    func isDone() throws(Failure) -> Bool {
      while !requests.isEmpty {
        var isDone: Int32 = 0
        try MPITransport.check(unsafe nnrun_mpi_test(&requests[requests.count - 1], &isDone), rank)
        guard isDone != 0 else { return false }
        requests.removeLast()
      }
      return true
    }
  }
#endif
