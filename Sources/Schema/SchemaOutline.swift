package import YAML

/// What the schema of model files says beside its rules: the order of keys, and what a key means where it is absent.
package struct SchemaOutline: Sendable {
  /// The outline of the schema that the program carries.
  package static let model = SchemaOutline(root: ModelSchema.document.root)

  private let root: Node?

  /// The keys that a definition names, such as `conv2d`, in its order; those of the model itself with nil.
  package func keys(of definition: String?) -> [String] {
    properties(of: definition).map(\.key)
  }

  /// What a key of a definition has as its default.
  package func defaultValue(of key: String, in definition: String?) -> Node? {
    var property = properties(of: definition).first { $0.key == key }?.value
    // References lead from definition to definition; the schema has no chain longer than this.
    for _ in 0..<8 {
      guard let current = property else { return nil }
      if let value = current["default"] { return value }
      property = current["$ref"]?.string.flatMap { node(at: $0) }
    }
    return nil
  }

  private func properties(of definition: String?) -> [Node.Entry] {
    let node = definition.map { root?["definitions"]?[$0] } ?? root
    return node?["properties"]?.entries ?? []
  }

  private func node(at reference: String) -> Node? {
    let prefix = "#/definitions/"
    guard reference.hasPrefix(prefix) else { return nil }
    return root?["definitions"]?[String(reference.dropFirst(prefix.count))]
  }
}
