import CLibFuzzer
import FuzzTargets
import Glibc

/// `Fuzz TARGET [libFuzzer's flags] FOLDER...` (`make fuzz`).
@main
enum Fuzz {
  nonisolated(unsafe) private static var target = FuzzTarget.yaml

  static func main() {
    guard CommandLine.arguments.count > 1, let chosen = FuzzTarget(rawValue: CommandLine.arguments[1]) else {
      print("usage: Fuzz", FuzzTarget.allCases.map(\.rawValue).joined(separator: "|"), "[flags] FOLDER...")
      exit(64)
    }
    unsafe target = chosen
    // libFuzzer sees the program's name and what follows the target's.
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv + 1
    unsafe arguments?.pointee = CommandLine.unsafeArgv.pointee
    var count = CommandLine.argc - 1
    let status = unsafe LLVMFuzzerRunDriver(&count, &arguments) { data, size in
      guard let data = unsafe data else { return 0 }
      unsafe Fuzz.target.run(Array(UnsafeBufferPointer(start: data, count: size)))
      return 0
    }
    exit(status)
  }
}
