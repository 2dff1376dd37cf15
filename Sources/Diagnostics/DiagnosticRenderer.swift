/// Renders diagnostics for people, with the source line and carets under the place.
///
/// ```
/// model.yaml:14:61: error: the body gives [N, 16, 7, 7] but the shortcut gives [N, 16, 8, 8] [residual-shape]
///    |
/// 14 |       - {name: conv2, type: conv2d, padding: 0}
///    |                                     ^^^^^^^
/// note: padding 1 would keep 8 by 8
/// ```
public struct DiagnosticRenderer: Sendable {
  private let color: Bool

  /// A renderer, with colours for a terminal if `color`.
  public init(color: Bool = false) {
    self.color = color
  }

  /// The text of `diagnostics`, file by file in the order of the file, ending in a line break; empty for none.
  public func render(_ diagnostics: [Diagnostic]) -> String {
    diagnostics.inFileOrder.map(render).joined(separator: "\n")
  }

  private func render(_ diagnostic: Diagnostic) -> String {
    let style: Style = diagnostic.severity == .error ? .error : .warning
    var text = heading(diagnostic.severity.rawValue, style, diagnostic.message, at: diagnostic.place)
    text += " " + paint("[\(diagnostic.code.rawValue)]", .code) + "\n"
    text += excerpt(diagnostic.place, style)
    for note in diagnostic.notes {
      text += heading("note", .note, note.message, at: note.place) + "\n"
      if let place = note.place { text += excerpt(place, .note) }
    }
    return text
  }

  private func heading(_ kind: String, _ style: Style, _ message: String, at place: SourcePlace?) -> String {
    var text = ""
    if let place {
      let start = place.start
      text = paint("\(printable(place.source.name, limit: .max)):\(start.line):\(start.column):", .place) + " "
    }
    return text + paint("\(kind):", style) + " " + paint(printable(message, limit: .max), .message)
  }

  private func excerpt(_ place: SourcePlace, _ style: Style) -> String {
    let excerpt = SourceExcerpt(place)
    let number = String(excerpt.line)
    let gutter = paint(String(repeating: " ", count: number.count) + " |", .gutter)
    var text = gutter + "\n"
    text += paint(number + " |", .gutter) + (excerpt.text.isEmpty ? "" : " " + excerpt.text) + "\n"
    let indent = String(repeating: " ", count: excerpt.caretColumn + 1)
    return text + gutter + indent + paint(String(repeating: "^", count: excerpt.caretCount), style) + "\n"
  }

  private enum Style: String {
    case error = "1;31"
    case warning = "1;33"
    case note = "1;36"
    case place = "1"
    case message = "1;39"
    case code = "2"
    case gutter = "34"
  }

  private func paint(_ text: String, _ style: Style) -> String {
    color ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
  }
}

extension [Diagnostic] {
  /// Sorted by place within each file, without repetitions (what is shared by aliases is checked at every use); the
  /// files stay in the order of their first diagnostic.
  public var inFileOrder: [Diagnostic] {
    guard count > 1 else { return self }
    var files: [ObjectIdentifier: Int] = [:]
    var seen: Set<Identity> = []
    var keys: [(file: Int, start: Int, index: Int)] = []
    for (index, diagnostic) in enumerated() where seen.insert(Identity(diagnostic)).inserted {
      let place = diagnostic.place
      let file = files[ObjectIdentifier(place.source), default: files.count]
      files[ObjectIdentifier(place.source)] = file
      keys.append((file, place.range.start, index))
    }
    return keys.sorted { $0 < $1 }.map { self[$0.index] }
  }
}

/// What makes two diagnostics the same.
private struct Identity: Hashable {
  private let file: ObjectIdentifier
  private let range: SourceRange
  private let code: DiagnosticCode
  private let message: String
  private let notes: [String]
  private let noteRanges: [SourceRange?]

  init(_ diagnostic: Diagnostic) {
    file = ObjectIdentifier(diagnostic.place.source)
    range = diagnostic.place.range
    code = diagnostic.code
    message = diagnostic.message
    notes = diagnostic.notes.map(\.message)
    noteRanges = diagnostic.notes.map { $0.place?.range }
  }
}
