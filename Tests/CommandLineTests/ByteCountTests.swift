import Testing

@testable import NNRunCLI

@Test(
  "a number of bytes is read as people write it",
  arguments: [("512M", 512 << 20), ("4G", 4 << 30), ("4gib", 4 << 30), ("1kB", 1024), ("1000", 1000), ("7b", 7)])
func byteCounts(_ text: String, _ bytes: Int) { #expect(ByteCount(argument: text)?.bytes == bytes) }

@Test("what is no number of bytes is refused", arguments: ["", "G", "0", "-1", "1.5G", "4X", "9000000T", "4 G", "1ib"])
func noByteCounts(_ text: String) { #expect(ByteCount(argument: text) == nil) }
