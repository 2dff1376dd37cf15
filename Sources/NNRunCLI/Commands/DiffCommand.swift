import ArgumentParser
import Diagnostics
import ModelFile
import NNRun

/// `nnrun diff`.
struct DiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Shows what two models have otherwise: layers, settings, and how far each parameter moved.",
    discussion: """
      nnrun diff models/neuron/neuron.yaml models/neuron/three-epochs.yaml
      nnrun diff models/digits/digits.yaml models/digits/digits.yaml --json
      nnrun diff --textconv models/digits/digits.yaml

      Two .safetensors, .npz or .npy files are compared array by array. The exit status is 1 where something differs. \
      docs/git.md shows how git diff and git difftool use it.
      """)

  @Argument(
    help: "The old file and the new one; - is standard input. The 7 words of git's external diffs are understood too.",
    completion: .file())
  var files: [String]

  @Flag(help: "The difference as JSON.")
  var json = false

  @Flag(help: "Print one file as lines that git can compare: one for each layer, setting and array.")
  var textconv = false

  @OptionGroup var options: SharedOptions

  func validate() throws {
    if textconv {
      guard files.count == 1, !json else { throw ValidationError("--textconv takes one file, and no --json") }
      return
    }
    guard [2, 7, 9].contains(files.count) else {
      throw ValidationError("name two files, the old one and the new one, not \(files.count)")
    }
    if files == ["-", "-"] { throw ValidationError("standard input can be read only once") }
  }

  func run() throws {
    if textconv { return try Console.write(listing(of: files[0])) }
    if files.count > 2 { return try answerGit() }
    let difference = try ModelDifference(from: ComparedFile(files[0]), to: ComparedFile(files[1]))
    try Console.write(json ? difference.json + "\n" : DifferenceText(difference).text)
    if !difference.isSame { throw ExitStatus(value: Failure.Kind.checkFailed.rawValue) }
  }

  /// Answers git's call of an external diff: path, old file, its hash and mode, new file, its hash and mode, and for a
  /// renamed file the new path and a heading. Git takes any status but 0 for a breakdown and stops.
  private func answerGit() throws(Failure) {
    try Console.write("nnrun diff \(printable(files[0], limit: 1000))\n")
    do throws(Failure) {
      let old = try ComparedFile(files[1], name: files[0])
      let new = try ComparedFile(files[4], name: files.count > 7 ? files[7] : files[0])
      let difference = try ModelDifference(from: old, to: new)
      try Console.write(json ? difference.json + "\n" : DifferenceText(difference).text)
    } catch  where error.kind != .inputOutput {
      Console.report(error, color: options.color)
      try Console.write("not compared: one of the two has errors\n")
    }
  }

  /// The lines of a file. One with errors is shown as it is: git would give up the whole diff over a failure.
  private func listing(of file: String) throws(Failure) -> String {
    let listing: FileListing
    do throws(Failure) {
      listing = try FileListing(file)
    } catch  where !error.diagnostics.isEmpty {
      options.remark("nnrun: note: \(printable(file, limit: 1000)) has errors and is shown as it is")
      return String(decoding: try readTextFile(file), as: UTF8.self)
    }
    let entries = listing.entries.map { "\($0.path): \($0.text)\n" }
    let arrays = listing.arrays.map { path, summary in
      "\(path): \(summary.type) \(shapeText(summary.shape)), from \(decimal(summary.smallest, digits: 6)) to "
        + "\(decimal(summary.largest, digits: 6)), mean \(decimal(summary.mean, digits: 6)), "
        + "deviation \(decimal(summary.deviation, digits: 6)), checksum \(summary.checksum)\n"
    }
    return (entries + arrays).joined()
  }
}
