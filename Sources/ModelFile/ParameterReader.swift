import Diagnostics
import Layers
import Tensors
import YAML

/// What a layer (or the model's `weights` file) gives for a parameter.
struct GivenParameter {
  let origin: Parameter.Origin
  /// The shape of the values, where they have one of their own.
  let shape: [Int]?
  /// The array in a file, where it is one.
  var array: ArraySource?
  /// Where it is given, for messages.
  let range: SourceRange

  /// How it is drawn, where that is all that is given.
  var drawing: Parameter.Drawing? {
    if case .drawn(let drawing, _) = origin { drawing } else { nil }
  }
}

/// Reads what layers give for their parameters, and checks it against what they need.
struct ParameterReader {
  let source: SourceText
  let elementType: ElementType
  let files: ParameterFiles

  /// Reads one of the forms of a parameter; nil where it is wrong, which is reported.
  func read(_ node: Node, name: String, of item: LayerItem, sink: inout DiagnosticSink) -> GivenParameter? {
    switch node.content {
    case .numbers(let list):
      guard requireSingleUse(node, name, of: item, sink: &sink), checkValues(node, of: item, name, sink: &sink) else {
        return nil
      }
      return GivenParameter(origin: .values(node), shape: list.shape, range: node.range)
    case .sequence:
      guard requireSingleUse(node, name, of: item, sink: &sink), checkValues(node, of: item, name, sink: &sink) else {
        return nil
      }
      switch NestedNumbers(node) {
      case .rectangle(let shape): return GivenParameter(origin: .values(node), shape: shape, range: node.range)
      case .ragged(let place, let message):
        sink.add(.parameterShape, "`\(item.path).\(name)`: \(message)", at: place, uses: item.uses)
        return nil
      }
    case .scalar(let scalar):
      if case .binary = scalar.value {
        guard requireSingleUse(node, name, of: item, sink: &sink) else { return nil }
        return GivenParameter(origin: .binary(node), shape: nil, range: node.range)
      }
      guard let value = node.number else { return nil }
      if scalar.tag == "!!int" {
        sink.add(
          .parameterValue, "a parameter's number cannot be tagged `!!int`: training would not keep it one",
          at: node.range, uses: item.uses)
        return nil
      }
      guard check(value, at: node.range, of: item, name, sink: &sink) else { return nil }
      return GivenParameter(origin: .number(node), shape: nil, range: node.range)
    case .mapping:
      if let file = node["file"] {
        guard requireSingleUse(node, name, of: item, sink: &sink) else { return nil }
        return files.array(
          in: file, key: node["key"], path: item.path + "." + name, range: node.range, uses: item.uses, sink: &sink)
      }
      guard let name = node["init"]?.string,
        let initialiser = Initialiser(name: name, scale: node["scale"]?.number ?? 1)
      else { return nil }
      let drawing = Parameter.Drawing(initialiser: initialiser, seed: node["seed"]?.integer)
      return GivenParameter(origin: .drawn(drawing, node: node), shape: nil, range: node.range)
    }
  }

  private func requireSingleUse(
    _ node: Node, _ name: String, of item: LayerItem, sink: inout DiagnosticSink
  ) -> Bool {
    guard item.repetition != nil else { return true }
    sink.add(
      .blockValues,
      "the block is used more than once, and each use has weights of its own, so `\(name)` cannot be given by values",
      at: node.range,
      notes: [DiagnosticNote("give one number, `{init: ...}` or nothing, and keep the values in a `weights` file")],
      uses: item.uses)
    return false
  }

  /// Checks what is given against what the layer needs.
  func accepts(
    _ given: GivenParameter, against declaration: ParameterDeclaration, path: String, of item: LayerItem,
    sink: inout DiagnosticSink
  ) -> Bool {
    if let shape = given.shape, shape != declaration.shape {
      sink.add(
        .parameterShape,
        "`\(path)` has the shape \(text(shape)), but the layer needs \(text(declaration.shape))", at: given.range,
        uses: item.uses)
      return false
    }
    switch given.origin {
    case .binary(let node):
      guard case .binary(let bytes)? = node.scalar?.value else { return false }
      let (needed, overflow) = declaration.shape.reduce(1, *).multipliedReportingOverflow(by: elementType.size)
      guard !overflow, bytes.count == needed else {
        sink.add(
          .parameterShape,
          "`\(path)` needs \(text(declaration.shape)) \(elementType.rawValue) values, which are \(needed) bytes, but the base64 holds \(bytes.count)",
          at: node.range, uses: item.uses)
        return false
      }
      let tensor = AnyTensor(littleEndianBytes: bytes, shape: declaration.shape, elementType: elementType)
      if let index = tensor.firstNonFiniteIndex {
        sink.add(
          .parameterValue, "`\(path)`: the value at index \(index) of the base64 is not finite", at: node.range,
          uses: item.uses)
        return false
      }
      return true
    case .values, .number, .file, .weights, .drawn: return true
    }
  }

  private func checkValues(_ node: Node, of item: LayerItem, _ name: String, sink: inout DiagnosticSink) -> Bool {
    var index = 0
    var problems = 0
    forEachNumber(in: node) { value, tag in
      defer { index += 1 }
      guard problems < Self.mostProblems else { return }
      if tag == "!!int" {
        problems += 1
        sink.add(
          .parameterValue, "a parameter's number cannot be tagged `!!int`: training would not keep it one",
          at: node.range(ofNumber: index, in: source) ?? node.range, uses: item.uses)
      } else if !isRepresentable(value) {
        problems += 1
        _ = check(value, at: node.range(ofNumber: index, in: source) ?? node.range, of: item, name, sink: &sink)
      }
    }
    return problems == 0
  }

  /// How many bad numbers of one parameter are reported; who has more has another problem.
  private static let mostProblems = 20

  private func isRepresentable(_ value: Double) -> Bool {
    elementType == .float64 ? value.isFinite : Float(value).isFinite
  }

  private func check(
    _ value: Double, at range: SourceRange, of item: LayerItem, _ name: String, sink: inout DiagnosticSink
  ) -> Bool {
    if isRepresentable(value) { return true }
    let written = String(decoding: source.bytes[range.start..<range.end].prefix(40), as: UTF8.self)
    // An overflowing literal reads as infinity too; only its text tells it from `.inf`.
    let isOverflow = value.isFinite || written.utf8.contains { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    sink.add(
      .parameterValue,
      isOverflow
        ? "`\(written)` is too large for \(elementType.rawValue)"
        : "`\(item.path).\(name)` has a number that is not finite: `\(written)`",
      at: range, notes: [DiagnosticNote("parameters are finite numbers")], uses: item.uses)
    return false
  }
}

/// Calls `body` with each number in a parameter's nested lists, in row-major order, and its explicit tag.
func forEachNumber(in node: Node, _ body: (_ value: Double, _ tag: String?) -> Void) {
  switch node.content {
  case .numbers(let list): for value in list.values { body(value, nil) }
  case .sequence(let items): for item in items { forEachNumber(in: item, body) }
  case .scalar(let scalar): if let value = node.number { body(value, scalar.tag) }
  case .mapping: break
  }
}

/// The shape of nested lists of numbers that were not packed as a whole.
enum NestedNumbers {
  case rectangle([Int])
  case ragged(SourceRange, message: String)

  init(_ node: Node) {
    switch node.content {
    case .numbers(let list): self = .rectangle(list.shape)
    case .scalar, .mapping: self = .rectangle([])
    case .sequence(let items):
      var inner: [Int]?
      for item in items {
        switch NestedNumbers(item) {
        case .ragged(let range, let message):
          self = .ragged(range, message: message)
          return
        case .rectangle(let shape):
          if let inner, inner != shape {
            self = .ragged(
              item.range,
              message: "this entry has the shape \(text(shape)), but the ones before it have \(text(inner))")
            return
          }
          inner = shape
        }
      }
      self = .rectangle([items.count] + (inner ?? []))
    }
  }
}
