import Diagnostics
import Layers
import ModelFile
import Tensors

/// An array on one side of a comparison: a model's parameter, or an array of a file.
struct ComparedArray: Sendable {
  /// Its path, or its name in the file.
  let path: String
  /// Its shape, where that is known.
  let shape: [Int]
  /// Where its values are, in words.
  let storage: String
  /// The file that should hold it and is not there.
  let missingFile: String?
  /// By what it is drawn, where nothing gives it values: equal laws draw equal values.
  let drawing: String?
  /// Its values.
  let read: @Sendable () throws(Failure) -> AnyTensor

  /// The parameters of a model.
  static func all(of model: Model) -> [ComparedArray] {
    model.parameters.enumerated().map { index, parameter in
      var missingFile: String?
      var drawing: String?
      let storage: String
      switch parameter.origin {
      case .values: storage = "numbers in the text"
      case .number: storage = "one number in the text"
      case .binary: storage = "base64 in the text"
      case .file(let reference), .weights(let reference):
        storage = reference.writtenFile
        if parameter.array == nil { missingFile = reference.writtenFile }
      case .drawn(let law, _):
        storage = "drawn"
        let declaration = parameter.declaration
        drawing =
          "\(law.initialiser) \(law.seed ?? model.seed) \(declaration.fanIn) \(declaration.fanOut) \(model.elementType)"
      }
      return ComparedArray(
        path: parameter.path, shape: parameter.shape, storage: storage, missingFile: missingFile, drawing: drawing
      ) { () throws(Failure) in try model.value(of: index) }
    }
  }

  /// The arrays of a file; the one of a `.npy` file has no name.
  static func all(of file: ArrayFile) throws(Failure) -> [ComparedArray] {
    let sources: [ArraySource]
    switch file {
    case .array(let source): sources = [source]
    case .archive(let archive):
      sources = try archive.keys.map { key throws(Failure) in try archive.source(key) }
    }
    return sources.map { source in
      ComparedArray(
        path: source.key.isEmpty ? "array" : source.key, shape: source.shape, storage: source.type.rawValue,
        missingFile: nil, drawing: nil
      ) { () throws(Failure) in try source.read() }
    }
  }
}
