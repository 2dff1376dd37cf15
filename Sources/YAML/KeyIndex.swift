/// Finds the entry of a mapping that bears a key, at once however many there are.
struct KeyIndex {
  /// Up to here, comparing one by one is quicker than hashing.
  private static let few = 24
  private var indices: [String: Int] = [:]

  /// The index of the entry under `key`, if there is one already.
  func index(of key: String, in entries: [Node.Entry]) -> Int? {
    var index = 0
    while index < min(entries.count, Self.few) {
      if entries[index].key == key { return index }
      index += 1
    }
    return entries.count > Self.few ? indices[key] : nil
  }

  /// Notes that the next entry is that under `key`.
  mutating func willAppend(_ key: String, to entries: [Node.Entry]) {
    if entries.count >= Self.few { indices[key] = entries.count }
  }
}
