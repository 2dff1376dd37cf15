import FuzzTargets
import Glibc

// `Fuzz TARGET [libFuzzer's flags] FOLDER...` (`make fuzz`). The program's `main` is libFuzzer's, which calls these two.

/// Takes the target's name, the first word, out of what libFuzzer reads.
@_cdecl("LLVMFuzzerInitialize")
func initialize(
  _ count: UnsafeMutablePointer<CInt>, _ words: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> CInt {
  guard unsafe count.pointee > 1, let name = unsafe words.pointee[1],
    let chosen = unsafe FuzzTarget(rawValue: String(cString: name))
  else {
    print("usage: Fuzz", FuzzTarget.allCases.map(\.rawValue).joined(separator: "|"), "[flags] FOLDER...")
    exit(64)
  }
  unsafe ChosenTarget.target = chosen
  unsafe words.pointee[1] = unsafe words.pointee[0]
  unsafe words.pointee += 1
  unsafe count.pointee -= 1
  return 0
}

/// One input.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  unsafe ChosenTarget.target.run(Array(UnsafeBufferPointer(start: data, count: size)))
  return 0
}
