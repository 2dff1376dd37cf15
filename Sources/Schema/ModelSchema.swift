import CSchemas
package import Diagnostics
import Synchronization
package import YAML

/// The schema of model files, `schemas/nnrun-1.schema.json`, as the program carries it.
package enum ModelSchema {
  /// The bytes of the schema's file.
  package static var bytes: [UInt8] {
    let bytes = unsafe UnsafeBufferPointer(start: nnrun_model_schema, count: nnrun_model_schema_count)
    return unsafe Array(bytes)
  }

  /// The schema, whose parts are read and compiled as models use them.
  private static let shared = Mutex<CompiledSchema?>(nil)

  /// Everything in a model file that the format's structure does not allow, in the order of the file.
  package static func validate(_ root: Node, source: SourceText) -> [Diagnostic] {
    withSchema { $0.validate(root, in: source) }
  }

  /// The same for a list of layers, such as a block's after its parameters are put in.
  package static func validateLayers(_ layers: Node, source: SourceText) -> [Diagnostic] {
    withSchema { $0.validate(layers, in: source, definition: "layers", label: "`layers`") }
  }

  /// The schema as it is written.
  static var document: ParsedDocument { JSONDocument.parse(source: source) }

  private static var source: SourceText { SourceText(name: "nnrun-1.schema.json", bytes: bytes) }

  private static func withSchema(_ body: (CompiledSchema) -> [Diagnostic]) -> [Diagnostic] {
    shared.withLock { schema in
      if let schema { return body(schema) }
      let text = SoundJSON(source: source, leavingOut: "definitions")
      guard let root = text.root else { return document.diagnostics }
      let compiled = CompiledSchema(trusted: root, source: text.source, definition: text.part)
      schema = compiled
      return body(compiled)
    }
  }
}
