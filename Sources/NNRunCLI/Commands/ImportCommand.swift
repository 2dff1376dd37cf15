import ArgumentParser
import Diagnostics
import Files
import Interchange

/// `nnrun import`.
struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Reads an ONNX file as a model.",
    discussion: """
      nnrun export models/digits/digits.yaml --output digits.onnx
      nnrun import digits.onnx
      nnrun import digits.onnx --output models/again.yaml
      """)

  @Argument(help: "The ONNX file.", completion: .file(extensions: ["onnx"]))
  var model: String

  @Option(
    help: "The model file to write (default: the ONNX file's name with .yaml).", completion: .file(extensions: ["yaml"])
  )
  var output: String?

  @Flag(help: "Replace the files if they are there.")
  var force = false

  @OptionGroup var options: SharedOptions

  func run() throws {
    let path = FilePath(model)
    if let output, !output.hasSuffix(".yaml"), !output.hasSuffix(".yml") {
      throw Failure(.usage, "import writes a model, but --output `\(printable(output))` does not end in .yaml")
    }
    let target = output.map { FilePath($0) } ?? path.sibling(FilePath(bytes: path.stem + Array(".yaml".utf8)))
    let written = try ONNXImport.importFile(path, to: target, replacing: force)
    options.remark(wordsFor(written: written))
  }
}
