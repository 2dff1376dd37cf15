#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

import Engine

/// What else a machine did while something was timed.
public struct MachineNoise: Sendable {
  /// The seconds that it lasted.
  public let seconds: Double
  /// The processors that other programs kept busy, on average; nil where the system does not tell.
  public let otherProcessors: Double?
  /// The processors that the machine's host gave to others although they were wanted.
  public let stolenProcessors: Double?
  /// How often a second this process had to make room for another.
  public let interruptions: Double

  /// Why the times are not to be trusted, if they are not.
  var doubts: [String] {
    var doubts: [String] = []
    if let otherProcessors, otherProcessors > 0.2 {
      doubts.append("other programs kept \(Self.tenths(otherProcessors)) processors busy")
    }
    if let stolenProcessors, stolenProcessors > 0.05 {
      doubts.append("the machine's host took \(Int((stolenProcessors * 100).rounded())) % of a processor away")
    }
    if interruptions > 100 {
      doubts.append("other programs interrupted this one \(Int(interruptions)) times a second")
    }
    return doubts
  }

  private static func tenths(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}

extension MachineNoise {
  /// That of several stretches of time together.
  init(_ parts: [MachineNoise]) {
    let total = Swift.max(parts.reduce(0) { $0 + $1.seconds }, 1e-9)
    func mean(_ value: (MachineNoise) -> Double?) -> Double? {
      var sum = 0.0
      for part in parts {
        guard let value = value(part) else { return nil }
        sum += value * part.seconds
      }
      return sum / total
    }
    self.init(
      seconds: total, otherProcessors: mean(\.otherProcessors), stolenProcessors: mean(\.stolenProcessors),
      interruptions: mean(\.interruptions) ?? 0)
  }
}

/// Looks at the machine's counters, to see from one look to the next what it did.
struct MachineWatch {
  private let time = secondsNow()
  private let own: (seconds: Double, interruptions: Int)
  private let machine: (busy: Double, stolen: Double)?

  /// The counters now.
  init() {
    own = Self.ownCounters()
    machine = Self.machineCounters()
  }

  /// What happened since.
  func noise() -> MachineNoise {
    let now = MachineWatch()
    let seconds = Swift.max(now.time - time, 1e-9)
    let interruptions = Double(now.own.interruptions - own.interruptions) / seconds
    // The counters advance in hundredths of a second; over less they tell nothing.
    guard let before = machine, let after = now.machine, seconds > 0.2 else {
      return MachineNoise(
        seconds: seconds, otherProcessors: nil, stolenProcessors: nil,
        interruptions: seconds > 0.2 ? interruptions : 0)
    }
    let others = (after.busy - before.busy) - (now.own.seconds - own.seconds)
    return MachineNoise(
      seconds: seconds, otherProcessors: Swift.max(others, 0) / seconds,
      stolenProcessors: (after.stolen - before.stolen) / seconds, interruptions: interruptions)
  }

  /// The processor time of this process, and how often it had to make room.
  private static func ownCounters() -> (seconds: Double, interruptions: Int) {
    var usage = rusage()
    unsafe getrusage(thisProcess, &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }
    return (seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_nivcsw)
  }

  /// The seconds that all processors were busy, and those that the host kept from them; nil without `/proc`.
  private static func machineCounters() -> (busy: Double, stolen: Double)? {
    guard let line = systemFile("/proc/stat")?.split(separator: "\n").first else { return nil }
    let ticks = line.split(separator: " ").dropFirst().compactMap { Double($0) }
    guard ticks.count >= 8 else { return nil }
    let second = Double(Swift.max(sysconf(Int32(_SC_CLK_TCK)), 1))
    // user, nice, system, idle, waiting, interrupts, soft interrupts, stolen
    return ((ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) / second, ticks[7] / second)
  }
}

/// `RUSAGE_SELF`, which is a number on some systems and an enumeration on others.
private let thisProcess: Int32 = 0

/// The largest memory that this process has had resident, in bytes.
public func peakResidentBytes() -> Int {
  // The system's own count (`getrusage`) begins with the memory of the process that started this one.
  if let status = systemFile("/proc/self/status") {
    for line in status.split(separator: "\n") where line.hasPrefix("VmHWM:") {
      return 1024 * (Int(line.filter { ("0"..."9").contains($0) }) ?? 0)
    }
  }
  var usage = rusage()
  unsafe getrusage(thisProcess, &usage)
  #if os(Linux)
    return usage.ru_maxrss * 1024
  #else
    return usage.ru_maxrss
  #endif
}

/// The text of a file that the system makes up; nil where there is none.
private func systemFile(_ path: String) -> String? {
  let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return nil }
  defer { close(descriptor) }
  var bytes = [UInt8](repeating: 0, count: 16384)
  let count = unsafe read(descriptor, &bytes, bytes.count)
  return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
}
