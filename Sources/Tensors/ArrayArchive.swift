public import Diagnostics
import Files

/// A file of named arrays, `.npz` or `.safetensors`; each is read when it is wanted.
public final class ArrayArchive: Sendable {
  enum Format: Sendable {
    case npz(ZipDirectory)
    case safetensors(SafetensorsHeader)
  }

  /// The file's name for messages.
  public let name: String
  /// The names of the arrays, in the order of the file.
  public let keys: [String]
  let file: InputFile
  let format: Format
  private let places: [String: Int]

  init(_ file: InputFile, keys: [String], _ format: Format) {
    name = file.name
    self.keys = keys
    self.file = file
    self.format = format
    places = Dictionary(uniqueKeysWithValues: zip(keys, keys.indices))
  }

  convenience init(npz file: InputFile) throws(Failure) {
    let directory = try ZipDirectory(file)
    self.init(file, keys: directory.arrays.map(\.key), .npz(directory))
  }

  convenience init(safetensors file: InputFile) throws(Failure) {
    let header = try SafetensorsHeader(file)
    self.init(file, keys: header.entries.map(\.key), .safetensors(header))
  }

  /// The free texts that a `.safetensors` file holds beside its arrays, in their order.
  public var metadata: [(key: String, value: String)] {
    if case .safetensors(let header) = format { header.metadata ?? [] } else { [] }
  }

  /// Whether there is an array of that name.
  public func contains(_ key: String) -> Bool { places[key] != nil }

  /// The array called `key`. Throws `invalidData` where there is none, or it is damaged or of an unsupported type.
  public func source(_ key: String) throws(Failure) -> ArraySource {
    if let place = places[key] {
      switch format {
      case .npz(let directory): return try directory.source(directory.arrays[place].member, key: key)
      case .safetensors(let header): return try header.source(header.entries[place])
      }
    }
    let shown = keys.prefix(8).map { "'" + printable($0) + "'" }.joined(separator: ", ")
    let others = keys.isEmpty ? "it holds none" : "it holds \(shown)\(keys.count > 8 ? ", …" : "")"
    throw Failure(.invalidData, "\(name): there is no array '\(printable(key))'; \(others)")
  }

  /// The whole array called `key`, without reading the others.
  public func read(_ key: String, as elementType: ElementType? = nil) throws(Failure) -> AnyTensor {
    try source(key).read(as: elementType)
  }
}

/// An array's name in messages: the file's, then its own.
func arrayName(_ file: String, _ key: String) -> String { "\(file), array '\(printable(key))'" }
