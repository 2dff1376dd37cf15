import ArgumentParser
import Diagnostics
import Files
import NNRun
import Tensors

/// `nnrun init`.
struct InitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Writes a small, commented model to begin from.",
    discussion: """
      nnrun init neuron --output -
      nnrun init convnet --input models/digits/train-images.npy --target models/digits/train-labels.npy --output -

      The tasks:
      \(taskList)

      With --input and --target, the model is made for these arrays: the shape of a row, the number of classes, the last \
      layer and the loss. Without them it stands for common data, to be changed by hand.
      """)

  private static var taskList: String {
    StartingModel.Task.allCases.map { "  \($0.rawValue): \($0.summary)" }.joined(separator: "\n")
  }

  @Argument(help: "neuron, mlp, convnet or resnet.", completion: .list(StartingModel.Task.allCases.map(\.rawValue)))
  var task: String?

  @Option(
    name: .shortAndLong, help: "The inputs that it will be trained on (.npy, or .npz of one array).",
    completion: .file(extensions: ["npy", "npz"]))
  var input: String?

  @Option(
    name: .shortAndLong, help: "The targets that it will be trained on: class labels, or rows of numbers.",
    completion: .file(extensions: ["npy", "npz"]))
  var target: String?

  @Option(
    name: .shortAndLong, help: "The model file to write; - for standard output.",
    completion: .file(extensions: ["yaml"])
  )
  var output = "model.yaml"

  @Flag(help: "Replace the file if it is there.")
  var force = false

  @OptionGroup var options: SharedOptions

  func validate() throws {
    _ = try chosenTask()
    if target != nil, input == nil { throw ValidationError("--target needs --input, the rows that it belongs to") }
    if input == "-", target == "-" { throw ValidationError("standard input can be read only once") }
  }

  private func chosenTask() throws -> StartingModel.Task {
    guard let task else { throw ValidationError("say what the model is for:\n\(Self.taskList)") }
    guard let chosen = StartingModel.Task(rawValue: task) else {
      let near = suggestion(for: task, among: StartingModel.Task.allCases.map(\.rawValue))
      throw ValidationError(
        "there is no task `\(printable(task))`" + (near.map { "; did you mean `\($0)`?" } ?? "") + " The tasks are:\n"
          + Self.taskList)
    }
    return chosen
  }

  func run() throws {
    let task = try chosenTask()
    let data = try input.map { path in
      try StartingData(input: array(path, "--input"), target: target.map { try array($0, "--target") })
    }
    let path = FilePath(output)
    let model = try StartingModel(task, for: data)
    let text = model.text(
      name: output == "-" ? task.rawValue : FilePath(bytes: path.stem).text, schema: schemaPath(from: path))
    let file = try OutputFile(path, replaces: force)
    try file.write(Array(text.utf8))
    try file.finish()
    if output != "-" {
      options.remark(
        "wrote \(path); next: nnrun train \(path) --input \(input ?? "x.npy") --target \(target ?? "y.npy")")
    }
  }

  private func array(_ path: String, _ option: String) throws -> ArraySource {
    switch try ArrayFile(input: FilePath(path)) {
    case .array(let array): return array
    case .archive(let archive):
      guard archive.keys.count == 1 else {
        throw Failure(
          .invalidData,
          "\(printable(path)): it holds \(archive.keys.count) arrays, but \(option) takes one; save it as .npy")
      }
      return try archive.source(archive.keys[0])
    }
  }

  /// Where an editor finds the schema: in the model's folder or one above it, alone or under `schemas`; else beside the
  /// model, where `nnrun schema` can put it.
  private func schemaPath(from model: FilePath) -> String {
    let name = "nnrun-1.schema.json"
    var up = ""
    for _ in 0..<8 {
      for place in [up + name, up + "schemas/" + name]
      where fileExists(model == "-" ? place : model.sibling(FilePath(place)).text) {
        return place.hasPrefix(".") ? place : "./" + place
      }
      up += "../"
    }
    return "./" + name
  }
}
