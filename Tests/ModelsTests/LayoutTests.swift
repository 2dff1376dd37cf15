import Diagnostics
import Foundation
import ModelFile
import Testing
import YAML

/// The layout of every model of the repository, and of texts made of them at random.
@Suite struct LayoutTests {
  private static func source(_ bytes: [UInt8]) -> SourceText { SourceText(name: "model.yaml", bytes: bytes) }

  /// The texts of all models.
  private static func models() throws -> [(path: String, bytes: [UInt8])] {
    try Repository.modelStems(under: "models").map { stem in
      ("\(stem).yaml", Array(try Data(contentsOf: Repository.root.appending(path: "\(stem).yaml"))))
    }
  }

  @Test("every model but the frozen ones is in the canonical layout")
  func canonical() throws {
    for (path, bytes) in try Self.models() where !path.hasPrefix("models/v1/") {
      #expect(try CanonicalLayout.of(Self.source(bytes)) == bytes, "run `nnrun fmt \(path)`")
    }
  }

  @Test("laid out anew, every model holds the same values and comments, and a second time nothing changes")
  func models() throws {
    for (path, bytes) in try Self.models() { try check(bytes, path) }
  }

  @Test("the same holds for the models in any indentation, style and order, with comments anywhere", arguments: 0..<12)
  func variations(seed: UInt64) throws {
    var random = RandomNumbers(state: seed)
    for (path, bytes) in try Self.models() {
      guard let root = YAMLDocument.parse(source: Self.source(bytes)).root else { continue }
      var writer = RandomWriter(source: Self.source(bytes), random: random)
      let text = writer.document(root)
      random = writer.random
      let variation = YAMLDocument.parse(source: Self.source(Array(text.utf8)))
      #expect(!variation.hasErrors, "the test's own writer fails: \(variation.diagnostics.map(\.message))\n\(text)")
      guard !variation.hasErrors else { return }
      try check(Array(text.utf8), "\(path), seed \(seed)")
    }
  }

  private func check(_ bytes: [UInt8], _ name: String) throws {
    let text = String(decoding: bytes, as: UTF8.self)
    let once: [UInt8]
    do throws(Failure) {
      once = try CanonicalLayout.of(Self.source(bytes))
    } catch {
      Issue.record("\(name): \(error.message) \(error.diagnostics.map(\.message))\n\(text)")
      return
    }
    let result = String(decoding: once, as: UTF8.self)
    #expect(
      try CanonicalLayout.of(Self.source(once)) == once, "\(name): a second time it changes\n\(text)\n->\n\(result)")
    let old = try #require(YAMLDocument.parse(source: Self.source(bytes)).root)
    let new = try #require(YAMLDocument.parse(source: Self.source(once)).root)
    #expect(Self.plain(old, Self.source(bytes)) == Self.plain(new, Self.source(once)), "\(name)\n\(result)")
    #expect(Self.comments(text) == Self.comments(result), "\(name)\n\(text)\n->\n\(result)")
  }

  /// The values of a node in a form that two texts share; the order of keys is left out.
  private static func plain(_ node: Node, _ source: SourceText) -> String {
    switch node.content {
    case .scalar(let scalar): return "\(scalar.tag ?? "") \(scalar.isPlain) \(scalar.text.debugDescription)"
    case .mapping(let entries):
      return "{" + entries.map { "\($0.key): \(plain($0.value, source))" }.sorted().joined(separator: ", ") + "}"
    case .sequence, .numbers:
      return "[" + (node.items(in: source) ?? []).map { plain($0, source) }.joined(separator: ", ") + "]"
    }
  }

  /// The comments of a text that the test's own writer wrote (they have a mark), or one that has none in its strings.
  private static func comments(_ text: String) -> [String] {
    text.split(whereSeparator: \.isNewline).compactMap { line in
      line.range(of: "(^|[ \\t])#.*$", options: .regularExpression).map {
        line[$0].trimmingCharacters(in: .whitespaces)
      }
    }.sorted()
  }
}

/// Numbers that a seed decides (Knuth's multiplier).
private struct RandomNumbers {
  var state: UInt64

  mutating func below(_ bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % bound
  }
}

/// Writes nodes as YAML in whatever style chance has it.
private struct RandomWriter {
  let source: SourceText
  var random: RandomNumbers
  private var comments = 0

  init(source: SourceText, random: RandomNumbers) {
    self.source = source
    self.random = random
  }

  mutating func document(_ root: Node) -> String {
    var text = random.below(4) == 0 ? "%YAML 1.2\n--- \(maybeComment(1))\n" : ""
    text += entries(root, indentation: 0)
    return text + maybeLines(0) + (random.below(8) == 0 ? "...\n" : "")
  }

  private mutating func comment() -> String {
    comments += 1
    return "# c\(comments)" + ["", " é", " [1, {", ": \"x"][random.below(4)]
  }

  private mutating func maybeComment(_ chance: Int) -> String {
    random.below(chance + 5) < 1 ? String(repeating: " ", count: 1 + random.below(6)) + comment() : ""
  }

  /// Comments and empty lines, or nothing.
  private mutating func maybeLines(_ indentation: Int) -> String {
    var text = ""
    while random.below(6) == 0 {
      text +=
        random.below(3) == 0 ? "\n" : String(repeating: " ", count: indentation + random.below(3)) + comment() + "\n"
    }
    return text
  }

  private mutating func shuffled(_ node: Node) -> [Node.Entry] {
    var entries = node.entries ?? []
    // The order of inputs and other names is a value of its own; the writer leaves it to the formatter to keep.
    for index in entries.indices.dropFirst().reversed() where random.below(2) == 0 {
      entries.swapAt(index, random.below(index + 1))
    }
    return entries
  }

  private mutating func entries(_ node: Node, indentation: Int) -> String {
    let space = String(repeating: " ", count: indentation)
    return shuffled(node).map { entry in
      maybeLines(indentation) + space + key(entry.key) + ":" + value(entry.value, indentation: indentation)
    }.joined()
  }

  /// A value behind `key:` or `-`, and the end of its line.
  private mutating func value(_ node: Node, indentation: Int) -> String {
    switch node.content {
    case .mapping(let entries) where !entries.isEmpty && random.below(3) > 0:
      return maybeComment(0) + "\n" + self.entries(node, indentation: indentation + 1 + random.below(4))
    case .sequence, .numbers:
      guard let items = node.items(in: source), !items.isEmpty, items.count < 100, random.below(3) > 0 else { break }
      let inner = indentation + 1 + random.below(4)
      let space = String(repeating: " ", count: inner)
      return maybeComment(0) + "\n"
        + items.map { item in maybeLines(inner) + space + "-" + value(item, indentation: inner) }.joined()
    default: break
    }
    return " " + flow(node, isMultiline: random.below(3) == 0, indentation: indentation) + maybeComment(0) + "\n"
  }

  private mutating func gap(_ isMultiline: Bool, _ indentation: Int) -> String {
    guard isMultiline, random.below(3) == 0 else { return String(repeating: " ", count: random.below(3)) }
    return maybeComment(0) + "\n" + String(repeating: " ", count: indentation + 1 + random.below(8))
  }

  private mutating func flow(_ node: Node, isMultiline: Bool, indentation: Int) -> String {
    switch node.content {
    case .scalar(let scalar): return self.scalar(scalar)
    case .mapping:
      let parts = shuffled(node).map { entry in
        gap(isMultiline, indentation) + key(entry.key) + ": "
          + flow(entry.value, isMultiline: isMultiline, indentation: indentation)
      }
      return "{" + parts.joined(separator: ",") + gap(isMultiline, indentation) + "}"
    case .sequence, .numbers:
      let parts = (node.items(in: source) ?? []).map { item in
        gap(isMultiline, indentation) + flow(item, isMultiline: isMultiline, indentation: indentation)
      }
      return "[" + parts.joined(separator: ",") + gap(isMultiline, indentation) + "]"
    }
  }

  private mutating func key(_ text: String) -> String { random.below(4) == 0 ? quoted(text) : quotedIfNeeded(text) }

  private mutating func scalar(_ scalar: Scalar) -> String {
    let tag = scalar.tag.map { $0 + " " } ?? ""
    return tag + (scalar.isPlain ? quotedIfNeeded(scalar.text) : quoted(scalar.text))
  }

  /// Plain scalars that brackets would break are quoted, and so are empty ones.
  private func quotedIfNeeded(_ text: String) -> String {
    text.isEmpty ? "~" : text.contains(where: { ",[]{}:#?\"\n".contains($0) }) ? quoted(text) : text
  }

  private func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\0": result += "\\0"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
