import ArgumentParser
import Communication
import Diagnostics
import Files
import NNRun

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@main
enum Main {
  static func main() {
    Console.prepare()
    var status: Int32 = 0
    do {
      let words = try arguments()
      if try !writeGeneratedFile(words) {
        try Job.join()
        let (work, isShared) = try Job.agree { () -> (() throws -> Void, Bool) in
          try explainMistypedSubcommand(words[0])
          if let run = plainRun(words) { return (run.run, true) }
          var command = try parse(words)
          return ({ try command.run() }, command is any SharedWork)
        }
        Job.prepareLastWords("nothing was written")
        if isShared {
          try work()
        } else if Job.leads {
          // What has no use for several processes is done by one; however it ends, the others have nothing to wait for.
          do { try work() } catch { throw AgreedEnd(error: error) }
        }
      }
    } catch let end as AgreedEnd {
      status = report(end.error)
    } catch {
      status = report(error)
      if !Job.communicator.isAlone { endJob(error, status) }
    }
    Job.communicator.prepareLastWords("")
    Job.communicator.finish()
    Console.exit(status)
  }

  /// Ends the processes of all ranks, for the others wait for this one.
  private static func endJob(_ error: any Error, _ status: Int32) -> Never {
    if !Job.leads {
      let message = (error as? Failure)?.message ?? "it failed with status \(status)"
      Console.remark("nnrun: error: \(Job.communicator.name): \(message)", isOfOneRank: true)
    }
    Job.communicator.prepareLastWords("")
    Job.communicator.abort(status)
    Console.exit(status)
  }

  /// The words after the program's name; none at all ask for help.
  static func arguments() throws(Failure) -> [String] {
    // Swift finds them by /proc; without it there is not even the program's name.
    guard CommandLine.argc > 0 else {
      throw Failure(.inputOutput, "the command line cannot be read; is /proc there?")
    }
    // File names need not be UTF-8; the standard library's arguments would lose what is not.
    var words: [String] = []
    for index in 1..<max(1, Int(CommandLine.argc)) {
      guard let word = unsafe CommandLine.unsafeArgv[index] else { break }
      words.append(FilePath(bytes: unsafe Array(UnsafeRawBufferPointer(start: word, count: strlen(word)))).text)
    }
    return words.isEmpty ? ["--help"] : words
  }

  /// The run of a model that the words ask for, where they are plain.
  private static func plainRun(_ words: [String]) -> ModelRun? {
    if words[0] == "run" { return ModelRun(plain: words.dropFirst()) }
    return looksLikeFile(words[0]) || subcommand(words[0]) == nil && words[0] != "help" ? ModelRun(plain: words) : nil
  }

  private static func subcommand(_ name: String) -> (any ParsableCommand.Type)? {
    Nnrun.configuration.subcommands.first { $0.configuration.commandName == name }
  }

  /// Whether a word is more than a subcommand's name.
  private static func looksLikeFile(_ word: String) -> Bool {
    word.utf8.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ".") }
  }

  /// The command that the words ask for.
  ///
  /// A subcommand parses its own words: looking through all the others would take as long as a small model's whole run.
  /// What it cannot parse, help included, the root explains.
  private static func parse(_ words: [String]) throws -> any ParsableCommand {
    let named = subcommand(words[0])
    if let named, let command = try? named.parse(Array(words.dropFirst())) { return command }
    if named == nil, !words[0].hasPrefix("-"), words[0] != "help", let command = try? RunCommand.parse(words) {
      return command
    }
    return try Nnrun.parseAsRoot(words)
  }

  /// Writes what is installed beside the program, if the words ask for that; true where they did.
  private static func writeGeneratedFile(_ words: [String]) throws(Failure) -> Bool {
    guard words.count == 2 else { return false }
    switch words[0] {
    case "--generate-completion-script":
      guard let shell = CompletionShell(rawValue: words[1]) else { return false }
      try Console.write(completionScript(for: shell))
    case "--generate-manual":
      for page in try ManualPage.all() { try page.write(into: FilePath(words[1])) }
    default: return false
    }
    return true
  }

  /// A first word that is neither a file nor looks like one was probably meant as a subcommand.
  private static func explainMistypedSubcommand(_ word: String) throws(Failure) {
    guard !word.hasPrefix("-"), !looksLikeFile(word), word != "help" else { return }
    let commands = Nnrun.configuration.subcommands.compactMap { $0.configuration.commandName }
    guard !commands.contains(word), !fileExists(word) else { return }
    let near = suggestion(for: word, among: commands)
    throw Failure(
      .cannotRead,
      "there is no file or subcommand `\(printable(word))`"
        + (near.map { "; did you mean `nnrun \($0)`?" } ?? "; `nnrun --help` lists the subcommands"))
  }

  /// Says what went wrong and returns the exit status.
  private static func report(_ error: any Error) -> Int32 {
    if let failure = error as? Failure {
      Console.report(failure)
      return failure.kind.rawValue
    }
    if let status = error as? ExitStatus { return status.value }
    let text = Nnrun.fullMessage(for: error)
    let code = Nnrun.exitCode(for: error).rawValue
    do throws(Failure) {
      if code == 0 { try Console.write(text + (text.hasSuffix("\n") ? "" : "\n")) } else { Console.remark(text) }
    } catch {
      return error.kind.rawValue
    }
    return code
  }
}

/// An end of the process that has been explained already.
struct ExitStatus: Error {
  let value: Int32
}

/// A command that the ranks of a job share out among them.
protocol SharedWork {}

/// The command line as a whole.
struct Nnrun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nnrun",
    abstract: "Runs and trains neural networks that are written as plain YAML.",
    usage: "nnrun MODEL --input PATH ...\nnnrun <subcommand> ...",
    discussion: """
      A model file is YAML that people write: `nnrun schema` prints what may stand in it.

      nnrun models/digits/digits.yaml --input models/digits/test-images.npy --top 1
      nnrun validate models

      Exit status: 0 done; 1 a check failed or training diverged; 64 wrong usage; 65 a model or data file is not valid; \
      66 a file cannot be read; 73, 74 an output cannot be written; 75 the model is being trained by another process, or \
      changed meanwhile; 130, 143 interrupted.
      """,
    version: programVersion,
    subcommands: [
      RunCommand.self, TrainCommand.self, EvalCommand.self, ValidateCommand.self, TestCommand.self, ShowCommand.self,
      BenchCommand.self, GradcheckCommand.self, InitCommand.self, FmtCommand.self, DiffCommand.self,
      ImportCommand.self, ExportCommand.self, WeightsCommand.self, SchemaCommand.self,
    ],
    defaultSubcommand: RunCommand.self)
}

/// The program's version.
let programVersion = libraryVersion

/// The day of that version, as manual pages give it.
let programDate = "November 25, 2026"
