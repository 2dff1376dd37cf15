import ArgumentParser
import Diagnostics
import Files
import ModelFile
import NNRun
import Schema
import Training
import YAML

/// `nnrun validate`.
struct ValidateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate", abstract: "Shows every error and warning in model files.",
    discussion: """
      nnrun validate models/digits/digits.yaml
      nnrun validate models --format sarif > findings.sarif
      nnrun validate --schema schemas/nnrun-1.schema.json models/digits/digits.yaml
      """)

  /// The forms of the report.
  enum ReportFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json, sarif
  }

  @Argument(help: "Model files, or folders that are searched for *.yaml.", completion: .file())
  var models: [String]

  @Option(help: "The form of the report: text, json or sarif.")
  var format: ReportFormat = .text

  @Option(help: "Check the documents against this JSON Schema alone.", completion: .file(extensions: ["json", "yaml"]))
  var schema: String?

  @OptionGroup var options: SharedOptions

  func validate() throws {
    if models.isEmpty { throw ValidationError("name a model file or a folder") }
  }

  func run() throws {
    var report = ValidationReport(format: format, options: options)
    for path in models {
      do throws(Failure) {
        if isFolder(path) {
          try checkFolder(path, &report)
        } else {
          try check(path, &report)
        }
      } catch {
        report.add(error)
      }
    }
    try report.finish()
  }

  private func checkFolder(_ folder: String, _ report: inout ValidationReport) throws(Failure) {
    for file in try modelFiles(below: folder, takingAll: schema != nil, options) {
      do throws(Failure) {
        try check(file, &report)
      } catch {
        report.add(error)
      }
    }
  }

  private func check(_ file: String, _ report: inout ValidationReport) throws(Failure) {
    guard let schema else {
      let loaded = try ModelLoader.load(path: file)
      let found = loaded.model.map { model in
        model.storedValueDiagnostics + trainingDiagnostics(of: model) + testDiagnostics(of: model)
      }
      report.add((loaded.diagnostics + (found ?? [])).inFileOrder, of: file)
      return
    }
    let found = SchemaCheck.validate([try parse(file)], schema: try parse(schema))
    report.add(found, of: file)
  }

  /// A document, JSON by its suffix and YAML otherwise.
  private func parse(_ path: String) throws(Failure) -> ParsedDocument {
    let source = SourceText(name: path, bytes: try readTextFile(path))
    return path.hasSuffix(".json") ? JSONDocument.parse(source: source) : YAMLDocument.parse(source: source)
  }
}

/// What `validate` found, in the form that was asked for.
private struct ValidationReport {
  let format: ValidateCommand.ReportFormat
  let options: SharedOptions
  private var diagnostics: [Diagnostic] = []
  private var status: Int32 = 0

  init(format: ValidateCommand.ReportFormat, options: SharedOptions) {
    self.format = format
    self.options = options
  }

  /// Adds what was found in one file.
  mutating func add(_ found: [Diagnostic], of file: String) {
    diagnostics += found
    let errors = found.filter { $0.severity == .error }
    if !errors.isEmpty { status = max(status, Failure(errors).kind.rawValue) }
    guard format == .text else { return }
    if found.isEmpty {
      options.remark("\(printable(file, limit: 1000)): valid")
    } else {
      Console.report(found, color: options.color)
      options.remark(
        "\(printable(file, limit: 1000)): \(count(errors.count, "error")), \(count(found.count - errors.count, "warning"))"
      )
    }
  }

  /// Adds a file that could not be read.
  mutating func add(_ failure: Failure) {
    status = max(status, failure.kind.rawValue)
    Console.report(failure, color: options.color)
  }

  func finish() throws {
    switch format {
    case .text: break
    case .json: try Console.write(renderJSON(diagnostics))
    case .sarif: try Console.write(renderSARIF(diagnostics, version: programVersion))
    }
    if status != 0 { throw ExitStatus(value: status) }
  }

  private func count(_ number: Int, _ noun: String) -> String {
    number == 0 ? "no \(noun)s" : number == 1 ? "1 \(noun)" : "\(number) \(noun)s"
  }
}
