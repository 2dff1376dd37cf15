import ArgumentParser
import Schema

/// `nnrun schema`.
struct SchemaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema", abstract: "Prints the JSON Schema of model files.",
    discussion: "nnrun schema > nnrun-1.schema.json")

  func run() throws { try Console.write(String(decoding: ModelSchema.bytes, as: UTF8.self)) }
}
