import YAML

/// The branches of `anyOf` or `oneOf`, and the key that tells them apart, such as `type`.
final class Alternatives {
  let branches: [Subschema]
  private var cached: Discriminator??

  /// A key for which several branches allow certain strings only.
  struct Discriminator {
    let key: String
    /// The branches that allow a value.
    var branches: [String: [Int]] = [:]
    /// The values as the schema lists them.
    var values: [String] = []
    /// The branches that say nothing of the key's value by `const` or `enum`.
    var others: [Int] = []
    /// What the key is called, from the schema's title.
    var title: String?
  }

  init(_ branches: [Subschema]) {
    self.branches = branches
  }

  func discriminator(_ library: SchemaLibrary) -> Discriminator? {
    if let cached { return cached }
    let found = find(library)
    cached = .some(found)
    return found
  }

  /// The branches that `instance` could still satisfy by the discriminating key's value; the rest cannot.
  func candidates(_ instance: Instance, _ library: SchemaLibrary) -> [Int] {
    guard case .node(let node) = instance, node.entries != nil, branches.count > 1,
      let discriminator = discriminator(library), let value = node[discriminator.key]?.string
    else { return Array(branches.indices) }
    guard let matching = discriminator.branches[value] else { return discriminator.others }
    return (matching + discriminator.others).sorted()
  }

  private func find(_ library: SchemaLibrary) -> Discriminator? {
    let bodies = branches.map { library.body($0).node["properties"]?.entries ?? [] }
    var counts: [String: Int] = [:]
    var order: [String] = []
    for entries in bodies {
      for entry in entries where Self.strings(entry.value) != nil {
        if counts.updateValue((counts[entry.key] ?? 0) + 1, forKey: entry.key) == nil { order.append(entry.key) }
      }
    }
    let best = order.max { (counts[$0] ?? 0) < (counts[$1] ?? 0) }
    guard let key = best, counts[key] ?? 0 > 1 else { return nil }
    var discriminator = Discriminator(key: key)
    for (index, entries) in bodies.enumerated() {
      guard let schema = entries.first(where: { $0.key == key })?.value, let strings = Self.strings(schema) else {
        discriminator.others.append(index)
        continue
      }
      if discriminator.title == nil { discriminator.title = schema["title"]?.string }
      for string in strings {
        if discriminator.branches[string] == nil { discriminator.values.append(string) }
        discriminator.branches[string, default: []].append(index)
      }
    }
    return discriminator
  }

  /// The only strings that a schema allows, where it lists them itself.
  private static func strings(_ schema: Node) -> [String]? {
    guard schema["$ref"] == nil else { return nil }
    if let value = schema["const"] { return value.string.map { [$0] } }
    guard case .sequence(let items)? = schema["enum"]?.content else { return nil }
    let strings = items.compactMap(\.string)
    return strings.count == items.count ? strings : nil
  }
}
