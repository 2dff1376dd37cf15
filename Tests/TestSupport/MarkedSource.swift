package import Diagnostics

/// A text in which `⟦…⟧` marks where each diagnostic is expected, in order, and `⟪…⟫` where its note is.
package struct MarkedSource {
  package let source: SourceText
  package private(set) var marks: [SourceRange] = []
  package private(set) var noteMarks: [SourceRange] = []

  package init(_ marked: String) {
    var bytes: [UInt8] = []
    var open: [Int] = []
    for scalar in marked.unicodeScalars {
      switch scalar {
      case "⟦", "⟪": open.append(bytes.count)
      case "⟧": marks.append(SourceRange(start: open.removeLast(), end: bytes.count))
      case "⟫": noteMarks.append(SourceRange(start: open.removeLast(), end: bytes.count))
      default: bytes += Array(String(scalar).utf8)
      }
    }
    source = SourceText(name: "marked.yaml", bytes: bytes)
  }
}
