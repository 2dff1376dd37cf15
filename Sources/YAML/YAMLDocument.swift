public import Diagnostics

/// Reads YAML by libyaml's events into nodes with exact places.
public enum YAMLDocument {
  /// The most lists and mappings within one another.
  package static let deepest = NodeBuilder.deepest

  /// Reads the only document of `source`, with every error that can be found in its text.
  ///
  /// Where the text is not YAML, reading ends there, there is no root, and the errors found before it are kept.
  public static func parse(source: SourceText) -> ParsedDocument {
    parse(source: source, mostNodes: NodeBuilder.mostNodes)
  }

  static func parse(source: SourceText, mostNodes: Int) -> ParsedDocument {
    if let problem = TextProblem.inBeginning(of: source) {
      return ParsedDocument(source: source, root: nil, diagnostics: [problem])
    }
    guard source.textStart < source.bytes.count else {
      return ParsedDocument(source: source, root: nil, diagnostics: [emptyDocument(source)])
    }
    var reading = Reading(source: source, end: source.bytes.count, mostNodes: mostNodes)
    if let badByte = reading.badByte {
      // libyaml reads ahead: what stands before the bad byte is read alone, to find what else is wrong.
      let problem = TextProblem.badByte(at: badByte, in: source)
      reading = Reading(source: source, end: problem.place.range.start, mostNodes: mostNodes)
      reading.diagnostics.append(problem)
      reading.root = nil
    }
    let diagnostics = reading.diagnostics.sorted { $0.place.range.start < $1.place.range.start }
    let isEmpty = reading.root.map { $0.isNull && $0.scalar?.text == "" && $0.scalar?.tag == nil } ?? true
    if isEmpty, diagnostics.isEmpty {
      return ParsedDocument(source: source, root: nil, diagnostics: [emptyDocument(source)])
    }
    return ParsedDocument(source: source, root: reading.root, diagnostics: diagnostics)
  }

  private static func emptyDocument(_ source: SourceText) -> Diagnostic {
    let start = source.textStart
    return Diagnostic(
      .emptyDocument, "the file holds nothing but space and comments",
      at: SourcePlace(source: source, range: SourceRange(start: start, end: start)))
  }

  /// What libyaml and the node builder make of the bytes up to an end.
  private struct Reading {
    var root: Node?
    var diagnostics: [Diagnostic]
    /// The byte at which the text stops being text.
    var badByte: Int?

    init(source: SourceText, end: Int, mostNodes: Int) {
      let base = source.textStart
      let lineBreaks = UnusualLineBreaks(in: source, end: end)
      var builder = NodeBuilder(source: source, base: base, lineBreaks: lineBreaks, mostNodes: mostNodes)
      var problem: EventReader.Problem?
      unsafe source.bytes.withUnsafeBufferPointer { bytes in
        var reader = unsafe EventReader(bytes: UnsafeBufferPointer(rebasing: bytes[base..<max(end, base)]))
        do throws(EventReader.Problem) { try builder.build(from: &reader) } catch { problem = error }
      }
      root = problem == nil ? builder.root : nil
      badByte = problem?.badByte.map { $0 + base }
      if let problem, badByte == nil {
        let place = builder.offset(of: problem.index)
        let context = problem.contextIndex.map { builder.offset(of: $0) }
        // At the end of a text that was cut short, the problem is only that it was cut.
        if end == source.bytes.count || place < end {
          // What libyaml read behind an unusual line break may not be what the author sees there.
          let hasLineBreaks = builder.reportLineBreaks(before: place)
          let syntax = SyntaxProblem(problem, at: place, context: context, in: source)
          if !hasLineBreaks { builder.report(syntax.code, syntax.message, at: syntax.range, notes: syntax.notes) }
        }
      }
      diagnostics = builder.diagnostics
    }
  }
}
