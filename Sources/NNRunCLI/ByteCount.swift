import ArgumentParser

/// A number of bytes as people write it: `512M`, `4G`, `4GiB` or `1000000`; K, M, G and T are powers of 1,024.
struct ByteCount: ExpressibleByArgument, Equatable {
  let bytes: Int

  init?(argument: String) {
    let digits = argument.prefix { ("0"..."9").contains($0) }
    let powers = ["": 0, "b": 0, "k": 10, "m": 20, "g": 30, "t": 40]
    var unit = argument.dropFirst(digits.count).lowercased()
    for ending in ["ib", "b"] where unit.count > ending.count && unit.hasSuffix(ending) {
      unit.removeLast(ending.count)
      break
    }
    guard let count = Int(digits), count > 0, let power = powers[unit], count <= Int.max >> power else { return nil }
    bytes = count << power
  }
}
