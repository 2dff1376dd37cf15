import ArgumentParser
import Communication
import Diagnostics
import Synchronization
import Tensors
import Training

/// The job of several processes that this one is a rank of; without one it is alone, and all of this does nothing.
enum Job {
  private static let joined = Result { () throws(Failure) in try joinJob() }

  /// Joins the job. Throws where it cannot be joined.
  static func join() throws(Failure) { _ = try joined.get() }

  /// What the ranks talk over.
  static let communicator = (try? joined.get()) ?? Communicator(SingleProcess())

  /// What is said should the job be killed from now on; `state` tells what became of the user's files.
  static func prepareLastWords(_ state: String) {
    guard !communicator.isAlone else { return }
    communicator.prepareLastWords(
      "nnrun: error: the job has ended early, for one of its \(communicator.size) ranks died or it was killed: \(state)\n"
    )
  }

  /// Whether a launcher started this process, if only as the single rank of a job.
  static var isStarted: Bool { Launch.current != nil }

  /// Whether this process prints and writes; the other ranks do not.
  static var leads: Bool { communicator.leads }

  /// The threads of this process: as many as were asked for, or its share of the host's cores.
  static func threads(_ wanted: Int?) -> Int? {
    communicator.isAlone ? wanted : wanted ?? communicator.threads(of: processorCount())
  }

  /// Does what every rank does before they work together. Where it fails at any of them all end, and rank 0 says why.
  static func agree<Value>(_ body: () throws -> Value) throws -> Value {
    if communicator.isAlone { return try body() }
    let result = Result { try body() }
    var report: [UInt8] = []
    if case .failure(let error) = result {
      let end = ending(of: error)
      report = UInt64(bitPattern: Int64(end.status)).littleEndianBytes + Array(end.message.utf8)
    }
    let reports = try communicator.gather(report)
    let failed = reports.firstIndex { !$0.isEmpty }
    let verdict = try communicator.broadcast(failed.map { Array(reports[$0].prefix(8)) } ?? [])
    guard !verdict.isEmpty else { return try result.get() }
    let status = Int32(truncatingIfNeeded: UInt64(littleEndianBytes: verdict[...]))
    guard leads, let failed else { throw AgreedEnd(error: ExitStatus(value: status)) }
    if failed == 0, case .failure(let error) = result { throw AgreedEnd(error: error) }
    let message = "rank \(failed): " + String(decoding: reports[failed].dropFirst(8), as: UTF8.self)
    throw AgreedEnd(error: Failure(Failure.Kind(rawValue: status) ?? .inputOutput, message))
  }

  /// Does what comes out alike at every rank: where the numbers diverge, the data is not fit or an interrupt came, each ends
  /// by itself. Any other failure is one rank's own.
  static func alike<Value>(_ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch let failure as Failure {
      let isCommon = [.checkFailed, .usage, .invalidData, .interrupted, .terminated].contains(failure.kind)
      if communicator.isAlone || !isCommon { throw failure }
      throw AgreedEnd(error: failure)
    }
  }

  /// Refuses what only rank 0 would get: a launcher gives it alone the standard input.
  static func refuseStandardInput(_ words: [String]) throws {
    guard !communicator.isAlone, words.contains(where: { $0 == "-" || $0.hasSuffix("=-") }) else { return }
    throw ValidationError("standard input reaches only one of the job's ranks; name a file that all of them can read")
  }

  /// The status that an error ends the process with, and what is said of it in one line.
  private static func ending(of error: any Error) -> (status: Int32, message: String) {
    // What was explained already, but not by a rank that does not print.
    let unsaid = Console.unsaid.withLock { $0 }
    func explained(_ status: Int32) -> String { unsaid.isEmpty ? "it failed with status \(status)" : unsaid }
    if let failure = error as? Failure {
      let message = failure.message.isEmpty ? failure.diagnostics.first?.message : failure.message
      return (failure.kind.rawValue, message ?? explained(failure.kind.rawValue))
    }
    if let status = error as? ExitStatus { return (status.value, explained(status.value)) }
    return (Nnrun.exitCode(for: error).rawValue, Nnrun.message(for: error))
  }
}

/// An end that all ranks know of: each leaves the job by itself.
struct AgreedEnd: Error {
  let error: any Error
}
