import Diagnostics
import Foundation
import Testing

@Suite("Codes")
struct DiagnosticCodeTests {
  @Test("Codes are words joined by hyphens, with a summary and an explanation")
  func words() {
    for code in DiagnosticCode.allCases {
      #expect(code.rawValue.wholeMatch(of: /[a-z]+(-[a-z0-9]+)*/) != nil, "\(code.rawValue)")
      #expect(!code.details.summary.isEmpty && !code.details.summary.hasSuffix("."), "\(code.rawValue)")
      #expect(code.details.explanation.hasSuffix("."), "\(code.rawValue)")
    }
  }

  /// `NNRUN_WRITE_DOCUMENTATION=1 swift test --filter DiagnosticsTests` writes the file anew.
  @Test("docs/diagnostics.md lists every code")
  func documentation() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let file = root.appending(path: "docs/diagnostics.md")
    let heading = """
      # Diagnostics

      Every error and warning in a file has a stable code, which stands in brackets behind its message. This page is
      written by a test from `Sources/Diagnostics/DiagnosticCode.swift`.


      """
    let expected = heading + DiagnosticCode.documentation
    if ProcessInfo.processInfo.environment["NNRUN_WRITE_DOCUMENTATION"] != nil {
      try FileManager.default.createDirectory(at: root.appending(path: "docs"), withIntermediateDirectories: true)
      try expected.write(to: file, atomically: true, encoding: .utf8)
    }
    #expect(try String(contentsOf: file, encoding: .utf8) == expected)
  }
}
