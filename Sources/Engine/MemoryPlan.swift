/// Where each buffer lies in one block of memory, so that those whose lifetimes do not meet share places.
struct MemoryPlan {
  /// The offset of every buffer in floats; nil for those that lie outside.
  let offsets: [Int?]
  /// The size of the block in floats.
  let count: Int

  /// Largest buffers first, each at the lowest place that is free during its life.
  ///
  /// `lifetimes[i]` is the first and the last step that touches buffer i, nil if none does.
  init(sizes: [Int], lifetimes: [ClosedRange<Int>?]) {
    var offsets = [Int?](repeating: nil, count: sizes.count)
    var placed: [(range: Range<Int>, life: ClosedRange<Int>)] = []
    var count = 0
    let order = sizes.indices.filter { lifetimes[$0] != nil }.sorted { (sizes[$1], $0) < (sizes[$0], $1) }
    for index in order {
      guard let life = lifetimes[index] else { continue }
      // A cache line apart, and not in step: rows of different buffers must not fall on the same cache sets.
      let size = (sizes[index] + 15) / 16 * 16 + 16
      var start = 0
      for (range, _) in placed.filter({ $0.life.overlaps(life) }).sorted(by: {
        $0.range.lowerBound < $1.range.lowerBound
      }) {
        if start + size <= range.lowerBound { break }
        start = max(start, range.upperBound)
      }
      offsets[index] = start
      placed.append((start..<start + size, life))
      count = max(count, start + size)
    }
    self.offsets = offsets
    self.count = count
  }

  /// The sizes of what is alive during each of so many steps, added up.
  static func live(sizes: [Int], lifetimes: [ClosedRange<Int>?], steps: Int) -> [Int] {
    var changes = [Int](repeating: 0, count: steps + 1)
    for (size, life) in zip(sizes, lifetimes) {
      guard let life, life.lowerBound < steps else { continue }
      changes[life.lowerBound] += size
      changes[min(life.upperBound, steps - 1) + 1] -= size
    }
    var sum = 0
    return changes.prefix(steps).map { change in
      sum += change
      return sum
    }
  }
}
