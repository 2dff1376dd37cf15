/// Command lines whose words are plain: options by their own names, each value a word of its own, everything given once.
///
/// ArgumentParser works out every option with its help, by reflection, before it looks at a word. That takes longer than a
/// small model's whole run, so that the usual command lines are read here (docs/decisions/plain-command-lines.md).
extension ModelRun {
  /// The run that plain words ask for.
  ///
  /// Nil where they are not plain, or ask for what cannot be: ArgumentParser reads those, and says what is wrong.
  init?(plain words: some Collection<String>) {
    self.init()
    var words = words.makeIterator()
    func isPlain(_ word: String) -> Bool { word.utf8.first.map { $0 != UInt8(ascii: "-") } ?? false }
    func set<Value>(_ option: inout Value?, _ make: (String) -> Value?) -> Bool {
      guard option == nil, let word = words.next(), isPlain(word), let value = make(word) else { return false }
      option = value
      return true
    }
    var model: String?
    while let word = words.next() {
      let isKnown: Bool
      switch word {
      case "--input", "-i":
        var path: String?
        isKnown = set(&path) { $0 }
        if let path { input.append(path) }
      case "--output", "-o": isKnown = set(&output) { $0 }
      case "--labels": isKnown = set(&labels) { $0 }
      case "--trace": isKnown = set(&trace) { $0 }
      case "--top": isKnown = set(&top) { Int($0) }
      case "--batch-size": isKnown = set(&batchSize) { Int($0) }
      case "--threads": isKnown = set(&threads) { Int($0) }
      case "--json":
        isKnown = !json
        json = true
      case "--quiet", "-q":
        isKnown = !quiet
        quiet = true
      default:
        isKnown = model == nil && isPlain(word)
        model = word
      }
      guard isKnown else { return nil }
    }
    guard let model else { return nil }
    self.model = model
    guard (try? check()) != nil else { return nil }
  }
}
