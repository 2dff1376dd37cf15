public import Diagnostics
public import ModelFile

extension Model {
  /// The model in the file at `path`, with the files of weights that it names.
  ///
  /// Throws `cannotRead` where a file is missing or cannot be read, and otherwise `invalidData` with all that is wrong in
  /// the file as diagnostics, each with its place. What is merely suspicious is in `warnings`.
  public init(path: String) throws(Failure) { self = try ModelLoader.load(path: path).valid() }

  /// The model that a text holds; `path` names it in messages, and the files that it names are looked for beside it.
  ///
  /// Throws as `init(path:)` does.
  public init(text: String, path: String = "model.yaml") throws(Failure) {
    self = try ModelLoader.load(source: SourceText(name: path, bytes: Array(text.utf8)), path: path).valid()
  }
}
