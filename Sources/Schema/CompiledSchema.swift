package import Diagnostics
package import YAML

/// A JSON Schema (draft-07) that documents are checked against.
///
/// All of the draft is there but for remote references, which are never fetched, and `format`, which says something to
/// people only. Packed lists of numbers are checked without a node for each number.
package final class CompiledSchema {
  private let library: SchemaLibrary
  private let root: Subschema
  private let assertsEncoding: Bool

  private init(library: SchemaLibrary, root: Subschema, assertsEncoding: Bool) {
    self.library = library
    self.root = root
    self.assertsEncoding = assertsEncoding
  }

  /// A schema that is known to be sound, whose parts are read when they are first needed.
  ///
  /// Its references stay within itself; `definition` gives definitions that `root` leaves out. `contentEncoding: base64`
  /// asks for a `!!binary` scalar.
  package convenience init(
    trusted root: Node, source: SourceText, definition: @escaping (String) -> Node? = { _ in nil }
  ) {
    let library = SchemaLibrary(definition: definition)
    let schema = library.add(root, source: source, uri: "")
    self.init(library: library, root: schema, assertsEncoding: true)
  }

  /// Compiles a schema of somebody's; throws what is wrong with it.
  ///
  /// References lead into the schema itself, to draft-07's own schema, or to one of `documents`, by URI.
  package static func compile(
    _ document: ParsedDocument, documents: [String: ParsedDocument] = [:]
  ) throws(Failure) -> CompiledSchema {
    let node = try document.validRoot()
    let library = SchemaLibrary()
    if let metaschema = MetaSchema.document.root {
      library.index(library.add(metaschema, source: MetaSchema.document.source, uri: MetaSchema.uri))
    }
    for (uri, document) in documents {
      guard let root = document.root else { continue }
      library.index(library.add(root, source: document.source, uri: uri))
    }
    let root = library.add(node, source: document.source, uri: "")
    library.index(root)
    let violations = MetaSchema.validate(document)
    guard violations.isEmpty else { throw Failure(violations) }
    library.compileAll(root)
    guard library.diagnostics.isEmpty else { throw Failure(library.diagnostics.inFileOrder) }
    return CompiledSchema(library: library, root: root, assertsEncoding: false)
  }

  /// Everything in `node` that the schema does not allow, in the order of the file.
  package func validate(_ node: Node, in source: SourceText) -> [Diagnostic] {
    validate(node, in: source, against: root, label: "the document")
  }

  /// Everything in `node` that the schema at `pointer` does not allow; `label` is what messages call the node.
  package func validate(
    _ node: Node, in source: SourceText, definition name: String, label: String
  ) -> [Diagnostic] {
    guard let definition = library.definition(name, of: root) else { return [] }
    return validate(node, in: source, against: definition, label: label)
  }

  private func validate(
    _ node: Node, in source: SourceText, against schema: Subschema, label: String
  ) -> [Diagnostic] {
    let steps = 1_000_000 + 50 * source.bytes.count
    var validator = Validator(library: library, assertsEncoding: assertsEncoding, steps: steps)
    let isValid = validator.isValid(.node(node), schema)
    var reporter = Reporter(validator: validator, source: source)
    if !isValid, !validator.isExhausted { reporter.report(node, schema, Reporter.Context(label: label)) }
    var found = reporter.diagnostics.inFileOrder
    if reporter.validator.isExhausted {
      let place = SourcePlace(source: source, range: SourceRange(start: node.range.start, end: node.range.start))
      found.append(
        Diagnostic(.schemaTooComplex, "the schema multiplies its work on this document too much to finish", at: place))
    }
    return found
  }

  /// What was found wrong with the schema while its parts were read.
  package var schemaDiagnostics: [Diagnostic] { library.diagnostics }

  /// Reads every part now.
  package func compileAll() { library.compileAll(root) }
}

private struct DiagnosticIdentity: Hashable {
  let code: DiagnosticCode
  let range: SourceRange
  let message: String
}

extension [Diagnostic] {
  /// The diagnostics in the order of the file, each once.
  var inFileOrder: [Diagnostic] {
    var seen: Set<DiagnosticIdentity> = []
    let unique = filter { diagnostic in
      let identity = DiagnosticIdentity(
        code: diagnostic.code, range: diagnostic.place.range, message: diagnostic.message)
      return seen.insert(identity).inserted
    }
    let order = unique.enumerated().sorted {
      ($0.element.place.range.start, $0.offset) < ($1.element.place.range.start, $1.offset)
    }
    return order.map(\.element)
  }
}
