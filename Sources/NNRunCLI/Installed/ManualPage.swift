import ArgumentParser
import Diagnostics
import Files
import YAML

/// A page of the manual, made of the very texts that `--help` shows, in the language mdoc.
struct ManualPage {
  /// The file's name: `nnrun-run.1`.
  let fileName: String
  /// The page.
  let text: String

  /// The pages of the program and of each subcommand.
  static func all() throws(Failure) -> [ManualPage] {
    let source = SourceText(name: "help", bytes: Array(Nnrun._dumpHelp().utf8))
    guard let root = JSONDocument.parse(source: source).root?["command"] else {
      throw Failure(.invalidData, "the parser's description of the command line cannot be read")
    }
    let commands = shown(root["subcommands"], source).filter { $0["commandName"]?.string != "help" }
    let names = commands.compactMap { $0["commandName"]?.string }
    var pages = [ManualPage(root, name: "nnrun", words: "nnrun", commands: commands, seeAlso: names, source)]
    for command in commands {
      guard let name = command["commandName"]?.string else { continue }
      pages.append(
        ManualPage(command, name: "nnrun-\(name)", words: "nnrun \(name)", commands: [], seeAlso: [], source))
    }
    return pages
  }

  /// Writes the page into a folder.
  func write(into folder: FilePath) throws(Failure) {
    let file = try OutputFile(folder.appending(FilePath(fileName)))
    try file.write(text)
    try file.finish()
  }

  private init(
    _ command: Node, name: String, words: String, commands: [Node], seeAlso: [String], _ source: SourceText
  ) {
    fileName = name + ".1"
    let arguments = Self.shown(command["arguments"], source)
    var page = ".Dd \(programDate)\n.Dt \(name.uppercased()) 1\n.Os nnrun \(programVersion)\n"
    let abstract = command["abstract"]?.string ?? ""
    let title = abstract.hasSuffix(".") ? String(abstract.dropLast()) : abstract
    page += ".Sh NAME\n.Nm \(name)\n.Nd \(Self.escaped(title))\n"
    page += ".Sh SYNOPSIS\n.Nm \(words)\n"
    if commands.isEmpty {
      let options = arguments.filter { $0["kind"]?.string != "positional" }
      let positions = arguments.filter { $0["kind"]?.string == "positional" }
      for argument in options + positions { page += Self.synopsis(argument, source) }
    } else {
      page += ".Ar model\n.Op Ar options\n.Nm \(words)\n.Ar subcommand\n.Op Ar options\n"
    }
    let (paragraphs, examples) = Self.discussion(command["discussion"]?.string ?? "")
    page += ".Sh DESCRIPTION\n\(Self.escaped(abstract))\n"
    for paragraph in paragraphs { page += ".Pp\n\(Self.prose(paragraph))\n" }
    if !commands.isEmpty {
      page += ".Pp\nThe subcommands, each with a page of its own:\n.Bl -tag -width Ds\n"
      for command in commands {
        let (name, abstract) = (command["commandName"]?.string ?? "", command["abstract"]?.string ?? "")
        page += ".It Nm nnrun \(name)\n\(Self.escaped(abstract))\n"
      }
      page += ".El\n"
    }
    if !arguments.isEmpty {
      page += ".Pp\nThe arguments are as follows:\n.Bl -tag -width Ds\n"
      for argument in arguments { page += Self.item(argument, source) }
      page += ".El\n"
    }
    if !examples.isEmpty {
      page += ".Sh EXAMPLES\n.Bd -literal\n"
      for example in examples { page += "\(Self.escaped(example))\n" }
      page += ".Ed\n"
    }
    page += ".Sh SEE ALSO\n"
    let others = seeAlso.isEmpty ? ["nnrun"] : seeAlso.sorted().map { "nnrun-\($0)" }
    for (place, other) in others.enumerated() {
      page += place == others.count - 1 ? ".Xr \(other) 1\n" : ".Xr \(other) 1 ,\n"
    }
    text = page
  }

  /// The commands or arguments of a list that help shows.
  private static func shown(_ list: Node?, _ source: SourceText) -> [Node] {
    let items = list?.items(in: source) ?? []
    return items.filter { $0["shouldDisplay"]?.boolean ?? true }
  }

  /// The paragraphs of a discussion, and the commands that are its examples.
  static func discussion(_ text: String) -> (paragraphs: [String], examples: [String]) {
    var paragraphs: [String] = []
    var examples: [String] = []
    var isParagraphOpen = false
    var goesOn = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if goesOn || line.hasPrefix("nnrun ") {
        examples.append(line)
        goesOn = line.hasSuffix("\\")
        isParagraphOpen = false
      } else if line.isEmpty {
        isParagraphOpen = false
      } else if isParagraphOpen {
        paragraphs[paragraphs.count - 1] += " " + line
      } else {
        paragraphs.append(line)
        isParagraphOpen = true
      }
    }
    return (paragraphs, examples)
  }

  private static func synopsis(_ argument: Node, _ source: SourceText) -> String {
    let value = argument["valueName"]?.string ?? "value"
    let isOptional = argument["isOptional"]?.boolean ?? true
    let isRepeating = argument["isRepeating"]?.boolean ?? false
    let dots = isRepeating ? " ..." : ""
    switch argument["kind"]?.string {
    case "positional": return isOptional ? ".Op Ar \(value)\(dots)\n" : ".Ar \(value)\(dots)\n"
    default:
      let names = Self.names(argument, source)
      guard let name = names.first else { return "" }
      let text = argument["kind"]?.string == "flag" ? "Fl \(name)" : "Fl \(name) Ar \(value)\(dots)"
      return isOptional ? ".Op \(text)\n" : ".\(text)\n"
    }
  }

  private static func item(_ argument: Node, _ source: SourceText) -> String {
    let value = argument["valueName"]?.string ?? "value"
    let heading: String
    if argument["kind"]?.string == "positional" {
      heading = "Ar \(value)"
    } else {
      let takes = argument["kind"]?.string == "option" ? " Ar \(value)" : ""
      heading = names(argument, source).map { "Fl \($0)" }.joined(separator: " , ") + takes
    }
    var text = argument["abstract"]?.string ?? ""
    if let discussion = argument["discussion"]?.string { text += " " + discussion }
    return ".It \(heading)\n\(prose(text))\n"
  }

  /// An argument's names as mdoc's `Fl` takes them, without the first hyphen.
  private static func names(_ argument: Node, _ source: SourceText) -> [String] {
    (argument["names"]?.items(in: source) ?? []).compactMap { node in
      guard let name = node["name"]?.string else { return nil }
      return node["kind"]?.string == "long" ? "-\(name)" : name
    }
  }

  /// Running text, each sentence on a line of its own, as mdoc wants it.
  private static func prose(_ text: String) -> String {
    text.replacing(". ", with: ".\n").split(separator: "\n").map { escaped(String($0)) }.joined(separator: "\n")
  }

  /// A line in which nothing is a macro or an escape.
  private static func escaped(_ text: String) -> String {
    let result = text.replacing("\\", with: "\\e")
    // A line that begins with a full stop or an apostrophe would be a macro.
    return result.hasPrefix(".") || result.hasPrefix("'") ? "\\&" + result : result
  }
}
