import ArgumentParser
import Diagnostics
import Files
import ModelFile

/// `nnrun weights`.
struct WeightsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "weights",
    abstract: "Moves a model's parameters to another form of storage, or takes values from a file.",
    discussion: """
      With --names pytorch, --from takes arrays by the names of a PyTorch model's state, such as torchvision's ResNet-18.

      nnrun weights models/neuron/neuron.yaml --to models/neuron/neuron.safetensors
      nnrun weights models/neuron/neuron.yaml --from models/neuron/neuron.safetensors --to inline
      """)

  @Argument(help: "The model file.", completion: .file(extensions: ["yaml", "yml"]))
  var model: String

  @Option(
    help: "Where to: inline, binary, or a .safetensors or .npz file in the model's folder or below.",
    completion: .file(extensions: ["safetensors", "npz"]))
  var to: String?

  @Option(
    help: "A .safetensors or .npz file to take all values from.", completion: .file(extensions: ["safetensors", "npz"]))
  var from: String?

  @Option(help: "How the arrays of that file are named: paths or pytorch.")
  var names: WeightNames?

  @Flag(help: "Replace a weight file that is there.")
  var force = false

  @OptionGroup var options: SharedOptions

  func validate() throws {
    if to == nil, from == nil { throw ValidationError("say where to with --to, or where from with --from") }
    if names != nil, from == nil {
      throw ValidationError("--names says how the arrays of --from are named, which is not given")
    }
  }

  func run() throws {
    let model = try loadModel(model, options)
    let source = try from.map { try model.values(from: FilePath($0), names: names ?? .paths) }
    let values = source?.values ?? [:]
    if let matches = source?.matches, !matches.isEmpty {
      options.remark("nnrun: note: these modules are called otherwise, and were matched by kind, order and shape:")
      for (module, layer) in matches { options.remark("  \(printable(module)) is \(layer)") }
    }
    let written: [FilePath]
    if let to {
      written = try model.move(to: try storage(to), values, replacing: force)
    } else {
      written = try model.writeBack(values)
    }
    if written.isEmpty {
      options.remark("nothing to change")
    } else {
      options.remark(wordsFor(written: written))
    }
  }

  private func storage(_ text: String) throws -> ParameterStorage {
    switch text {
    case "inline": return .inline
    case "binary": return .binary
    default:
      let path = FilePath(text)
      guard path.suffix == "safetensors" || path.suffix == "npz" else {
        throw Failure(
          .usage, "--to takes inline, binary, or a file that ends in .safetensors or .npz, not `\(printable(text))`")
      }
      let folder = path.folder.description
      guard folder.isEmpty || isFolder(folder) else {
        throw Failure(.cannotCreate, "cannot create \(path): there is no folder \(printable(folder))")
      }
      return .file(try nameBesideModel(path, model: FilePath(model)))
    }
  }
}

extension WeightNames: ExpressibleByArgument {}
