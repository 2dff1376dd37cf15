public import Diagnostics
import Files
public import Graph
public import Layers
public import Tensors
package import YAML

/// A model as its file says it: checked, with every shape inferred, and with parameters that know where they came from.
public struct Model: Sendable {
  /// One of the model's inputs.
  public struct Input: Sendable {
    /// Its name.
    public let name: String
    /// Its shape as the author gave it.
    public let shape: Shape
    /// What the author says of it.
    public let description: String?
  }

  /// One of the model's outputs.
  public struct Output: Sendable {
    /// The name or path of the layer.
    public let name: String
    /// The shape of its value as the author sees it.
    public let shape: Shape
    /// Its layer, by index in `layers`.
    public let layer: Int
  }

  /// What a layer takes.
  public enum Source: Sendable, Hashable {
    /// The model's input with this index.
    case input(Int)
    /// The value of the layer with this index.
    case layer(Int)
  }

  /// A layer, written out of all blocks and lists; a residual stands after the layers of its lists.
  public struct Layer: Sendable {
    /// Its path: `block.conv1`.
    public let path: String
    /// Its type: `conv2d`.
    public let type: String
    /// What it takes.
    public let sources: [Source]
    /// What a residual takes, and its lists see as `outer`; nil for other layers.
    package let taken: Source?
    /// Its value in the graph, channels first.
    package let value: ValueID
    /// The shape of its value as the author sees it.
    public let shape: Shape
    /// Its parameters, by index in `parameters`; a shared one is named by every layer that shares it.
    public let parameters: [Int]
    /// The residual that it stands in, by index in `layers`.
    public let owner: Int?
    /// Whether it stands in the shortcut of that residual, not in the body.
    package let isOnShortcut: Bool
    /// Whether an output needs it.
    public let isUsed: Bool
    /// Its mapping, with the parameters of blocks put in.
    package let node: Node
    /// Where its mapping stands.
    package var range: SourceRange { node.range }
    /// What it stands for.
    package let definition: any Layers.Layer
  }

  /// The file's path as the user gave it.
  public let path: String
  /// The file's text.
  public let source: SourceText
  /// The file's root mapping.
  package let root: Node
  /// What it computes in.
  public let elementType: ElementType
  /// Where the channels of rank-4 activations are.
  public let layout: Layout
  /// The inputs in the order of the file.
  public let inputs: [Input]
  /// The layers in the order in which they run.
  public let layers: [Layer]
  /// The parameters in the order of their first places.
  public let parameters: [Parameter]
  /// What is asked for, in order.
  public let outputs: [Output]
  /// The seed that parameters without values are drawn by: that of the file's `training` section, unless it is changed.
  public var seed: Int
  /// What in the file is probably not as its author meant, in the order of the file.
  public internal(set) var warnings: [Diagnostic] = []
  /// The files that it was read from.
  let files: ModelFiles
  /// The graph of inference, with every layer in it; its parameters are `parameters`.
  let context: LayerContext
  /// The values of `outputs` as the author sees them.
  let presentedOutputs: [ValueID]
  /// The values that stand for those of the files, by the parameter's index.
  package private(set) var newValues: [Int: AnyTensor] = [:]

  /// The model's own name, or that of its file.
  public var name: String { root["name"]?.string ?? fileStem(path) }

  /// The model with new values for parameters by their index, of their shape and the model's type; its files stay.
  package func replacing(_ values: [Int: AnyTensor]) -> Model {
    var result = self
    result.newValues.merge(values) { _, new in new }
    return result
  }

  /// The model with the values of its files.
  package var asRead: Model {
    var result = self
    result.newValues = [:]
    return result
  }

  /// The graph with every layer, also those that no output needs.
  package var fullGraph: Graph { context.graph }

  /// The graph of inference: what the outputs need.
  package var graph: Graph { context.graph.reduced(to: presentedOutputs) }

  /// The graph that gives the value of every used layer, and those values' layers in order.
  package func traceGraph() -> (graph: Graph, layers: [Int]) {
    var context = context
    var values: [ValueID] = []
    var traced: [Int] = []
    for (index, layer) in layers.enumerated() where layer.isUsed {
      // A rank-4 value is transposed to the author's layout; a transposition of a known shape cannot fail.
      guard let value = try? context.presented(layer.value) else { continue }
      values.append(value)
      traced.append(index)
    }
    return (context.graph.reduced(to: values), traced)
  }

  /// The first entry's symbol, where every input has one: the axis along which rows are batched.
  public var batchSymbol: String? {
    var symbol: String?
    for input in inputs {
      guard case .quotient(let name, 0, 1)? = input.shape.first, symbol == nil || symbol == name else { return nil }
      symbol = name
    }
    return symbol
  }
}

/// The files that a model was read from, as they were then: what has changed since is not overwritten.
struct ModelFiles: Sendable {
  /// A file of arrays.
  struct Opened: Sendable {
    let array: ArrayFile
    let status: FileStatus?
  }

  /// What the system said of the model file; nil for a text that is in no file.
  var model: FileStatus?
  /// The files that the model names, by their paths without links.
  var arrays: [FilePath: Opened] = [:]
}

/// The name of a file without its folder and its last suffix.
func fileStem(_ path: String) -> String {
  let name = path.utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)) } ?? path
  guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
  return String(name[..<dot])
}
