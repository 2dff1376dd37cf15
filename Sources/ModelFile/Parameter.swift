public import Diagnostics
package import Files
package import Layers
package import Tensors
package import YAML

/// A parameter of a model: its path, its shape, and where its values come from, so that new ones can go there.
public struct Parameter: Sendable {
  /// Where the values come from.
  package enum Origin: Sendable {
    /// Numbers in the text, nested as the shape is.
    case values(Node)
    /// One number in the text for every place.
    case number(Node)
    /// Base64 in the text.
    case binary(Node)
    /// An array in a file that the layer names.
    case file(ArrayReference)
    /// The array under the parameter's path in the model's `weights` file.
    case weights(ArrayReference)
    /// Nowhere: drawn by a law, which the layer's `init` gives (then its node is there) or the layer's type.
    case drawn(Drawing, node: Node?)
  }

  /// How a parameter is drawn.
  package struct Drawing: Sendable {
    /// The law.
    package let initialiser: Initialiser
    /// The seed that stands for the model's, if the author gave one.
    package let seed: Int?
  }

  /// Its path: `block.conv1.weight`; that of its first place where several layers share it.
  public let path: String
  /// Its shape, its name in the layer, its role, and how it starts.
  package let declaration: ParameterDeclaration
  /// Where its values come from.
  package let origin: Origin
  /// The array in a file, where its values are one and the file is there.
  package let array: ArraySource?
  /// Where the author wrote it, or else the layer that needs it.
  public let place: SourcePlace

  /// The lengths of its axes.
  public var shape: [Int] { declaration.shape }
  /// The number of its values.
  public var count: Int { declaration.shape.reduce(1, *) }
  /// Whether training moves it by gradients; running statistics follow the data instead.
  public var isTrained: Bool { declaration.role == .trained }
}

/// An array in a file: which file, and under which name.
package struct ArrayReference: Sendable, Hashable {
  /// The file as it can be opened.
  package let file: FilePath
  /// The file as the author wrote it.
  package let writtenFile: String
  /// The array's name in a file of several; nil for a `.npy`.
  package let key: String?

  package init(file: FilePath, writtenFile: String, key: String?) {
    self.file = file
    self.writtenFile = writtenFile
    self.key = key
  }
}
