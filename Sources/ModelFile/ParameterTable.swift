import Diagnostics
import Graph
import Layers
import YAML

/// The parameters of a model as its layers ask for them; those that reach one node or one array are one.
struct ParameterTable {
  /// What makes two parameters the same.
  private enum Identity: Hashable {
    case node(ObjectIdentifier, repetition: String?)
    case array(ArrayReference)
  }

  private(set) var parameters: [Parameter] = []
  /// Their values in the graph.
  private(set) var values: [ValueID] = []
  private var identities: [Identity: Int] = [:]
  private let reader: ParameterReader
  private let weights: WeightFile?

  /// An empty table; `weights` is the model's `weights` file.
  init(reader: ParameterReader, weights: WeightFile?) {
    self.reader = reader
    self.weights = weights
  }

  /// What the layer gives for its parameters, by name; nil where something in it is wrong, which is reported.
  func given(by item: LayerItem, sink: inout DiagnosticSink) -> [String: GivenParameter]? {
    var given: [String: GivenParameter] = [:]
    var isSound = true
    for name in ["weight", "bias", "gamma", "beta", "mean", "variance"] {
      guard let node = item.node[name], node.boolean == nil else { continue }
      if let read = reader.read(node, name: name, of: item, sink: &sink) { given[name] = read } else { isSound = false }
    }
    return isSound ? given : nil
  }

  /// The index of the parameter that a layer declares; nil where what was given for it is wrong, which is reported.
  mutating func index(
    for declaration: ParameterDeclaration, of item: LayerItem, given: GivenParameter?, context: inout LayerContext,
    sink: inout DiagnosticSink
  ) -> Int? {
    let path = item.path + "." + declaration.name
    var given = given
    let node = item.node[declaration.name]
    if given == nil || given?.drawing != nil, let found = weights?.parameter(at: path, sink: &sink) { given = found }
    if let given {
      guard reader.accepts(given, against: declaration, path: path, of: item, sink: &sink) else { return nil }
    }
    let identity = given.flatMap { self.identity(of: $0, item) }
    if let identity, let index = identities[identity] {
      let shared = parameters[index]
      guard shared.shape == declaration.shape else {
        sink.add(
          .parameterShape,
          "`\(path)` and `\(shared.path)` are one parameter, but they need the shapes "
            + "\(text(declaration.shape)) and \(text(shared.shape))",
          at: node?.range ?? item.nameRange,
          notes: [DiagnosticNote("parameters that reach the same values by an alias, or the same array, are one")],
          uses: item.uses)
        return nil
      }
      return index
    }
    let origin =
      given?.origin
      ?? .drawn(.init(initialiser: declaration.initialiser, seed: nil), node: nil)
    parameters.append(
      Parameter(
        path: path, declaration: declaration, origin: origin, array: given?.array,
        place: sink.place(node?.range ?? item.nameRange)))
    values.append(context.addParameter(declaration.shape))
    if let identity { identities[identity] = parameters.count - 1 }
    return parameters.count - 1
  }

  private func identity(of given: GivenParameter, _ item: LayerItem) -> Identity? {
    switch given.origin {
    case .values(let node), .number(let node), .binary(let node), .drawn(_, .some(let node)):
      .node(ObjectIdentifier(node), repetition: item.repetition)
    case .file(let reference), .weights(let reference): .array(reference)
    case .drawn(_, nil): nil
    }
  }
}

/// A shape in words: `[1, 2]`.
func text(_ shape: [Int]) -> String { "[" + shape.map(String.init).joined(separator: ", ") + "]" }
