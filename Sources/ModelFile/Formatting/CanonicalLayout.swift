package import Diagnostics
import Files
import YAML

/// The canonical layout of model files.
package enum CanonicalLayout {
  /// The text of a model in its canonical layout.
  ///
  /// Throws the errors of a text that cannot be read, or that is no model by its `nnrun` key; a model with other errors is
  /// laid out like any.
  package static func of(_ source: SourceText) throws(Failure) -> [UInt8] {
    let root = try YAMLDocument.parse(source: source).validRoot()
    guard root.entries != nil, let version = root["nnrun"], version.integer ?? 1 <= 1 else {
      throw Failure(ModelLoader.load(source: source, path: source.name).diagnostics)
    }
    guard let bytes = CanonicalText.of(source, role: ModelRole.model) else {
      throw Failure(
        .invalidData, "\(source.name) was left as it is: its text is written in a way that cannot be laid out anew")
    }
    return bytes
  }

  /// The text of a model file, and in its canonical layout.
  package static func read(_ path: String) throws(Failure) -> (old: SourceText, new: [UInt8]) {
    try FileTransaction.reading(FilePath(path)) { () throws(Failure) in
      let source = SourceText(name: path, bytes: try readTextFile(path))
      return (source, try of(source))
    }
  }

  /// Lays out a model file anew; false where it is as it should be. Throws `busy` where the model is in training or changes
  /// meanwhile, and what saving throws.
  package static func rewrite(_ path: String) throws(Failure) -> Bool {
    let file = FilePath(path)
    let lock = try ModelLock(file)
    let (source, status) = try FileTransaction.reading(file) { () throws(Failure) in
      let (bytes, status) = try readWholeFileWithStatus(file, limit: largestTextFile)
      return (SourceText(name: path, bytes: bytes), status)
    }
    let bytes = try of(source)
    if bytes == source.bytes { return false }
    try FileTransaction(model: file).commit([FileChange(file, original: status, bytes: bytes)], lock: lock)
    return true
  }
}
