import ArgumentParser
import Diagnostics
import Files
import ModelFile
import Tensors

/// The arrays that the command line gives for a model's inputs or targets, by the model's names.
struct NamedArrays {
  private let names: [String]
  private let arrays: [String: ArraySource]

  /// The arrays in the order of the names.
  var all: [ArraySource] { names.compactMap { arrays[$0] } }

  /// The arrays by the places of their names.
  var byIndex: [Int: ArraySource] {
    Dictionary(uniqueKeysWithValues: names.enumerated().compactMap { index, name in arrays[name].map { (index, $0) } })
  }

  /// Finds arrays for `names`: `NAME=PATH` for one, a bare `PATH` for the only one, or a `.npz` with the names. There has
  /// to be one at least, and one for each name where `requiresAll`.
  init(_ words: [String], names: [String], option: String, noun: String, requiresAll: Bool) throws {
    self.names = names
    guard !words.isEmpty else {
      let example = names.count == 1 ? "\(option) PATH" : names.map { "\(option) \($0)=PATH" }.joined(separator: " ")
      let needed = names.count == 1 ? "an array for its \(noun)" : "arrays for its \(names.count) \(noun)s"
      throw ValidationError("the model needs \(needed): add `\(example)`")
    }
    guard words.filter({ $0 == "-" || $0.hasSuffix("=-") }).count <= 1 else {
      throw ValidationError("standard input can be read only once")
    }
    var found: [String: ArraySource] = [:]
    for word in words {
      let (name, path) = try Self.split(word, names: names, option: option, noun: noun)
      let file = try ArrayFile(input: FilePath(path))
      for (name, array) in try Self.arrays(of: file, path: path, name: name, names: names, option: option, noun: noun) {
        guard found.updateValue(array, forKey: name) == nil else {
          throw ValidationError("\(noun) `\(name)` is given twice")
        }
      }
    }
    arrays = found
    for name in names where requiresAll && found[name] == nil {
      throw ValidationError("\(noun) `\(name)` is missing: add `\(option) \(name)=PATH`")
    }
  }

  /// A word's name, if it has one, and its path. A path may hold `=` too, so a name has to be one of the model's.
  private static func split(
    _ word: String, names: [String], option: String, noun: String
  ) throws -> (name: String?, path: String) {
    guard let equals = word.firstIndex(of: "=") else { return (nil, word) }
    let name = String(word[..<equals])
    if names.contains(name) { return (name, String(word[word.index(after: equals)...])) }
    if fileExists(word) || name.contains("/") { return (nil, word) }
    let near = suggestion(for: name, among: names)
    let hint =
      near.map { "did you mean `\($0)`?" }
      ?? "the model's \(noun)s are \(names.map { "`\($0)`" }.joined(separator: ", "))"
    throw ValidationError("there is no \(noun) `\(printable(name))`; \(hint)")
  }

  private static func arrays(
    of file: ArrayFile, path: String, name: String?, names: [String], option: String, noun: String
  ) throws -> [(String, ArraySource)] {
    switch (file, name) {
    case (.array(let array), let name?): return [(name, array)]
    case (.array(let array), nil):
      guard names.count == 1 else {
        throw ValidationError(
          "the model has \(names.count) \(noun)s; say which one `\(printable(path))` is: `\(option) \(names[0])=\(printable(path))`"
        )
      }
      return [(names[0], array)]
    case (.archive(let archive), let name?):
      if archive.contains(name) { return [(name, try archive.source(name))] }
      if archive.keys.count == 1 { return [(name, try archive.source(archive.keys[0]))] }
      throw Failure(.invalidData, "\(printable(path)): there is no array `\(name)` in it")
    case (.archive(let archive), nil):
      let present = names.filter(archive.contains)
      if present.isEmpty, names.count == 1, archive.keys.count == 1 {
        return [(names[0], try archive.source(archive.keys[0]))]
      }
      guard !present.isEmpty else {
        let keys = archive.keys.prefix(8).map { "`\(printable($0))`" }.joined(separator: ", ")
        throw Failure(
          .invalidData,
          "\(printable(path)): none of its arrays (\(keys)) is called \(names.map { "`\($0)`" }.joined(separator: " or "))"
        )
      }
      return try present.map { ($0, try archive.source($0)) }
    }
  }
}
