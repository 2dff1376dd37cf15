import ArgumentParser
import Diagnostics
import Files
import ModelFile

/// `nnrun fmt`.
struct FmtCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fmt", abstract: "Lays model files out anew, in the canonical way; comments and values stay.",
    discussion: """
      nnrun fmt --check models/neuron models/digits
      nnrun fmt - < models/neuron/neuron.yaml

      Without --check, the files are rewritten in place.
      """)

  @Argument(help: "Model files, folders that are searched for *.yaml, or - for standard input.", completion: .file())
  var models: [String]

  @Flag(help: "Change nothing: name the files that would change, and end with 1 if there are any.")
  var check = false

  @OptionGroup var options: SharedOptions

  func validate() throws {
    if models.contains("-"), models.count > 1 {
      throw ValidationError("- stands alone: standard input gives one model")
    }
  }

  func run() throws {
    if models == ["-"] { return try formatStandardInput() }
    var status: Int32 = 0
    var counts = (changed: 0, unchanged: 0)
    for path in models {
      do throws(Failure) {
        for file in isFolder(path) ? try modelFiles(below: path, options) : [path] {
          do throws(Failure) {
            if try format(file) { counts.changed += 1 } else { counts.unchanged += 1 }
          } catch {
            status = max(status, try report(error))
          }
        }
      } catch {
        status = max(status, try report(error))
      }
    }
    if check, counts.changed > 0 { status = max(status, Failure.Kind.checkFailed.rawValue) }
    options.remark(
      "\(files(counts.changed)) \(check ? "would change" : "changed"), \(counts.unchanged) \(counts.unchanged == 1 ? "is" : "are") as \(counts.unchanged == 1 ? "it" : "they") should be"
    )
    if status != 0 { throw ExitStatus(value: status) }
  }

  private func files(_ count: Int) -> String { count == 1 ? "1 file" : "\(count) files" }

  private func report(_ failure: Failure) throws(Failure) -> Int32 {
    if failure.kind == .inputOutput, failure.message.isEmpty { throw failure }
    Console.report(failure, color: options.color)
    return failure.kind.rawValue
  }

  /// Whether the file changed, or would.
  private func format(_ file: String) throws(Failure) -> Bool {
    guard check else {
      let isChanged = try CanonicalLayout.rewrite(file)
      if isChanged { options.remark("formatted \(printable(file, limit: 1000))") }
      return isChanged
    }
    let (old, new) = try CanonicalLayout.read(file)
    if old.bytes == new { return false }
    try Console.write(firstChange(from: old, to: SourceText(name: file, bytes: new)))
    return true
  }

  /// The file's name and the first line that would be another.
  private func firstChange(from old: SourceText, to new: SourceText) -> String {
    var number = 1
    while number < min(old.lineCount, new.lineCount), old.line(number) == new.line(number) { number += 1 }
    func shown(_ text: SourceText) -> String {
      number <= text.lineCount ? printable(String(decoding: text.line(number), as: UTF8.self), limit: 160) : ""
    }
    return "\(printable(old.name, limit: 1000)):\(number)\n  - \(shown(old))\n  + \(shown(new))\n"
  }

  private func formatStandardInput() throws {
    let input = try InputFile.standardInput(limit: 1 << 31)
    let source = SourceText(name: "standard input", bytes: try input.read(at: 0, count: input.count))
    let bytes = try CanonicalLayout.of(source)
    if check {
      guard bytes != source.bytes else { return }
      try Console.write(firstChange(from: source, to: SourceText(name: source.name, bytes: bytes)))
      throw ExitStatus(value: Failure.Kind.checkFailed.rawValue)
    }
    try Console.write(String(decoding: bytes, as: UTF8.self))
  }
}
