/// Renders diagnostics as the JSON array of `validate --format json`.
public func renderJSON(_ diagnostics: [Diagnostic]) -> String { "[]\n" }

/// Renders diagnostics as a SARIF 2.1.0 log of the tool's version `version`.
public func renderSARIF(_ diagnostics: [Diagnostic], version: String) -> String { "{}\n" }
