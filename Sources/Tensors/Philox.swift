/// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw ("Parallel random numbers: as easy as
/// 1, 2, 3", SC 2011): block `i` of a stream is a function of the seed, the stream's name and `i` alone.
public struct Philox: Sendable {
  private let key: (UInt32, UInt32)
  private let seed: (UInt32, UInt32)

  /// The stream called `stream` (a parameter's path, a purpose) under a seed.
  public init(seed: UInt64, stream: String) {
    // FNV-1a; streams need to differ, the generator does the mixing.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in stream.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    self.init(key: hash, counterHigh: seed)
  }

  /// The generator as its authors define it: 64 bits of key, and the upper 64 of the counter's 128 bits.
  init(key: UInt64, counterHigh: UInt64) {
    self.key = (UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32))
    seed = (UInt32(truncatingIfNeeded: counterHigh), UInt32(truncatingIfNeeded: counterHigh >> 32))
  }

  /// The 128 bits of block `index`.
  public func block(_ index: UInt64) -> SIMD4<UInt32> {
    var counter = SIMD4(UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32), seed.0, seed.1)
    var (key0, key1) = key
    for _ in 0..<10 {
      let first = UInt64(counter.x) &* 0xD251_1F53
      let second = UInt64(counter.z) &* 0xCD9E_8D57
      counter = SIMD4(
        UInt32(truncatingIfNeeded: second >> 32) ^ counter.y ^ key0, UInt32(truncatingIfNeeded: second),
        UInt32(truncatingIfNeeded: first >> 32) ^ counter.w ^ key1, UInt32(truncatingIfNeeded: first))
      key0 &+= 0x9E37_79B9
      key1 &+= 0xBB67_AE85
    }
    return counter
  }

  /// Two numbers of block `index`, uniform over the multiples of 2^-53 in [0, 1).
  public func uniformPair(_ index: UInt64) -> (Double, Double) {
    let block = block(index)
    func unit(_ high: UInt32, _ low: UInt32) -> Double {
      Double((UInt64(high) << 32 | UInt64(low)) >> 11) * 0x1p-53
    }
    return (unit(block.x, block.y), unit(block.z, block.w))
  }
}
