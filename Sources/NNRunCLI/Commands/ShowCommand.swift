import ArgumentParser
import Diagnostics
import ModelFile
import NNRun

/// `nnrun show`.
struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows a model's layers with their shapes and sizes, or draws its graph.",
    discussion: """
      nnrun show models/digits/digits.yaml
      nnrun show models/digits/digits.yaml --graph svg > digits.svg
      nnrun show models/cifar-resnet20/cifar-resnet20.yaml --expand
      """)

  /// The languages of drawings.
  enum DrawingFormat: String, ExpressibleByArgument, CaseIterable {
    case svg, dot, mermaid
  }

  @Argument(help: "The model file.", completion: .file(extensions: ["yaml", "yml"]))
  var model: String

  @Option(help: "Draw the graph instead: svg, dot or mermaid.")
  var graph: DrawingFormat?

  @Flag(help: "The table as JSON.")
  var json = false

  @Flag(help: "Print the model with its blocks written out, as a model file.")
  var expand = false

  @OptionGroup var options: SharedOptions

  func validate() throws {
    let forms = [(json, "--json"), (graph != nil, "--graph"), (expand, "--expand")].filter(\.0).map(\.1)
    if forms.count > 1 { throw ValidationError("\(forms[0]) and \(forms[1]) exclude each other") }
  }

  func run() throws {
    let model = try loadModel(model, options)
    if expand {
      try Console.write(try model.expandedText())
    } else if let graph {
      let diagram = GraphDiagram(model)
      switch graph {
      case .svg: try Console.write(diagram.svg)
      case .dot: try Console.write(diagram.dot)
      case .mermaid: try Console.write(diagram.mermaid)
      }
    } else {
      let summary = ModelSummary(model)
      try Console.write(json ? summary.json + "\n" : summary.text)
    }
  }
}
