import Diagnostics
import YAML

/// Where a block was used: its name, and the entry of the list that names it.
struct BlockUse {
  let block: String
  let place: SourcePlace
}

/// An entry of a list of layers, with blocks written out.
struct LayerItem {
  /// What the entry is.
  indirect enum Kind {
    /// A layer by itself.
    case layer(type: String)
    /// Two lists; no shortcut means the identity.
    case residual(body: [LayerItem], shortcut: [LayerItem]?)
    /// A block, once for each repetition.
    case block(repetitions: [[LayerItem]])
  }

  /// A name of something that the entry takes, and where it stands.
  struct InputName {
    let name: String
    let range: SourceRange
  }

  let name: String
  /// Where the name stands.
  let nameRange: SourceRange
  /// The name with those of its owners before it: `block.conv1`.
  let path: String
  /// The mapping, with the block's parameters put in.
  let node: Node
  let kind: Kind
  /// What it takes, where it says so.
  let inputs: [InputName]?
  /// The blocks that led here, outermost first.
  let uses: [BlockUse]
  /// Whether the schema found an error in it, so that nothing can be made of it.
  let isBroken: Bool
  /// Where the entry stands in a block that is used more than once: the path of that use, which keeps apart what its
  /// repetitions would otherwise share.
  let repetition: String?

  /// The range of a key's value, else of the type or block, else of the name.
  func range(of key: String?) -> SourceRange {
    if let key, let value = node[key] { return value.range }
    return (node["type"] ?? node["block"])?.range ?? nameRange
  }
}
