import ArgumentParser
import Memory

/// What every command understands.
struct SharedOptions: ParsableArguments {
  @Option(help: "Colours in messages: auto, always or never.")
  var color: Console.ColorChoice = .auto

  @Flag(name: [.short, .long], help: "No progress and no remarks; warnings stay.")
  var quiet = false

  @Option(help: "The most memory to take, such as 4G (default: what the machine has free).")
  var maxMemory: ByteCount?

  func validate() throws {
    if let maxMemory { MemoryLimit.set(maxMemory.bytes) }
  }

  /// Says something to a person, unless they asked for quiet.
  func remark(_ text: String) {
    if !quiet { Console.remark(text) }
  }
}

extension Console.ColorChoice: ExpressibleByArgument {}
