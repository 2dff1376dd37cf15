import Diagnostics
import Files
import Graph
import Interchange
import ModelFile
import Schema
import Tensors
import YAML

/// A reader of files that strangers may have made, fed with any bytes: what it must never do is trap, hang, or break a
/// promise that is checked here.
package enum FuzzTarget: String, CaseIterable, Sendable {
  case yaml, json, schema, model, edits, moves, layout, excerpt, npy, npz, safetensors, onnx

  /// The folder of the target's seeds and of the inputs that once broke it; whatever takes models takes the same.
  package var corpus: String {
    switch self {
    case .edits, .moves, .layout: Self.model.rawValue
    default: rawValue
    }
  }

  /// Feeds the reader; ends the process where a promise is broken.
  package func run(_ bytes: [UInt8]) {
    switch self {
    case .yaml: Self.check(YAMLDocument.parse(source: SourceText(name: "fuzz.yaml", bytes: bytes)))
    case .json: Self.check(JSONDocument.parse(source: SourceText(name: "fuzz.json", bytes: bytes)))
    case .schema: Self.validate(bytes)
    case .model: Self.load(bytes)
    case .edits: Self.edit(bytes)
    case .moves: Self.move(bytes)
    case .layout: Self.layOut(bytes)
    case .excerpt: Self.render(bytes)
    case .npy: Self.readArrays(bytes, suffix: "npy")
    case .npz: Self.readArrays(bytes, suffix: "npz")
    case .safetensors: Self.readArrays(bytes, suffix: "safetensors")
    case .onnx: _ = try? ONNXImport.read(bytes: bytes, path: "/nowhere/fuzz.onnx", weightsFile: "fuzz.safetensors")
    }
  }

  // MARK: Texts

  /// Every node and every diagnostic lies in the text, and what is said of it can be shown.
  private static func check(_ document: ParsedDocument) {
    let count = document.source.bytes.count
    func check(_ range: SourceRange) {
      precondition(0 <= range.start && range.start <= range.end && range.end <= count, "a range within the text")
    }
    var pending = document.root.map { [$0] } ?? []
    var seen: Set<ObjectIdentifier> = []
    while let node = pending.popLast() {
      // Aliases lead to the same node again and again.
      guard seen.insert(ObjectIdentifier(node)).inserted else { continue }
      check(node.range)
      switch node.content {
      case .scalar: break
      case .sequence(let items): pending += items
      case .numbers(let list):
        precondition(list.values.count == list.shape.reduce(1, *), "packed numbers fill their shape")
      case .mapping(let entries):
        for entry in entries {
          check(entry.keyRange)
          pending.append(entry.value)
        }
      }
    }
    Self.check(document.diagnostics, of: document.source)
  }

  private static func check(_ diagnostics: [Diagnostic], of source: SourceText) {
    for diagnostic in diagnostics where diagnostic.place.source === source {
      let range = diagnostic.place.range
      precondition(
        0 <= range.start && range.start <= range.end && range.end <= source.bytes.count, "a place within the text")
    }
    precondition(!diagnostics.contains { $0.message.isEmpty }, "a diagnostic says something")
  }

  /// A place, two numbers of two bytes each, and the text that it is a place of, which is the message, too: what is shown
  /// of it never commands the terminal.
  private static func render(_ bytes: [UInt8]) {
    let source = SourceText(name: "fuzz.yaml", bytes: Array(bytes.dropFirst(4)))
    let numbers = (0..<4).map { $0 < bytes.count ? Int(bytes[$0]) : 0 }
    let start = min(numbers[0] << 8 | numbers[1], source.bytes.count)
    let end = min(start + (numbers[2] << 8 | numbers[3]), source.bytes.count)
    let message = String(decoding: source.bytes, as: UTF8.self)
    let shown = DiagnosticRenderer().render([
      Diagnostic(.syntax, message, at: SourcePlace(source: source, range: SourceRange(start: start, end: end)))
    ])
    for scalar in shown.unicodeScalars where scalar != "\n" {
      precondition(
        ![.control, .format, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory),
        "what commands a terminal is written as an escape")
    }
    precondition(shown.split(separator: "\n").count == 4, "a heading, and a line between two gutters")
  }

  /// A schema and, behind a zero byte, a document that it is used on.
  private static func validate(_ bytes: [UInt8]) {
    let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false).map(Array.init)
    let schema = JSONDocument.parse(source: SourceText(name: "schema.json", bytes: parts[0]))
    let document = YAMLDocument.parse(
      source: SourceText(name: "fuzz.yaml", bytes: parts.count > 1 ? parts[1] : parts[0]))
    check(SchemaCheck.validate([document], schema: schema), of: document.source)
  }

  // MARK: Models

  /// A text; bytes behind a zero choose one that is a model.
  private static func text(_ bytes: [UInt8]) -> SourceText {
    SourceText(name: "fuzz.yaml", bytes: bytes.first == 0 ? StyledModel.text(bytes.dropFirst()) : bytes)
  }

  private static func model(_ source: SourceText, toleratesMissingFiles: Bool = false) -> Model? {
    let loaded = ModelLoader.load(
      source: source, path: "/nowhere/fuzz.yaml", toleratesMissingFiles: toleratesMissingFiles)
    check(loaded.diagnostics, of: source)
    precondition(
      loaded.model != nil || loaded.diagnostics.contains { $0.severity == .error }, "no model without an error")
    return loaded.model
  }

  /// A model of so few parameters that all can be written.
  private static func smallModel(_ bytes: [UInt8]) -> Model? {
    model(text(bytes)).flatMap { model in
      model.parameters.reduce(0) { $0 + min($1.count, 1 << 20) } <= 1 << 12 ? model : nil
    }
  }

  /// The whole validation of a model, and its shapes for small and large batches.
  private static func load(_ bytes: [UInt8]) {
    guard let model = model(text(bytes)) else { return }
    var symbols: Set<String> = []
    for case .quotient(let symbol, _, _) in model.inputs.flatMap(\.shape) { symbols.insert(symbol) }
    for size in [0, 1, 7, 1 << 40] {
      _ = try? model.graph.bound(Dictionary(uniqueKeysWithValues: symbols.map { ($0, size) }))
    }
  }

  /// load(save(m)) == m, and whatever is no number of a parameter stays byte for byte.
  private static func edit(_ bytes: [UInt8]) {
    guard let model = smallModel(bytes) else { return }
    var values: [Int: AnyTensor] = [:]
    for (index, parameter) in model.parameters.enumerated() {
      switch parameter.origin {
      case .values, .binary, .number:
        guard let old = try? model.value(of: index) else { continue }
        values[index] = changed(old, by: index)
      case .drawn, .file, .weights: continue
      }
    }
    // A text that has no place for the values is refused, and so stays as it is.
    guard let text = try? model.rewrittenText(with: values) else { return }
    // Values that the text has no room for go into a file, which is not there.
    guard let new = Self.model(SourceText(name: "fuzz.yaml", bytes: text), toleratesMissingFiles: true) else {
      preconditionFailure("an edited model is a model")
    }
    let isWhole = model.parameters.allSatisfy { if case .drawn = $0.origin { false } else { true } }
    guard isWhole, new.parameters.count == model.parameters.count else { return }
    for (index, value) in values {
      if case .weights = new.parameters[index].origin { return }
      if (try? new.value(of: index)) == value { continue }
      // Where aliases stand in what other aliases name, values that disagree may have no place; the text is read again
      // before it replaces the old one, and then it is refused.
      precondition(model.source.bytes.contains(UInt8(ascii: "*")), "new values are read as they were written")
      return
    }
    // What stands for several numbers gives way to a list: an alias, a block's parameter, one number for all.
    guard !model.source.bytes.contains(UInt8(ascii: "*")),
      model.parameters.allSatisfy({ staysInPlace($0, in: model.source) })
    else { return }
    precondition(withoutNumbers(model) == withoutNumbers(new), "all but the numbers stays")
  }

  /// Whether new numbers take the places of the old ones, one by one.
  private static func staysInPlace(_ parameter: Parameter, in source: SourceText) -> Bool {
    switch parameter.origin {
    case .values(let node): node.definition == nil
    case .binary(let node):
      node.definition == nil && !source.bytes[node.range.start..<node.range.end].contains(UInt8(ascii: "\\"))
    case .number: false
    case .file, .weights, .drawn: true
    }
  }

  /// Parameters that move to another form of storage have the values that they had.
  private static func move(_ bytes: [UInt8]) {
    guard let old = smallModel(bytes) else { return }
    for storage in [.inline, .binary, .file("new.npz")] as [ParameterStorage] {
      guard let text = try? old.movedText(to: storage) else { continue }
      guard let new = model(SourceText(name: "fuzz.yaml", bytes: text), toleratesMissingFiles: true) else {
        // An anchor that goes with a list may have aliases elsewhere: such a text is refused, and stays.
        precondition(old.source.bytes.contains(UInt8(ascii: "*")), "a model whose parameters moved is a model")
        continue
      }
      precondition(old.parameters.map(\.path) == new.parameters.map(\.path), "it has the same parameters")
      if case .file = storage { continue }
      precondition(hasValues(of: old, new), "they have the same values")
    }
  }

  /// A model that is laid out anew, or has its blocks written out, is the same model; what is laid out stays as it is.
  private static func layOut(_ bytes: [UInt8]) {
    let source = text(bytes)
    guard let first = try? CanonicalLayout.of(source) else { return }
    let laidOut = SourceText(name: "fuzz.yaml", bytes: first)
    guard let second = try? CanonicalLayout.of(laidOut) else { preconditionFailure("a layout can be laid out") }
    precondition(first == second, "a second time nothing changes")
    guard let old = model(source) else { return }
    guard let new = model(laidOut) else { preconditionFailure("a model that is laid out is a model") }
    precondition(hasValues(of: old, new) && old.parameters.map(\.path) == new.parameters.map(\.path), "it is the same")
    guard let written = try? old.expandedText() else { return }
    guard let expanded = model(SourceText(name: "fuzz.yaml", bytes: Array(written.utf8))) else {
      preconditionFailure("a model with its blocks written out is a model")
    }
    precondition(hasValues(of: old, expanded), "without blocks it is the same")
  }

  /// Whether parameters have the values of those of another model, but for those that are drawn by their paths.
  private static func hasValues(of old: Model, _ new: Model) -> Bool {
    guard old.parameters.map(\.shape) == new.parameters.map(\.shape) else { return false }
    return old.parameters.indices.allSatisfy { index in
      if case .drawn = old.parameters[index].origin { return true }
      guard old.parameters[index].count <= 1 << 12, let value = try? old.value(of: index) else { return true }
      return (try? new.value(of: index)) == value
    }
  }

  /// Other finite numbers of the same type.
  private static func changed(_ tensor: AnyTensor, by index: Int) -> AnyTensor {
    func next<Scalar: TensorScalar>(_ old: Tensor<Scalar>) -> Tensor<Scalar> {
      Tensor(
        shape: old.shape,
        elements: old.elements.enumerated().map { place, value in
          let new = value * 3 + Scalar(index + place) / 7
          return new.isFinite ? new : 0
        })
    }
    switch tensor {
    case .float32(let tensor): return .float32(next(tensor))
    case .float64(let tensor): return .float64(next(tensor))
    }
  }

  /// A model's text without the characters of numbers where the values of parameters stand.
  private static func withoutNumbers(_ model: Model) -> [UInt8] {
    let digits = Set("0123456789+-.eExoabcdfABCDF_".utf8)
    let encoded = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=".utf8)
    var dropped: Set<Int> = []
    for parameter in model.parameters {
      switch parameter.origin {
      case .values(let node):
        for place in node.range.start..<node.range.end where digits.contains(model.source.bytes[place]) {
          dropped.insert(place)
        }
      case .binary(let node):
        for place in node.range.start..<node.range.end where encoded.contains(model.source.bytes[place]) {
          dropped.insert(place)
        }
      case .number, .file, .weights, .drawn: break
      }
    }
    return model.source.bytes.enumerated().filter { !dropped.contains($0.offset) }.map(\.element)
  }

  // MARK: Arrays

  /// Reads every array of a file whole and in parts, and writes the file anew.
  private static func readArrays(_ bytes: [UInt8], suffix: String) {
    let input = InputFile(name: "fuzz." + suffix, bytes: bytes)
    guard let file = try? ArrayFile(input, suffix: suffix) else { return }
    var replacements: [String: AnyTensor] = [:]
    switch file {
    case .array(let source): replacements[""] = read(source)
    case .archive(let archive):
      for key in archive.keys {
        guard let source = try? archive.source(key) else { continue }
        replacements[key] = read(source)
      }
    }
    let copy = MemorySink()
    if (try? file.rewrite(replacing: [:], to: copy)) != nil {
      precondition(copy.bytes == bytes, "what changes nothing gives the same bytes")
    }
    let sink = MemorySink()
    guard (try? file.rewrite(replacing: replacements, to: sink)) != nil else { return }
    guard let new = try? ArrayFile(InputFile(name: "new." + suffix, bytes: sink.bytes), suffix: suffix) else {
      preconditionFailure("a file that was written anew can be read")
    }
    for (key, value) in replacements {
      let read: AnyTensor? =
        switch new {
        case .array(let source): try? source.read(as: value.elementType)
        case .archive(let archive): try? archive.read(key, as: value.elementType)
        }
      precondition(read.map { isSame($0, value) } ?? false, "arrays are read as they were written")
    }
  }

  private static func read(_ source: ArraySource) -> AnyTensor? {
    guard let whole = try? source.read() else { return nil }
    precondition(whole.shape == source.shape && whole.count == source.count, "an array fills its shape")
    if source.rows > 1 {
      guard let last = try? source.read(rows: (source.rows - 1)..<source.rows) else {
        preconditionFailure("a part of a readable array can be read")
      }
      let tail = whole.count / source.rows
      precondition(isSame(elements(whole).suffix(tail), elements(last)[...]), "the last row is the array's")
    }
    return whole
  }

  private static func isSame(_ first: AnyTensor, _ second: AnyTensor) -> Bool {
    first.shape == second.shape && isSame(elements(first)[...], elements(second)[...])
  }

  /// Equal, NaN being NaN.
  private static func isSame(_ first: ArraySlice<Double>, _ second: ArraySlice<Double>) -> Bool {
    first.count == second.count && zip(first, second).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) }
  }

  private static func elements(_ tensor: AnyTensor) -> [Double] { tensor.converted(to: Double.self).elements }
}
