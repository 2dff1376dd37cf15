import Diagnostics

/// Puts what is given by name into the order of a model's names.
///
/// Throws `usage` for a name that is not among them, and, where all are needed, for one that is missing.
func arrange<Value>(
  _ values: [String: Value], names: [String], noun: String, requiresAll: Bool = true
) throws(Failure) -> [Value?] {
  for name in values.keys.sorted() where !names.contains(name) {
    let near = suggestion(for: name, among: names)
    let known = names.map { "`\($0)`" }.joined(separator: ", ")
    throw Failure(
      .usage,
      "there is no \(noun) `\(printable(name))`; "
        + (near.map { "did you mean `\($0)`?" } ?? "the model's \(noun)s are \(known)"))
  }
  let missing = names.filter { values[$0] == nil }
  if requiresAll, let name = missing.first { throw Failure(.usage, "\(noun) `\(name)` is missing") }
  return names.map { values[$0] }
}
