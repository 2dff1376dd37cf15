import Diagnostics

/// A file's name as the system has it: bytes, mostly but not always UTF-8.
///
/// Its description is fit for messages: control characters, characters that reorder text and bytes that are not UTF-8
/// are shown escaped.
public struct FilePath: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
  /// The name's bytes, without a terminating zero.
  public let bytes: [UInt8]

  /// A path of any bytes.
  public init(bytes: [UInt8]) { self.bytes = bytes }

  /// A path spelt as text; characters that `text` puts in the place of bytes become these bytes again.
  public init(_ text: String) {
    // All of them begin with the byte F4 in UTF-8, which little else does.
    guard text.utf8.contains(0xF4) else {
      bytes = Array(text.utf8)
      return
    }
    bytes = text.unicodeScalars.flatMap { scalar in
      scalar.byteStoodFor.map { [$0] } ?? Array(String(scalar).utf8)
    }
  }

  /// A path spelt as text.
  public init(stringLiteral text: String) { self.init(text) }

  /// The path where only text can pass, such as an argument of the command line: every byte that is not UTF-8 is a
  /// private character, from which `init(_:)` makes the byte again.
  public var text: String {
    if bytes.allSatisfy({ $0 < 0x80 }) { return String(decoding: bytes, as: UTF8.self) }
    var result = String.UnicodeScalarView()
    var index = 0
    while index < bytes.count {
      var iterator = bytes[index...].makeIterator()
      var parser = Unicode.UTF8.ForwardParser()
      let start = index
      switch parser.parseScalar(from: &iterator) {
      case .emptyInput:
        return String(result)
      case .valid(let encoded) where Unicode.UTF8.decode(encoded).byteStoodFor == nil:
        index += encoded.count
        result.append(Unicode.UTF8.decode(encoded))
      case .valid(let encoded):
        // A name that holds such a character itself comes through byte by byte.
        index += encoded.count
        result.append(contentsOf: bytes[start..<index].compactMap(Unicode.Scalar.init(standingFor:)))
      case .error(let length):
        index = min(index + length, bytes.count)
        result.append(contentsOf: bytes[start..<index].compactMap(Unicode.Scalar.init(standingFor:)))
      }
    }
    return String(result)
  }

  private static let slash = UInt8(ascii: "/")

  /// Whether the path begins at the root.
  public var isAbsolute: Bool { bytes.first == Self.slash }

  /// The bytes after the last slash.
  public var lastComponent: [UInt8] {
    guard let slash = bytes.lastIndex(of: Self.slash) else { return bytes }
    return Array(bytes[(slash + 1)...])
  }

  /// The folder that holds the file: what stands before the last slash, or `.`.
  public var folder: FilePath {
    guard let slash = bytes.lastIndex(of: Self.slash) else { return "." }
    return slash == 0 ? "/" : FilePath(bytes: Array(bytes[..<slash]))
  }

  /// The last component without its suffix: `digits` for `models/digits.yaml`.
  public var stem: [UInt8] {
    let name = lastComponent
    guard let dot = name.lastIndex(of: UInt8(ascii: ".")), dot > 0 else { return name }
    return Array(name[..<dot])
  }

  /// The suffix in lower case without its dot: `yaml` for `models/digits.YAML`; empty where there is none.
  public var suffix: String {
    let name = lastComponent
    guard let dot = name.lastIndex(of: UInt8(ascii: ".")), dot > 0 else { return "" }
    return String(decoding: name[(dot + 1)...], as: UTF8.self).lowercased()
  }

  /// The path of `component`, relative to this folder; an absolute one stands for itself.
  public func appending(_ component: FilePath) -> FilePath {
    if component.isAbsolute || bytes.isEmpty || self == "." { return component }
    if component.bytes.isEmpty { return self }
    return FilePath(bytes: bytes + (bytes.last == Self.slash ? [] : [Self.slash]) + component.bytes)
  }

  /// The path of a file beside this one that has the name `component`.
  public func sibling(_ component: FilePath) -> FilePath {
    bytes.contains(Self.slash) ? folder.appending(component) : component
  }

  /// The components between the slashes, empty ones and `.` left out.
  package var components: [[UInt8]] {
    bytes.split(separator: Self.slash).map(Array.init).filter { $0 != [UInt8(ascii: ".")] }
  }

  /// The path below `folder` that leads to this one; both absolute and free of links. Nil where it is not below.
  package func relative(to folder: FilePath) -> FilePath? {
    let prefix = folder.bytes.last == Self.slash ? folder.bytes : folder.bytes + [Self.slash]
    guard bytes.count > prefix.count, bytes.starts(with: prefix) else { return nil }
    return FilePath(bytes: Array(bytes[prefix.count...]))
  }

  /// The path as shown in messages.
  public var description: String { bytes.isEmpty ? "''" : printable(text, limit: .max) }
}
