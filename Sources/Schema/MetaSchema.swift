import CSchemas
package import Diagnostics
package import YAML

/// Draft-07's own schema, which every schema must satisfy.
enum MetaSchema {
  static let uri = "http://json-schema.org/draft-07/schema"

  static let document: ParsedDocument = {
    let bytes = unsafe UnsafeBufferPointer(start: nnrun_draft07_metaschema, count: nnrun_draft07_metaschema_count)
    return JSONDocument.parse(source: SourceText(name: uri, bytes: unsafe Array(bytes)))
  }()

  /// What is wrong with a schema by the metaschema, and by the draft that it says it is written for.
  static func validate(_ document: ParsedDocument) -> [Diagnostic] {
    guard let root = document.root, let metaschema = self.document.root else { return [] }
    if let draft = root["$schema"], let name = draft.string, !isKnownDraft(name) {
      return [
        Diagnostic(
          .unsupportedDraft, "this schema is written for `\(name)`, but only draft-07 is known",
          at: draft.place(in: document.source),
          notes: [DiagnosticNote("draft-07 is `http://json-schema.org/draft-07/schema#`")])
      ]
    }
    let schema = CompiledSchema(trusted: metaschema, source: self.document.source)
    return schema.validate(root, in: document.source)
  }

  private static func isKnownDraft(_ name: String) -> Bool {
    let bare = name.hasSuffix("#") ? String(name.dropLast()) : name
    return bare == uri || bare == "https://json-schema.org/draft-07/schema"
  }
}

/// `validate --schema FILE`: checks any YAML or JSON document against a schema.
package enum SchemaCheck {
  /// Everything wrong with the schema, or, where it is sound, with each of the documents.
  package static func validate(_ documents: [ParsedDocument], schema: ParsedDocument) -> [Diagnostic] {
    let compiled: CompiledSchema
    do {
      compiled = try CompiledSchema.compile(schema)
    } catch {
      return error.diagnostics
    }
    return documents.flatMap { document in
      guard let root = document.root else { return document.diagnostics }
      return (document.diagnostics + compiled.validate(root, in: document.source)).inFileOrder
    }
  }
}
