public import Diagnostics
import Files
import ModelFile
import Tensors
import YAML

/// A file to be compared: a model, a file of arrays, or nothing where a file was added or removed.
public struct ComparedFile: Sendable {
  /// What it is called in messages.
  let name: String
  /// Whether it stands for a file that is not there.
  let isNothing: Bool
  /// The bytes of a model's text.
  let bytes: [UInt8]?
  /// What a model says.
  let root: FileValue?
  /// The arrays: a model's parameters, or those of a file.
  let arrays: [ComparedArray]
  /// Why a model's parameters are not known.
  let remark: String?

  /// Reads the file at a path: `-` is standard input, and `/dev/null` stands for a file that is not there. `name` is what
  /// the author calls it, where the path is that of a copy.
  ///
  /// Throws where it cannot be read or has errors; files that a model names may be missing beside it.
  public init(_ path: String, name: String? = nil) throws(Failure) {
    self.name = name ?? path
    isNothing = path == "/dev/null"
    if isNothing {
      (bytes, root, arrays, remark) = (nil, nil, [], nil)
      return
    }
    if path != "-", try Self.holdsArrays(path) {
      (bytes, root, remark) = (nil, nil, nil)
      arrays = try ComparedArray.all(of: try ArrayFile(FilePath(path)))
      return
    }
    let source = try Self.text(path)
    bytes = source.bytes
    let loaded =
      path == "-"
      ? ModelLoader.load(source: source, path: path, toleratesMissingFiles: true)
      : try ModelLoader.load(path: path, toleratesMissingFiles: true)
    if let model = loaded.model {
      root = FileValue(node: model.root, source: model.source)
      arrays = ComparedArray.all(of: model)
      remark = nil
      return
    }
    // With a file missing, sizes that its arrays would tell may be missing too; what the text says can still be compared.
    guard let value = Self.rootWithMissingFiles(source, path) else { throw Failure(loaded.diagnostics) }
    root = value
    arrays = []
    remark = "the parameters are not compared: \(self.name) leaves sizes to files that are not beside it"
  }

  /// Whether a file begins as `.npy`, `.npz` and `.safetensors` do.
  static func holdsArrays(_ path: String) throws(Failure) -> Bool {
    let file = try InputFile(FilePath(path))
    let start = try file.read(at: 0, count: min(9, file.count))
    if start.starts(with: [0x93, UInt8(ascii: "N")])
      || start.starts(with: [UInt8(ascii: "P"), UInt8(ascii: "K"), 3, 4])
    {
      return true
    }
    return start.count == 9 && start[7] == 0 && start[8] == UInt8(ascii: "{")
  }

  /// The text of a model file, or of standard input.
  static func text(_ path: String) throws(Failure) -> SourceText {
    if path == "-" {
      let input = try InputFile.standardInput(limit: 1 << 31)
      return SourceText(name: "standard input", bytes: try input.read(at: 0, count: input.count))
    }
    return SourceText(name: path, bytes: try readTextFile(path))
  }

  /// The root of a model whose only fault is that files are not there.
  private static func rootWithMissingFiles(_ source: SourceText, _ path: String) -> FileValue? {
    guard Failure(ModelLoader.load(source: source, path: path).diagnostics).kind == .cannotRead else { return nil }
    let document = YAMLDocument.parse(source: source)
    guard let root = document.root, !document.hasErrors else { return nil }
    return FileValue(node: root, source: source)
  }
}
