import Foundation
import Testing

@Suite("what is made of the help texts")
struct HelpTests {
  private struct Command {
    let name: String
    let discussion: String
    let isShown: Bool

    /// The commands among the lines of the discussion; a `\` at the end goes on in the next line.
    var examples: [String] {
      discussion.replacingOccurrences(of: "\\\n", with: " ").split(separator: "\n").map(String.init)
        .filter { $0.hasPrefix("nnrun ") }
    }
  }

  /// The program and every subcommand, as the program itself tells.
  private func commands(_ copy: WorkingCopy) throws -> [Command] {
    let dump = try copy.shell("nnrun --experimental-dump-help")
    let object = try JSONSerialization.jsonObject(with: Data(dump.output.utf8)) as? [String: Any]
    let root = try #require(object?["command"] as? [String: Any])
    let all = [root] + (root["subcommands"] as? [[String: Any]] ?? [])
    let commands = all.map { command in
      Command(
        name: command["commandName"] as? String ?? "", discussion: command["discussion"] as? String ?? "",
        isShown: command["shouldDisplay"] as? Bool ?? true)
    }
    return commands.filter { $0.isShown && $0.name != "help" }
  }

  @Test("every help text carries an example, and every example runs")
  func examples() throws {
    let first = try WorkingCopy()
    defer { first.remove() }
    let commands = try commands(first)
    #expect(commands.count > 10)
    for command in commands {
      #expect(!command.examples.isEmpty, "\(command.name) has no example")
      let copy = try WorkingCopy()
      defer { copy.remove() }
      for example in command.examples {
        let result = try copy.shell(example)
        // `diff` tells by its status that two models differ.
        let statuses: [Int32] = command.name == "diff" ? [0, 1] : [0]
        #expect(statuses.contains(result.status), "\(command.name): \(example): \(result.output)")
      }
    }
  }

  @Test("every command has a page of the manual that mandoc reads without an error")
  func manual() throws {
    let copy = try WorkingCopy()
    defer { copy.remove() }
    #expect(try copy.shell("mkdir man && nnrun --generate-manual man").status == 0)
    for command in try commands(copy) {
      let name = command.name == "nnrun" ? "nnrun" : "nnrun-\(command.name)"
      let text = try copy.shell("cat man/\(name).1").output
      #expect(text.contains(".Nm \(name)\n") && text.contains(".Sh EXAMPLES\n"), "\(name)")
      for example in command.examples.map({ $0.prefix { $0 != "\\" } }) { #expect(text.contains(example.prefix(40))) }
    }
    let lint = try copy.shell("command -v mandoc >/dev/null || exit 0; mandoc -Tlint -Wwarning man/*.1")
    #expect(lint.status == 0, "\(lint.output)")
  }

  @Test(
    "bash completes subcommands, model files, and the options behind a model",
    arguments: [
      ("nnrun ", ["train", "validate"], "models/"), ("nnrun models/neuron/n", [], "models/neuron/neuron.yaml"),
      ("nnrun tra", ["train"], nil), ("nnrun train models/neuron/n", [], "models/neuron/neuron.yaml"),
      ("nnrun models/neuron/neuron.yaml --inp", ["--input"], nil),
      ("nnrun models/neuron/neuron.yaml --input models/neuron/neuron.i", [], "models/neuron/neuron.input.npy"),
      ("nnrun show models/neuron/neuron.yaml --graph ", ["svg", "dot", "mermaid"], nil),
    ] as [(String, [String], String?)])
  func bash(line: String, words: [String], file: String?) throws {
    let copy = try WorkingCopy()
    defer { copy.remove() }
    let script = """
      nnrun --generate-completion-script bash > completion && source ./completion
      COMP_LINE='\(line)'; COMP_POINT=${#COMP_LINE}
      read -ra COMP_WORDS <<< "$COMP_LINE"
      [[ "$COMP_LINE" = *' ' ]] && COMP_WORDS+=('')
      COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
      _nnrun nnrun "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
      printf '%s\\n' "${COMPREPLY[@]}"
      """
    let lines = try copy.shell(script).output.split(separator: "\n")
    let offered = lines.map { $0.trimmingCharacters(in: .whitespaces) }
    for word in words { #expect(offered.contains(word), "\(line): \(offered)") }
    if let file { #expect(offered.contains { file.hasPrefix($0) || $0 == file }, "\(line): \(offered)") }
  }
}
