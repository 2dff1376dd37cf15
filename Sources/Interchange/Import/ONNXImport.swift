public import Diagnostics
public import Files
import Graph
import ModelFile
package import Tensors

/// Reads ONNX files as models.
public enum ONNXImport {
  /// A model that was read from an ONNX file.
  public struct Result: Sendable {
    /// The model file's text.
    public let text: String
    /// The arrays of its weight file, by the paths of parameters.
    package let arrays: [(key: String, value: AnyTensor)]
  }

  /// The oldest version of ONNX's operators that is read.
  static let oldestVersion = 7
  /// The longest axis of an input or a tensor, as in the format.
  static let longestAxis = 1 << 40
  /// The largest file: what one protobuf message can hold.
  static let largestFile = Int(Int32.max)

  /// Reads the ONNX file at `path` and writes it as a model at `output`, and its weights as a `.safetensors` file of the
  /// same stem beside it: both or none. Returns the files that were written.
  ///
  /// Throws `invalidData` with every node that the format cannot say, or where the file is damaged; `cannotCreate` where
  /// one of the files is there already, unless `replacing` is set.
  @discardableResult
  public static func importFile(
    _ path: FilePath, to output: FilePath, replacing: Bool = false
  ) throws(Failure) -> [FilePath] {
    guard let stem = String(validating: output.stem, as: UTF8.self) else {
      throw Failure(.cannotCreate, "\(output): a model needs a name in UTF-8, since its text names its weight file")
    }
    let weights = stem + ".safetensors"
    let result = try read(path, weightsFile: weights)
    var changes: [FileChange] = []
    if !result.arrays.isEmpty {
      changes.append(
        FileChange(output.sibling(FilePath(weights)), original: nil, replacesAnything: replacing) {
          sink throws(Failure) in
          try writeSafetensors(result.arrays, to: sink)
        })
    }
    changes.append(
      FileChange(output, original: nil, replacesAnything: replacing, bytes: Array(result.text.utf8)))
    try FileTransaction(model: output).commit(changes)
    return changes.map(\.path)
  }

  /// Reads the ONNX file at `path` as a model whose weights will be in a file of the given name beside it.
  public static func read(_ path: FilePath, weightsFile: String) throws(Failure) -> Result {
    try read(bytes: readWholeFile(path, limit: largestFile), path: path, weightsFile: weightsFile)
  }

  /// Reads the bytes of the ONNX file at `path`.
  package static func read(bytes: [UInt8], path: FilePath, weightsFile: String) throws(Failure) -> Result {
    let model: ONNXModel
    do throws(WireError) {
      model = try ONNXModel(bytes: bytes)
    } catch {
      throw Failure(.invalidData, "\(path) is not a sound ONNX file: \(error.message)")
    }
    guard var onnx = model.graph,
      let set = model.operatorSets.first(where: { $0.domain.isEmpty || $0.domain == "ai.onnx" })
    else { throw Failure(.invalidData, "\(path) is not an ONNX file: it has no graph or no version of operators") }
    guard set.version >= oldestVersion else {
      throw Failure(
        .invalidData,
        "\(path) uses version \(set.version) of ONNX's operators; versions from \(oldestVersion) on are read "
          + "(onnx.version_converter makes a newer one)")
    }
    var heading = try Self.heading(model, onnx, path: path)
    heading.weights = weightsFile
    let given = inputs(of: onnx)
    let tensors = ONNXTensorReader(path: path)
    onnx.nodes = BatchStatisticsRecovery(onnx, tensors: tensors).nodes
    var reader = ONNXNodeReader(
      onnx, tensors: tensors, elementType: heading.elementType, version: set.version,
      inputs: given.map { input in
        (input.name, (input.shape ?? []).map { if case .size(let size) = $0, size > 0 { size } else { nil } })
      })
    try reader.readAll()
    var problems = reader.problems
    if onnx.hasSparseInitializers { problems.append("sparse weights cannot be read") }
    heading.isChannelsLast = reader.isChannelsLast
    problems += reader.takeOutputs()
    guard problems.isEmpty else {
      throw Failure(
        .invalidData,
        "\(path) cannot be said in format 1:" + problems.prefix(1000).map { "\n  " + $0 }.joined()
          + (problems.count > 1000 ? "\n  and \(problems.count - 1000) more" : ""))
    }
    let graph = reader.graph.order.count <= 5000 ? ResidualRecovery(reader.graph).graph : reader.graph
    let text = ImportedModelText(graph, heading: heading)
    try check(text, heading: heading, graph: graph, path: path)
    return Result(text: text.text, arrays: text.arrays)
  }

  /// The graph's inputs that are not weights.
  private static func inputs(of graph: ONNXGraph) -> [ONNXValueInfo] {
    let weights = Set(graph.initializers.map(\.name))
    return graph.inputs.filter { !weights.contains($0.name) }
  }

  private static func heading(
    _ model: ONNXModel, _ graph: ONNXGraph, path: FilePath
  ) throws(Failure) -> ImportedModelText.Heading {
    var heading = ImportedModelText.Heading()
    heading.name = printable(graph.name)
    heading.description = printable(model.documentation, limit: 500)
    if heading.description.isEmpty {
      let producer = model.producerName.isEmpty ? "" : ", which \(printable(model.producerName)) made"
      heading.description = "imported from \(String(decoding: path.lastComponent, as: UTF8.self))\(producer)"
    }
    var taken: Set = ["outer"]
    let given = inputs(of: graph)
    guard !given.isEmpty else { throw Failure(.invalidData, "\(path): the graph has no inputs") }
    let types = Set(given.map { $0.elementType ?? 0 })
    guard types == [ONNXElementType.float] || types == [ONNXElementType.double] else {
      let names = types.sorted().map(ONNXElementType.name).joined(separator: ", ")
      throw Failure(
        .invalidData, "\(path): the inputs are of type \(names), but a model takes float or double for all of them")
    }
    heading.elementType = types == [ONNXElementType.double] ? .float64 : .float32
    for input in given {
      guard let shape = input.shape, !shape.isEmpty else {
        throw Failure(.invalidData, "\(path): the input `\(printable(input.name))` has no shape")
      }
      for case .size(let size) in shape where size > longestAxis {
        throw Failure(
          .invalidData, "\(path): the input `\(printable(input.name))` has an axis of \(size), but 2^40 is the most")
      }
      let name = ImportedNames.unique(
        ImportedNames.name(input.name.split(separator: "."), in: [], type: "input"), among: &taken)
      heading.inputs.append((name, "[" + symbols(shape).joined(separator: ", ") + "]"))
    }
    return heading
  }

  /// The lengths of a shape as the format has them: numbers and symbols.
  private static func symbols(_ shape: [ONNXValueInfo.Dimension]) -> [String] {
    let usual = shape.count == 4 ? ["N", "C", "H", "W"] : ["N"]
    return shape.enumerated().map { axis, dimension in
      let fallback = axis < usual.count ? usual[axis] : "D\(axis)"
      switch dimension {
      case .size(let size) where size > 0: return "\(size)"
      case .size, .unknown: return fallback
      case .symbol(let name):
        var symbol = ""
        for scalar in name.unicodeScalars {
          let isLetter = scalar.isASCII && scalar.properties.isAlphabetic
          let isDigit = (48...57).contains(scalar.value)
          symbol.unicodeScalars.append(isLetter || isDigit || scalar == "_" ? scalar : "_")
        }
        guard let first = symbol.unicodeScalars.first, symbol.contains(where: { $0 != "_" }) else { return fallback }
        return (48...57).contains(first.value) ? "_" + symbol : symbol
      }
    }
  }

  /// Makes sure that the text is a valid model which asks for just the arrays that there are.
  private static func check(
    _ text: ImportedModelText, heading: ImportedModelText.Heading, graph: ImportedGraph, path: FilePath
  ) throws(Failure) {
    var drawn = heading
    drawn.weights = ""
    // Without its weight file, which is not there yet, the model would draw its parameters.
    let bytes = Array(ImportedModelText(graph, heading: drawn).text.utf8)
    let source = SourceText(name: path.description + " as a model", bytes: bytes)
    let loaded = ModelLoader.load(source: source, path: path.description)
    guard let model = loaded.model else { throw Failure(loaded.diagnostics) }
    let shapes = Dictionary(text.arrays.map { ($0.key, $0.value.shape) }, uniquingKeysWith: { first, _ in first })
    let isShared = text.text.contains("{file: ")
    for parameter in model.parameters where shapes[parameter.path] != parameter.shape {
      // One that names the array of another parameter has none of its own.
      if isShared, shapes[parameter.path] == nil { continue }
      let found = shapes[parameter.path].map { "\($0)" } ?? "nothing"
      throw Failure(
        .invalidData, "\(path): `\(parameter.path)` needs the shape \(parameter.shape), but the file has \(found)")
    }
  }
}

extension ONNXNodeReader {
  /// Finds the layers of the graph's outputs, and says what is wrong with them.
  mutating func takeOutputs() -> [String] {
    var problems: [String] = []
    for output in onnx.outputs {
      guard case .activation(let activation)? = operands[output.name] else {
        if case .unknown? = operands[output.name] { continue }
        problems.append("the output `\(printable(output.name))` is not computed from the inputs")
        continue
      }
      if activation.isPooled || activation.padding != nil {
        problems.append("the output `\(printable(output.name))` has axes that the format's layer has not")
        continue
      }
      if activation.shape.count == 4, activation.isChannelsLast != isChannelsLast {
        problems.append("the output `\(printable(output.name))` has its channels elsewhere than the inputs")
        continue
      }
      let node = ONNXNode(name: output.name, operatorType: "Identity", inputs: [], outputs: [output.name])
      if case .layer(let number) = activation.value, !graph.outputs.contains(number) {
        graph.outputs.append(number)
        if let layer = graph.layers[number], layer.parameters.isEmpty {
          graph.layers[number]?.path = ImportedNames.path(parameter: nil, node: node)
        }
        continue
      }
      // An input, or an output named twice: a layer that changes nothing gives it a name of its own.
      graph.outputs.append(
        graph.add(
          ImportedLayer(
            type: "dropout", attributes: [("rate", "0")], inputs: [activation.value],
            path: ImportedNames.path(parameter: nil, node: node), origin: Self.describe(node))))
    }
    if onnx.outputs.isEmpty { problems.append("the graph has no outputs") }
    return problems
  }
}
