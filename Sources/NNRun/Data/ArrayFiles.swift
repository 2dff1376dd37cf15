public import Diagnostics
import Files
public import Tensors

extension ArraySource {
  /// The array in the `.npy` file at `path`, or the one called `key` in a `.npz` or `.safetensors` file; without `key`,
  /// the only one in it. Its numbers are read when they are wanted.
  ///
  /// Throws `cannotRead` where there is no such file, `invalidData` where it holds something else.
  public static func file(_ path: String, key: String? = nil) throws(Failure) -> ArraySource {
    switch try ArrayFile(FilePath(path)) {
    case .array(let array):
      guard let key else { return array }
      throw Failure(.invalidData, "\(array.name): a .npy file holds one array without a name, not `\(printable(key))`")
    case .archive(let archive):
      if let key { return try archive.source(key) }
      guard archive.keys.count == 1 else {
        let keys = archive.keys.prefix(8).map { "`\(printable($0))`" }.joined(separator: ", ")
        throw Failure(.invalidData, "\(archive.name): it holds \(archive.keys.count) arrays (\(keys)); say which")
      }
      return try archive.source(archive.keys[0])
    }
  }

  /// An array in memory; `name` is what messages call it.
  public static func values(_ tensor: Tensor<some TensorScalar>, name: String = "array") -> ArraySource {
    ArraySource(name: name, AnyTensor(tensor))
  }

  /// Class labels in memory, one a row and from 0; `name` is what messages call them.
  public static func labels(_ labels: [Int], name: String = "labels") -> ArraySource {
    ArraySource(name: name, labels)
  }
}

extension Tensor {
  /// The array in a file, each number rounded once to `Scalar`: see `ArraySource.file`.
  ///
  /// Throws where the file is missing, damaged, or too large for the memory.
  public init(path: String, key: String? = nil) throws(Failure) {
    self = try ArraySource.file(path, key: key).read(as: Scalar.elementType).converted(to: Scalar.self)
  }

  /// Writes the numbers to a `.npy` file, which replaces what was there only when it is whole.
  ///
  /// Throws `cannotCreate` or `inputOutput` where it cannot be written.
  public func save(to path: String) throws(Failure) {
    let file = try OutputFile(FilePath(path))
    let writer = try NPYWriter(to: file, type: StoredType(Scalar.elementType), shape: shape)
    try writer.append(AnyTensor(self))
    try writer.finish()
    try file.finish()
  }
}
