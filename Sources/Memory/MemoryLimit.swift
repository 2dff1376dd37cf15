import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How much memory the process may take: what `--max-memory` says, and in any case no more than the machine has free.
///
/// Standard containers end the process where memory is short, and a system that is out of memory kills it. So whatever
/// is large, and as large as somebody's file says, is asked for here first.
public enum MemoryLimit {
  /// The limit that was given, in bytes; 0 where none was.
  private static let given = Atomic<Int>(0)

  /// Sets the most bytes that the process may take in all.
  public static func set(_ bytes: Int) { given.store(max(bytes, 1), ordering: .relaxed) }

  /// Whether so many bytes more can be had now; nothing is kept. What is small is not asked for.
  public static func allows(_ bytes: Int) -> Bool {
    let limit = given.load(ordering: .relaxed)
    guard bytes > (limit > 0 ? 1 << 18 : 1 << 24) else { return true }
    if limit > 0, bytes > limit - residentMemory() { return false }
    guard bytes <= freeMemory(), let probe = unsafe malloc(bytes) else { return false }
    unsafe free(probe)
    return true
  }

  /// The bytes that the process takes now.
  static func residentMemory() -> Int {
    let fields = contents("/proc/self/statm").split(separator: UInt8(ascii: " "))
    return fields.count > 1 ? number(fields[1]) &* sysconf(Int32(_SC_PAGESIZE)) : 0
  }

  /// The bytes that the machine, or the control group that the process runs in, has free.
  static func freeMemory() -> Int {
    let physical = max(1 << 26, sysconf(Int32(_SC_PHYS_PAGES)) &* sysconf(Int32(_SC_PAGESIZE)))
    let available = field("MemAvailable:", of: contents("/proc/meminfo")).map { $0 << 10 }
    return min(available ?? physical, groupMemory() ?? .max)
  }

  /// What is left to the control group (version 2, then 1); files that are only cached can go. Nil without a limit.
  private static func groupMemory() -> Int? {
    for (folder, limit, usage) in [
      ("/sys/fs/cgroup/", "memory.max", "memory.current"),
      ("/sys/fs/cgroup/memory/", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ] {
      // Without a limit there is the word `max`, or a number beyond all memory.
      let most = number(contents(folder + limit)[...])
      guard most > 0, most < 1 << 60 else { continue }
      let statistics = contents(folder + "memory.stat")
      let cached = ["inactive_file ", "active_file "].reduce(0) { $0 + (field($1, of: statistics) ?? 0) }
      return max(0, most - max(0, number(contents(folder + usage)[...]) - cached))
    }
    return nil
  }

  /// The number behind a name at the beginning of a line.
  private static func field(_ name: String, of text: [UInt8]) -> Int? {
    for line in text.split(separator: UInt8(ascii: "\n")) where line.starts(with: name.utf8) {
      return number(line.dropFirst(name.utf8.count))
    }
    return nil
  }

  private static func number(_ text: ArraySlice<UInt8>) -> Int {
    let digits = text.drop { $0 == UInt8(ascii: " ") }.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    return Int(String(decoding: digits, as: UTF8.self)) ?? 0
  }

  /// The beginning of a file of the system; empty where there is none.
  private static func contents(_ path: String) -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 1 << 13)
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
    return Array(bytes.prefix(max(count, 0)))
  }
}
