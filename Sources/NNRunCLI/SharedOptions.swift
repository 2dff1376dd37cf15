import ArgumentParser

/// What every command understands.
struct SharedOptions: ParsableArguments {
  @Option(help: "Colours in messages: auto, always or never.")
  var color: Console.ColorChoice = .auto

  @Flag(name: [.short, .long], help: "No progress and no remarks; warnings stay.")
  var quiet = false

  /// Says something to a person, unless they asked for quiet.
  func remark(_ text: String) {
    if !quiet { Console.remark(text) }
  }
}

extension Console.ColorChoice: ExpressibleByArgument {}
