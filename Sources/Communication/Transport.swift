package import Diagnostics

/// Bytes on their way to a rank or from one.
package protocol Transfer: AnyObject {
  /// Whether they have arrived, or may be changed where they were sent; looking drives all transfers.
  func isDone() throws(Failure) -> Bool
}

/// How ranks reach one another: bytes from one to another, those of one tag in the order in which they were sent.
///
/// One thread at a time uses a transport. What cannot be sent or received ends the job, for its ranks wait for one another.
package protocol Transport: AnyObject, Sendable {
  /// The number of this process, from 0.
  var rank: Int { get }
  /// The number of processes.
  var size: Int { get }
  /// The number of processes on this host.
  var neighbours: Int { get }
  /// The host's name.
  var host: String { get }
  /// Begins to send bytes, which stay as they are until that is done.
  func send(_ bytes: UnsafeRawBufferPointer, to rank: Int, tag: Int) throws(Failure) -> any Transfer
  /// Begins to receive as many bytes as `bytes` holds.
  func receive(_ bytes: UnsafeMutableRawBufferPointer, from rank: Int, tag: Int) throws(Failure) -> any Transfer
  /// What is said at rank 0 if the job is killed from now on, where that can be said; empty for nothing.
  func prepareLastWords(_ text: String)
  /// Leaves the job; waits for the other ranks to do so.
  func finish()
  /// Ends the processes of all ranks.
  func abort(_ status: Int32)
}

/// The one process that there is without a job.
package final class SingleProcess: Transport {
  private final class Nothing: Transfer {
    func isDone() -> Bool { true }
  }

  package var rank: Int { 0 }
  package var size: Int { 1 }
  package var neighbours: Int { 1 }
  package var host: String { "" }

  package init() {}

  package func send(_: UnsafeRawBufferPointer, to _: Int, tag _: Int) -> any Transfer { Nothing() }
  package func receive(_: UnsafeMutableRawBufferPointer, from _: Int, tag _: Int) -> any Transfer { Nothing() }
  package func prepareLastWords(_: String) {}
  package func finish() {}
  package func abort(_: Int32) {}
}
