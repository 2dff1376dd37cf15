public import Diagnostics
public import Files

/// A file of arrays, opened by what its first bytes say: one array (`.npy`), or several by name.
public enum ArrayFile: Sendable {
  /// A `.npy` file.
  case array(ArraySource)
  /// A `.npz` or `.safetensors` file.
  case archive(ArrayArchive)

  /// Opens a file. Throws `cannotRead` where there is no such file, `invalidData` where it holds something else.
  public init(_ path: FilePath) throws(Failure) { try self.init(InputFile(path), suffix: path.suffix) }

  /// Opens the file that the command line names; `-` is standard input, a `.npy` or `.npz`.
  public init(input path: FilePath) throws(Failure) {
    if path == "-" {
      try self.init(InputFile.standardInput(), suffix: "")
    } else {
      try self.init(path)
    }
  }

  /// Recognises bytes.
  package init(_ file: InputFile, suffix: String) throws(Failure) {
    let start = try file.read(at: 0, count: min(9, file.count))
    if start.starts(with: NPYHeader.magic) {
      self = .array(try ArraySource(npy: file))
    } else if start.starts(with: [0x50, 0x4B]) {
      self = .archive(try ArrayArchive(npz: file))
    } else if suffix == "safetensors" || (start.count == 9 && start[8] == UInt8(ascii: "{")) {
      self = .archive(try ArrayArchive(safetensors: file))
    } else if start.isEmpty {
      throw Failure(.invalidData, "\(file.name): it is empty")
    } else {
      throw Failure(.invalidData, "\(file.name): neither a .npy, a .npz nor a .safetensors file")
    }
  }
}

extension ArraySource {
  /// The array of a `.npy` file.
  convenience init(npy file: InputFile) throws(Failure) {
    let start = try file.read(at: 0, count: min(file.count, NPYHeader.longest))
    let header = try NPYHeader(start, name: file.name)
    let present = file.count - header.length
    guard header.dataCount == present else {
      throw Failure(
        .invalidData,
        "\(file.name): the header tells of \(header.dataCount) bytes of numbers, but \(present) follow it")
    }
    self.init(
      name: file.name, header: header, headerBytes: Array(start[..<header.length]),
      data: ArrayData(file, offset: header.length, count: header.dataCount))
  }

  convenience init(name: String, key: String = "", header: NPYHeader, headerBytes: [UInt8], data: ArrayData) {
    self.init(
      name: name, key: key, type: header.type, shape: header.shape, isFortranOrder: header.isFortranOrder,
      isBigEndian: header.isBigEndian, header: headerBytes, data: data)
  }
}
