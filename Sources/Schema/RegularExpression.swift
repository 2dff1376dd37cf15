/// A regular expression that is searched for in time linear in the text: Thompson's construction, all states at once.
///
/// A pattern of somebody else's schema must not be able to hang the program, so there is no backtracking
/// (docs/decisions/regular-expressions.md).
struct RegularExpression {
  private enum Instruction {
    case scalar(Unicode.Scalar)
    case characters(Int)
    case split(Int, Int)
    case jump(Int)
    case start
    case end
    case wordBoundary(isNegated: Bool)
    case match
  }

  /// The pattern as it was written.
  let pattern: String
  private var program: [Instruction] = []
  private var classes: [CharacterClass] = []
  /// What a text has to begin with, where the pattern asks for nothing else (`^x-`).
  private var wholePrefix: String?
  private static let maximumProgram = 5_000

  init(_ pattern: String) throws(PatternError) {
    self.pattern = pattern
    var parser = RegularExpressionParser(pattern)
    try emit(parser.parse())
    try append(.match)
    let prefix = literalPrefix
    if case .start? = program.first, program.count == prefix.unicodeScalars.count + 2 { wholePrefix = prefix }
  }

  /// The characters that every match begins the text with, where the pattern says so plainly (`^\$…`).
  var literalPrefix: String {
    var prefix = String.UnicodeScalarView()
    guard case .start? = program.first else { return "" }
    for instruction in program.dropFirst() {
      guard case .scalar(let scalar) = instruction else { break }
      prefix.append(scalar)
    }
    return String(prefix)
  }

  private mutating func append(_ instruction: Instruction) throws(PatternError) {
    guard program.count < Self.maximumProgram else { throw PatternError(message: "it is too large") }
    program.append(instruction)
  }

  private mutating func emit(_ tree: PatternTree) throws(PatternError) {
    switch tree {
    case .scalar(let scalar): try append(.scalar(scalar))
    case .characters(let characters):
      classes.append(characters)
      try append(.characters(classes.count - 1))
    case .start: try append(.start)
    case .end: try append(.end)
    case .wordBoundary(let isNegated): try append(.wordBoundary(isNegated: isNegated))
    case .sequence(let parts):
      for part in parts { try emit(part) }
    case .alternatives(let branches):
      var exits: [Int] = []
      for (index, branch) in branches.enumerated() {
        let isLast = index == branches.count - 1
        let split = program.count
        if !isLast { try append(.split(split + 1, 0)) }
        try emit(branch)
        if !isLast {
          exits.append(program.count)
          try append(.jump(0))
          program[split] = .split(split + 1, program.count)
        }
      }
      for exit in exits { program[exit] = .jump(program.count) }
    case .repeated(let part, let minimum, let maximum):
      for _ in 0..<minimum { try emit(part) }
      if let maximum {
        var exits: [Int] = []
        for _ in minimum..<maximum {
          exits.append(program.count)
          try append(.split(program.count + 1, 0))
          try emit(part)
        }
        for exit in exits { program[exit] = .split(exit + 1, program.count) }
      } else {
        let split = program.count
        try append(.split(split + 1, 0))
        try emit(part)
        try append(.jump(split))
        program[split] = .split(split + 1, program.count)
      }
    }
  }

  /// Whether the pattern matches anywhere in `text`; `steps` counts the work down and ends the search at zero.
  func matches(_ text: String, steps: inout Int) -> Bool {
    if let wholePrefix {
      steps -= 1
      return text.utf8.starts(with: wholePrefix.utf8)
    }
    var search = Search(count: program.count)
    var iterator = text.unicodeScalars.makeIterator()
    var previous: Unicode.Scalar?
    var current = iterator.next()
    let isAnchored = if case .start? = program.first { true } else { false }
    while true {
      if !isAnchored || previous == nil, add(0, to: &search, previous: previous, next: current, steps: &steps) {
        return true
      }
      guard let scalar = current, !search.states.isEmpty || !isAnchored, steps > 0 else { return false }
      let following = iterator.next()
      search.advance()
      steps -= search.taken.count + 1
      for place in search.taken.indices {
        let state = search.taken[place]
        let isTaken =
          switch program[state] {
          case .scalar(let wanted): wanted == scalar
          case .characters(let index): classes[index].contains(scalar)
          default: false
          }
        if isTaken, add(state + 1, to: &search, previous: scalar, next: following, steps: &steps) { return true }
      }
      previous = scalar
      current = following
    }
  }

  /// The states of a search, each at most once for a position of the text.
  private struct Search {
    var states: [Int] = []
    /// The states before the last character.
    private(set) var taken: [Int] = []
    var pending: [Int] = []
    private var marks: [Int]
    private var generation = 1

    init(count: Int) { marks = Array(repeating: 0, count: count) }

    mutating func mark(_ state: Int) -> Bool {
      if marks[state] == generation { return false }
      marks[state] = generation
      return true
    }

    mutating func advance() {
      swap(&states, &taken)
      states.removeAll(keepingCapacity: true)
      generation += 1
    }
  }

  /// Adds the states that `state` leads to without taking a character; true where that is the match.
  private func add(
    _ state: Int, to search: inout Search, previous: Unicode.Scalar?, next: Unicode.Scalar?, steps: inout Int
  ) -> Bool {
    search.pending.append(state)
    while let state = search.pending.popLast() {
      guard search.mark(state) else { continue }
      steps -= 1
      switch program[state] {
      case .match:
        search.pending.removeAll(keepingCapacity: true)
        return true
      case .jump(let target): search.pending.append(target)
      case .split(let first, let second): search.pending += [second, first]
      case .start: if previous == nil { search.pending.append(state + 1) }
      case .end: if next == nil { search.pending.append(state + 1) }
      case .wordBoundary(let isNegated):
        let isBoundary = (previous.map(CharacterClass.isWord) ?? false) != (next.map(CharacterClass.isWord) ?? false)
        if isBoundary != isNegated { search.pending.append(state + 1) }
      case .scalar, .characters: search.states.append(state)
      }
    }
    return false
  }
}
