import Diagnostics
import Files
import Tensors

/// Prints the results as numpy prints arrays; several under their names.
final class TextPrinter: ResultWriter {
  private var gathered: GatheredResults

  init(_ results: [ResultDescription]) { gathered = GatheredResults(results) }

  func append(_ tensors: [AnyTensor]) throws(Failure) { gathered.append(tensors) }

  func finish() throws(Failure) {
    var text = ""
    for (description, tensor) in zip(gathered.descriptions, gathered.tensors) {
      if gathered.descriptions.count > 1 { text += "\(description.name):\n" }
      text += numpyText(tensor) + "\n"
    }
    try Console.write(text)
  }
}

/// Writes the results as JSON, an object of nested arrays, to a file or to standard output.
final class JSONResultWriter: ResultWriter {
  private var gathered: GatheredResults
  private let file: OutputFile?

  /// Writes to `file`; without one, to standard output.
  init(_ results: [ResultDescription], to file: OutputFile?) {
    gathered = GatheredResults(results)
    self.file = file
  }

  func append(_ tensors: [AnyTensor]) throws(Failure) { gathered.append(tensors) }

  func finish() throws(Failure) {
    var text: [UInt8] = Array("{".utf8)
    for (index, (description, tensor)) in zip(gathered.descriptions, gathered.tensors).enumerated() {
      var name = JSONWriter()
      name.string(description.name)
      text += Array((index == 0 ? "" : ", ").utf8) + Array(name.text.utf8) + Array(": ".utf8) + TableText.json(tensor)
    }
    text += Array("}\n".utf8)
    if let file {
      try file.write(text)
      try file.finish()
    } else {
      try Console.write(String(decoding: text, as: UTF8.self))
    }
  }
}
