import FuzzTargets
import Glibc

// `Fuzz TARGET [libFuzzer's flags] FOLDER...` (`make fuzz`), or `Fuzz show < INPUT` for the model that bytes choose. The
// program's `main` is libFuzzer's, which calls these two.

/// Takes the target's name, the first word, out of what libFuzzer reads.
@_cdecl("LLVMFuzzerInitialize")
func initialize(
  _ count: UnsafeMutablePointer<CInt>, _ words: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> CInt {
  if unsafe count.pointee == 2, let name = unsafe words.pointee[1], unsafe strcmp(name, "show") == 0 {
    var input: [UInt8] = []
    while case let byte = getchar(), byte != EOF { input.append(UInt8(truncatingIfNeeded: byte)) }
    print(String(decoding: StyledModel.text(input.dropFirst()), as: UTF8.self), terminator: "")
    fflush(nil)
    _exit(0)
  }
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
