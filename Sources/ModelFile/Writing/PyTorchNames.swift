import Diagnostics
import Layers
import Tensors

/// How the arrays of a PyTorch `state_dict` are called that a model's parameters stand for.
///
/// A parameter's own name is known (`gamma` is `weight`, `mean` is `running_mean`). The layer's path is the module's name
/// where the author called it so. Where not, modules and layers are matched kind by kind (convolutions, matrices,
/// normalisations), layers as they run and modules by their names in natural order (`layer2` before `layer10`), which is
/// the order of definition in the usual networks; every shape has to agree.
struct PyTorchNames {
  /// The array of each parameter, by the parameter's index.
  private(set) var keys: [String] = []
  /// The modules that were matched by their order, with the layers that they are.
  private(set) var matches: [(module: String, layer: String)] = []

  /// What a module does, as far as its arrays tell.
  private enum Kind: Hashable {
    case convolution, matrix, normalisation
  }

  private struct Module {
    let name: String
    var shapes: [String: [Int]] = [:]

    var kind: Kind? {
      if shapes["running_mean"] != nil || shapes["weight"]?.count == 1 { return .normalisation }
      switch shapes["weight"]?.count {
      case 4: return .convolution
      case 2: return .matrix
      default: return nil
      }
    }
  }

  init(_ model: Model, in archive: ArrayArchive) throws(Failure) {
    keys = model.parameters.map { parameter in
      let own = parameter.declaration.name
      return parameter.path.dropLast(own.count) + Self.name(of: own)
    }
    guard !keys.allSatisfy(archive.contains) else { return }
    matchByOrder(model, modules: try Self.modules(of: archive))
  }

  private static func name(of parameter: String) -> String {
    switch parameter {
    case "gamma": "weight"
    case "beta": "bias"
    case "mean": "running_mean"
    case "variance": "running_var"
    default: parameter
    }
  }

  private static func modules(of archive: ArrayArchive) throws(Failure) -> [Module] {
    var modules: [String: Module] = [:]
    for key in archive.keys {
      let dot = key.lastIndex(of: ".")
      let name = dot.map { String(key[..<$0]) } ?? ""
      let own = dot.map { String(key[key.index(after: $0)...]) } ?? key
      if own == "num_batches_tracked" { continue }
      modules[name, default: Module(name: name)].shapes[own] = try archive.source(key).shape
    }
    return modules.values.sorted { isBefore($0.name, $1.name) }
  }

  /// Takes the order of modules and layers for what names do not say; leaves the names as they are where it cannot be.
  private mutating func matchByOrder(_ model: Model, modules: [Module]) {
    var waiting: [Kind: [Module]] = [:]
    for module in modules {
      guard let kind = module.kind else { return }
      waiting[kind, default: []].append(module)
    }
    // A parameter that several layers share is one module's.
    var layers: [(path: String, parameters: [Int])] = []
    var seen: Set<Int> = []
    for layer in model.layers {
      let own = layer.parameters.filter { seen.insert($0).inserted }
      if !own.isEmpty { layers.append((layer.path, own)) }
    }
    guard layers.count == modules.count else { return }
    var found = keys
    var pairs: [(module: String, layer: String)] = []
    for layer in layers {
      let parameters = layer.parameters.map { ($0, model.parameters[$0]) }
      let kind: Kind =
        if parameters.contains(where: { $0.1.declaration.name == "gamma" }) {
          .normalisation
        } else if parameters
          .contains(where: { $0.1.shape.count == 4 })
        {
          .convolution
        } else {
          .matrix
        }
      guard let module = waiting[kind]?.first, module.shapes.count == parameters.count else { return }
      waiting[kind]?.removeFirst()
      for (index, parameter) in parameters {
        let own = Self.name(of: parameter.declaration.name)
        guard module.shapes[own] == parameter.shape else { return }
        found[index] = module.name.isEmpty ? own : module.name + "." + own
      }
      if module.name != layer.path { pairs.append((module.name, layer.path)) }
    }
    (keys, matches) = (found, pairs)
  }

  /// Whether a name comes before another, numbers in them by their values.
  private static func isBefore(_ first: String, _ second: String) -> Bool {
    let (left, right) = (parts(first), parts(second))
    for (a, b) in zip(left, right) where a != b {
      if let x = Int(a), let y = Int(b), x != y { return x < y }
      return a < b
    }
    return left.count < right.count
  }

  /// A name cut where digits begin or end.
  private static func parts(_ name: String) -> [String] {
    var parts: [String] = []
    var wasDigit: Bool?
    for character in name {
      if character.isWholeNumber == wasDigit {
        parts[parts.count - 1].append(character)
      } else {
        parts.append(String(character))
      }
      wasDigit = character.isWholeNumber
    }
    return parts
  }
}
