import Diagnostics
import YAML

/// What an entry of a list takes, once its names are resolved.
enum ListSource: Hashable {
  /// The entry with this index in the same list.
  case item(Int)
  /// The model's input with this index.
  case input(Int)
  /// What the owner of the list takes.
  case outer
}

/// Resolves the names in one list of layers and finds an order in which its entries can run.
struct ListOrder {
  /// For each entry what it takes; nil where a name could not be resolved.
  private(set) var sources: [[ListSource]?] = []
  /// The entries in an order in which they can run; those on a cycle are left out.
  private(set) var order: [Int] = []

  /// Resolves a list. `inputNames` are the model's inputs for the top list, and nil for a list inside something else.
  init(_ items: [LayerItem], inputNames: [String]?, sink: inout DiagnosticSink) {
    var indices: [String: Int] = [:]
    for (index, item) in items.enumerated() where indices[item.name] == nil { indices[item.name] = index }
    let inputIndices = Dictionary(
      (inputNames ?? []).enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })
    for (index, item) in items.enumerated() {
      if item.isBroken {
        sources.append(nil)
        continue
      }
      guard let names = item.inputs else {
        sources.append(Self.defaultSource(index, item, inputNames: inputNames, sink: &sink))
        continue
      }
      var resolved: [ListSource]? = []
      for input in names {
        // A layer that took an input's name is an error already; another about what follows would mislead.
        if let source = inputIndices[input.name] {
          resolved?.append(.input(source))
        } else if let source = indices[input.name] {
          resolved?.append(.item(source))
        } else if input.name == "outer", inputNames == nil {
          resolved?.append(.outer)
        } else {
          resolved = nil
          Self.reportUnknown(input, of: item, among: Array(indices.keys), inputNames, sink: &sink)
        }
      }
      sources.append(resolved)
    }
    sort(items, sink: &sink)
  }

  private static func defaultSource(
    _ index: Int, _ item: LayerItem, inputNames: [String]?, sink: inout DiagnosticSink
  ) -> [ListSource]? {
    if index > 0 { return [.item(index - 1)] }
    guard let inputNames else { return [.outer] }
    if inputNames.count == 1 { return [.input(0)] }
    sink.add(
      .missingInput,
      "the first layer takes the model's only input unless it names one, but the model has \(inputNames.count)",
      at: item.nameRange, notes: [DiagnosticNote("add `input:` with one of \(namesInWords(inputNames))")],
      uses: item.uses)
    return nil
  }

  private static func reportUnknown(
    _ input: LayerItem.InputName, of item: LayerItem, among names: [String], _ inputNames: [String]?,
    sink: inout DiagnosticSink
  ) {
    guard !sink.isFull(.error) else { return }
    let candidates = names.sorted() + (inputNames ?? ["outer"])
    let hint: String
    if let near = suggestion(for: input.name, among: candidates) {
      hint = "did you mean `\(near)`?"
    } else if inputNames == nil {
      hint = "inside a body or block, only its own layers and `outer` (what its owner takes) are seen"
    } else {
      hint = "there are \(namesInWords(candidates))"
    }
    sink.add(
      .unknownInput,
      "layer `\(item.path)` takes `\(input.name)`, but there is no such \(inputNames == nil ? "layer in this list" : "input or layer")",
      at: input.range, notes: [DiagnosticNote(hint)], uses: item.uses)
  }

  /// Orders the entries, each after what it takes and otherwise as they are listed (Kahn 1962).
  private mutating func sort(_ items: [LayerItem], sink: inout DiagnosticSink) {
    var followers = [[Int]](repeating: [], count: items.count)
    var waiting = [Int](repeating: 0, count: items.count)
    for (index, taken) in sources.enumerated() {
      for case .item(let source) in Set(taken ?? []) {
        followers[source].append(index)
        waiting[index] += 1
      }
    }
    var ready = items.indices.filter { waiting[$0] == 0 }
    var next = 0
    while next < ready.count {
      let index = ready[next]
      next += 1
      for follower in followers[index] {
        waiting[follower] -= 1
        if waiting[follower] == 0 { ready.append(follower) }
      }
    }
    order = ready
    reportCycles(items, among: Set(items.indices.filter { waiting[$0] > 0 }), sink: &sink)
  }

  /// Names every cycle among the entries that could not be ordered, each once.
  private func reportCycles(_ items: [LayerItem], among stuck: Set<Int>, sink: inout DiagnosticSink) {
    var visited: Set<Int> = []
    for start in stuck.sorted() where !visited.contains(start) {
      // Every entry here waits for another one here, so walking backwards must come round.
      var walk: [Int] = []
      var current = start
      while !visited.contains(current) {
        visited.insert(current)
        walk.append(current)
        let previous = (sources[current] ?? []).compactMap { source -> Int? in
          if case .item(let index) = source, stuck.contains(index) { index } else { nil }
        }.min()
        guard let previous else { break }
        current = previous
      }
      guard let first = walk.firstIndex(of: current) else { continue }
      // Backwards along inputs is against the flow: turn it round, beginning with the entry listed first.
      var cycle = Array(walk[first...].reversed())
      if let least = cycle.indices.min(by: { cycle[$0] < cycle[$1] }) {
        cycle = Array(cycle[least...] + cycle[..<least])
      }
      let names = (cycle + [cycle[0]]).map { items[$0].name }
      let notes = cycle.indices.map { position in
        let item = items[cycle[position]]
        let source = items[cycle[(position + cycle.count - 1) % cycle.count]].name
        let range = item.inputs?.first { $0.name == source }?.range ?? item.nameRange
        return DiagnosticNote("`\(item.name)` takes `\(source)` here", at: sink.place(range))
      }
      let item = items[cycle[0]]
      sink.add(
        .cycle, "the layers take each other's values in a circle: \(names.joined(separator: " -> "))",
        at: item.range(of: "input"), notes: notes, uses: item.uses)
    }
  }
}
