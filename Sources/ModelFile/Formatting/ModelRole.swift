import Diagnostics
import Schema
import YAML

/// What the values of a model file are for, as far as that decides their layout; the order of keys is the schema's.
indirect enum ModelRole: LayoutRole {
  /// The file's root.
  case model
  /// A part of the file whose keys a definition lists.
  case section(String)
  /// A part of the file whose keys are names.
  case named(ModelRole)
  /// A mapping whose keys a definition lists.
  case definition(String)
  /// An optimiser or a schedule, whose `type` tells its definition.
  case typed
  case layers
  case layer
  case tests
  case test
  /// A parameter's mapping, `{file: …}` or `{init: …}`, or such data of a test.
  case source
  /// Whatever else: numbers, arguments of a block.
  case value
  /// What is under a key of the author's own.
  case own

  func order(of mapping: SyntaxElement, in source: SourceText) -> [String]? {
    let outline = SchemaOutline.model
    switch self {
    case .model: return outline.keys(of: nil)
    case .section(let name), .definition(let name): return outline.keys(of: name)
    case .typed:
      let type = mapping.word(under: "type", in: source) ?? ""
      return outline.keys(of: ["adamw": "adam", "linear": "cosine"][type] ?? type)
    case .layer:
      if mapping.keys.contains("block") { return outline.keys(of: "blockUse") }
      let keys = mapping.word(under: "type", in: source).map { outline.keys(of: $0) } ?? []
      return keys.isEmpty ? outline.keys(of: "relu") : keys
    case .test:
      let keys = mapping.keys
      return outline.keys(of: keys.contains("counts") ? "countTest" : keys.contains("train") ? "trainTest" : "runTest")
    case .source: return outline.keys(of: "fileSource") + outline.keys(of: "initializer")
    case .named, .layers, .tests, .value, .own: return nil
    }
  }

  func role(under key: String, of mapping: SyntaxElement, in source: SourceText) -> ModelRole {
    switch self {
    case .named(let role): return role
    case .own: return .own
    default: break
    }
    if key.hasPrefix("x-") { return .own }
    switch (self, key) {
    case (.model, "inputs"): return .named(.definition("modelInput"))
    case (.model, "blocks"): return .named(.section("block"))
    case (.model, "metadata"): return .named(.value)
    case (.model, "training"): return .section("training")
    case (.model, "tests"): return .tests
    case (.model, "layers"), (.section("block"), "layers"), (.layer, "body"), (.layer, "shortcut"): return .layers
    case (.section("training"), "optimizer"), (.section("training"), "learning-rate"): return .typed
    case (.layer, "weight"), (.layer, "bias"), (.layer, "gamma"), (.layer, "beta"), (.layer, "mean"),
      (.layer, "variance"):
      return .source
    case (.test, "train"): return .definition("trainRun")
    case (.test, "inputs"), (.test, "outputs"), (.test, "parameters"), (.definition("trainRun"), "inputs"),
      (.definition("trainRun"), "targets"):
      return .named(.source)
    default: return .value
    }
  }

  var ofItems: ModelRole {
    switch self {
    case .layers: .layer
    case .tests: .test
    case .own: .own
    default: .value
    }
  }

  var isListOfLines: Bool {
    switch self {
    case .layers, .tests: true
    default: false
    }
  }

  var keepsLines: Bool {
    switch self {
    case .model, .section, .named, .test, .own: true
    default: false
    }
  }

  func spacing(before key: String) -> LayoutSpacing {
    switch key {
    case "inputs", "blocks", "layers", "outputs", "weights", "training", "tests": .always
    case _ where key.hasPrefix("x-"): .author
    default: .never
    }
  }
}
