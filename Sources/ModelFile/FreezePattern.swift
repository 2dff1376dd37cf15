import Layers

/// A path of `freeze`: it freezes what is at it or under it; `*` stands for any characters.
package struct FreezePattern {
  private let pattern: [UInt8]

  package init(_ pattern: String) { self.pattern = Array(pattern.utf8) }

  /// Whether the path, or a path that it lies under, matches.
  package func freezes(_ path: String) -> Bool {
    let path = Array(path.utf8)
    let dot = UInt8(ascii: ".")
    for end in 1..<(path.count + 1) where end == path.count || path[end] == dot {
      if matches(path[..<end]) { return true }
    }
    return false
  }

  package func matchesAnything(in model: Model) -> Bool {
    model.layers.contains { freezes($0.path) } || !frozenParameters(in: model).isEmpty
  }

  /// The parameters that are frozen in any of their places, by index.
  package func frozenParameters(in model: Model) -> Set<Int> {
    var frozen: Set<Int> = []
    for layer in model.layers {
      for index in layer.parameters {
        let parameter = model.parameters[index]
        if freezes("\(layer.path).\(parameter.declaration.name)") || freezes(parameter.path) { frozen.insert(index) }
      }
    }
    return frozen
  }

  /// Wildcard matching that goes back to the last star only, so that no pattern takes long.
  private func matches(_ path: ArraySlice<UInt8>) -> Bool {
    var (place, index) = (path.startIndex, 0)
    var retry: (place: Int, index: Int)?
    while place < path.endIndex {
      if index < pattern.count, pattern[index] == UInt8(ascii: "*") {
        retry = (place, index + 1)
        index += 1
      } else if index < pattern.count, pattern[index] == path[place] {
        place += 1
        index += 1
      } else if let last = retry {
        retry = (last.place + 1, last.index)
        (place, index) = (last.place + 1, last.index)
      } else {
        return false
      }
    }
    return pattern[index...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
