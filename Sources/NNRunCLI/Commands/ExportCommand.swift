import ArgumentParser
import Diagnostics
import Files
import Interchange
import ModelFile

/// `nnrun export`.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Writes a model as an ONNX file.",
    discussion: "nnrun export models/digits/digits.yaml --output digits.onnx")

  @Argument(help: "The model file.", completion: .file(extensions: ["yaml", "yml"]))
  var model: String

  @Option(help: "The ONNX file to write.", completion: .file(extensions: ["onnx"]))
  var output: String

  @Flag(help: "Replace the file if it is there.")
  var force = false

  @OptionGroup var options: SharedOptions

  func run() throws {
    guard output.hasSuffix(".onnx") else {
      throw Failure(.usage, "export writes an ONNX file, but --output `\(printable(output))` does not end in .onnx")
    }
    let model = try loadModel(model, options)
    let file = try OutputFile(FilePath(output), replaces: force)
    let drawn = model.drawnParameters.count
    if drawn > 0 { options.remark("\(drawn) parameters have no values yet and are written as they are drawn") }
    try file.write(try ONNXExport.bytes(of: model, producerVersion: programVersion))
    try file.finish()
  }
}
