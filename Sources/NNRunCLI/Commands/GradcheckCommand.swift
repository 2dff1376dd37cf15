import ArgumentParser
import Diagnostics
import ModelFile
import Training

/// `nnrun gradcheck`.
struct GradcheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gradcheck",
    abstract: "Compares every analytic gradient of a model with a numerical one, in double precision.",
    discussion: "nnrun gradcheck models/neuron/neuron.yaml")

  @Argument(help: "The model file.", completion: .file(extensions: ["yaml", "yml"]))
  var model: String

  @Flag(help: "Print the result as JSON.")
  var json = false

  @OptionGroup var options: SharedOptions

  func run() throws {
    let model = try loadModel(model, options)
    let progress = ProgressLine(isQuiet: options.quiet)
    let check = try GradientCheck(
      model, configuration: TrainingConfiguration(model),
      report: { done, total, path in progress.show(done, of: total, printable(path)) })
    progress.clear()
    try Console.write(json ? Self.json(check) : Self.table(check))
    if !check.isCorrect { throw ExitStatus(value: Failure.Kind.checkFailed.rawValue) }
  }

  private static func table(_ check: GradientCheck) -> String {
    let heading = ["", "error", "analytic", "numerical", "at", "checked"]
    let rows = check.entries.map { entry in
      [
        entry.path + (entry.isInput ? " (input)" : ""), scientific(entry.error), scientific(entry.analytic),
        scientific(entry.numerical), "\(entry.index)", "\(entry.checked) of \(entry.count)",
      ]
    }
    let widths = heading.indices.map { column in ([heading] + rows).map { $0[column].count }.max() ?? 0 }
    let lines = ([heading] + rows).map { row in
      row.enumerated().map { $1 + String(repeating: " ", count: widths[$0] - $1.count) }.joined(separator: "  ")
    }
    let verdict =
      check.isCorrect
      ? "every gradient agrees to better than \(GradientCheck.tolerance)"
      : "\(check.entries.filter { !$0.isCorrect }.count) of \(check.entries.count) gradients are off"
    return lines.joined(separator: "\n") + "\n" + verdict + "\n"
  }

  private static func json(_ check: GradientCheck) -> String {
    var json = JSONWriter()
    json.array { json in
      for entry in check.entries {
        json.object { json in
          json.key("path")
          json.string(entry.path)
          json.key("error")
          json.number(entry.error)
          json.key("analytic")
          json.number(entry.analytic)
          json.key("numerical")
          json.number(entry.numerical)
          json.key("correct")
          json.boolean(entry.isCorrect)
        }
      }
    }
    return json.text + "\n"
  }
}
