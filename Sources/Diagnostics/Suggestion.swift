/// The candidate that a person who wrote `word` probably meant, by edit distance; nil where none is near.
///
/// The distance counts letters added, dropped, changed or swapped with their neighbour (Damerau and Levenshtein, each
/// letter edited once); a third of the letters may differ. Another case and `_` for `-` hardly count. Of equally near
/// candidates the first wins. Of very many, the first thousand are looked at.
public func suggestion(for word: String, among candidates: some Sequence<String>) -> String? {
  let letters = Array(word.unicodeScalars)
  guard !letters.isEmpty, letters.count <= 64 else { return nil }
  var best: (candidate: String, distance: Int)?
  for candidate in candidates.prefix(1000) where candidate != word {
    let other = Array(candidate.unicodeScalars)
    let longest = max(letters.count, other.count)
    // At most one edit for every three letters, and one for the shortest words, but never all of a word.
    let most = max(1, longest / 3) * edit
    guard longest <= 64, abs(letters.count - other.count) * edit <= most else { continue }
    let distance = editDistance(letters, other)
    guard distance <= most, distance < longest * edit, distance < best?.distance ?? .max else { continue }
    best = (candidate, distance)
  }
  return best?.candidate
}

/// What one edit counts.
private let edit = 16

/// The optimal string alignment distance.
private func editDistance(_ first: [Unicode.Scalar], _ second: [Unicode.Scalar]) -> Int {
  var beforePrevious: [Int] = []
  var previous = (0...second.count).map { $0 * edit }
  for row in first.indices {
    var current = [(row + 1) * edit]
    for column in second.indices {
      let change = cost(first[row], second[column])
      var distance = min(previous[column] + change, previous[column + 1] + edit, current[column] + edit)
      if row > 0, column > 0, first[row] == second[column - 1], first[row - 1] == second[column] {
        distance = min(distance, beforePrevious[column - 1] + edit)
      }
      current.append(distance)
    }
    beforePrevious = previous
    previous = current
  }
  return previous[second.count]
}

/// What it costs to write `second` for `first`.
private func cost(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> Int {
  if first == second { return 0 }
  func folded(_ scalar: Unicode.Scalar) -> UInt32 {
    switch scalar {
    case "A"..."Z": scalar.value + 32
    case "_", " ": 45
    default: scalar.value
    }
  }
  return folded(first) == folded(second) ? 1 : edit
}
