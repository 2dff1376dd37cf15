import Diagnostics
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

/// Prints the results as JSON: an object of nested arrays.
final class JSONPrinter: ResultWriter {
  private var gathered: GatheredResults

  init(_ results: [ResultDescription]) { gathered = GatheredResults(results) }

  func append(_ tensors: [AnyTensor]) throws(Failure) { gathered.append(tensors) }

  func finish() throws(Failure) {
    try Console.write(jsonText(zip(gathered.descriptions.map(\.name), gathered.tensors)) + "\n")
  }
}
