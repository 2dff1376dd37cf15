public import Diagnostics
import Files
import ModelFile
import Schema
import Tensors
import YAML

/// What one file holds as lines that can be compared: a line for each layer and setting, and one for each array that the
/// file itself holds. What other files hold is theirs to tell.
public struct FileListing: Sendable {
  /// The numbers of an array at a glance.
  public struct Summary: Sendable {
    /// The shape; of numbers in the text, that of their lists.
    public let shape: [Int]
    /// What they are stored as.
    public let type: String
    public let smallest: Double
    public let largest: Double
    public let mean: Double
    /// The standard deviation, over all numbers.
    public let deviation: Double
    /// The checksum of the values in the type that they are read as.
    public let checksum: String
  }

  /// What the lines say beside the arrays, each under its path.
  public private(set) var entries: [(path: String, text: String)] = []
  /// The arrays.
  public private(set) var arrays: [(path: String, summary: Summary)] = []

  /// Reads a file. Throws where it cannot be read, or is no YAML and holds no arrays.
  public init(_ path: String) throws(Failure) {
    if path == "/dev/null" { return }
    if path != "-", try ComparedFile.holdsArrays(path) {
      let file = try ArrayFile(FilePath(path))
      if case .archive(let archive) = file {
        entries = archive.metadata.map { ("metadata." + $0.key, printable($0.value, limit: .max)) }
      }
      for array in try ComparedArray.all(of: file) {
        arrays.append((array.path, Summary(try array.read(), shape: array.shape, type: array.storage)))
      }
      return
    }
    let source = try ComparedFile.text(path)
    let root = try YAMLDocument.parse(source: source).validRoot()
    list(FileValue(node: root, source: source))
  }

  private mutating func list(_ root: FileValue) {
    let type = root["dtype"]?.node.string ?? "float32"
    for key in ordered(root.keys, as: nil) {
      guard let value = root[key] else { continue }
      switch key {
      case "layers": list(layers: value, path: key, type)
      case "blocks":
        for name in value.keys {
          for key in ordered(value[name]?.keys ?? [], as: "block") {
            guard let part = value[name]?[key] else { continue }
            let path = "blocks.\(name).\(key)"
            if key == "layers" { list(layers: part, path: path, type) } else { add(path, part) }
          }
        }
      case "inputs", "metadata", "training":
        for name in key == "training" ? ordered(value.keys, as: key) : value.keys {
          if let part = value[name] { add("\(key).\(name)", part) }
        }
        if value.node.entries == nil { add(key, value) }
      case "tests":
        for (index, test) in (value.items ?? []).enumerated() { add("tests.\(index + 1)", test) }
      default: add(key, value)
      }
    }
  }

  private mutating func add(_ path: String, _ value: FileValue) { entries.append((path, value.text(limit: .max))) }

  private mutating func list(layers: FileValue, path: String, _ type: String) {
    for (index, layer) in (layers.items ?? []).enumerated() {
      let name = "\(path).\(layer["name"]?.node.string ?? String(index))"
      let definition = layer["block"] == nil ? layer["type"]?.node.string : "blockUse"
      var shown: [Node.Entry] = []
      var held: [(String, FileValue)] = []
      for key in ordered(layer.keys, as: definition) {
        guard let value = layer[key], !["name", "body", "shortcut"].contains(key) else { continue }
        if parameterNames.contains(key), value.holdsArray {
          held.append(("\(name).\(key)", value))
        } else if let entry = layer.node.entry(key) {
          shown.append(entry)
        }
      }
      add(name, layer.with(.mapping(shown)))
      for (path, value) in held {
        if let summary = Summary(value, type) { arrays.append((path, summary)) } else { add(path, value) }
      }
      for key in ["body", "shortcut"] {
        if let inner = layer[key] { list(layers: inner, path: "\(name).\(key)", type) }
      }
    }
  }

  /// Keys in the order of their definition, others behind.
  private func ordered(_ keys: [String], as definition: String?) -> [String] {
    let known = SchemaOutline.model.keys(of: definition)
    return known.filter(keys.contains) + keys.filter { !known.contains($0) }
  }
}

extension FileValue {
  /// Whether the value is an array's numbers, as lists or in base64.
  fileprivate var holdsArray: Bool {
    if case .binary? = node.scalar?.value { return true }
    return node.isList
  }
}

extension FileListing.Summary {
  init(_ tensor: AnyTensor, shape: [Int], type: String) {
    let values = tensor.converted(to: Double.self).elements
    var (smallest, largest, sum) = (Double.infinity, -Double.infinity, 0.0)
    for value in values {
      smallest = min(smallest, value)
      largest = max(largest, value)
      sum += value
    }
    let mean = sum / Double(max(values.count, 1))
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.init(
      shape: shape, type: type, smallest: values.isEmpty ? .nan : smallest, largest: values.isEmpty ? .nan : largest,
      mean: mean, deviation: (squares / Double(max(values.count, 1))).squareRoot(),
      checksum: NNRun.checksum(tensor.littleEndianBytes))
  }

  /// The summary of numbers in a text; nil where they form no rectangle.
  fileprivate init?(_ value: FileValue, _ type: String) {
    let elementType = ElementType(rawValue: type) ?? .float32
    if case .binary(let bytes)? = value.node.scalar?.value {
      guard bytes.count % elementType.size == 0 else { return nil }
      let count = bytes.count / elementType.size
      let tensor = AnyTensor(littleEndianBytes: bytes, shape: [count], elementType: elementType)
      self.init(tensor, shape: [count], type: type)
    } else {
      guard let tensor = AnyTensor(value.node, elementType: elementType) else { return nil }
      self.init(tensor, shape: tensor.shape, type: type)
    }
  }
}
