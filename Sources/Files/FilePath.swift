/// A file's name as the system has it: bytes, mostly but not always UTF-8.
///
/// Its description is fit for messages: control characters, characters that reorder text and bytes that are not UTF-8
/// are shown escaped.
public struct FilePath: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
  /// The name's bytes, without a terminating zero.
  public let bytes: [UInt8]

  /// A path of any bytes.
  public init(bytes: [UInt8]) { self.bytes = bytes }

  /// A path spelt as text.
  public init(_ text: String) { self.bytes = Array(text.utf8) }

  /// A path spelt as text.
  public init(stringLiteral text: String) { self.init(text) }

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
  public var description: String { bytes.isEmpty ? "''" : escapedForDisplay(bytes) }
}

/// Text of any bytes, fit for a terminal and a message: what is not printable is shown as `\x1b` or `\u{202e}`.
package func escapedForDisplay(_ bytes: [UInt8]) -> String {
  var result = ""
  var index = 0
  while index < bytes.count {
    var iterator = bytes[index...].makeIterator()
    var parser = Unicode.UTF8.ForwardParser()
    switch parser.parseScalar(from: &iterator) {
    case .emptyInput:
      return result
    case .error(let length):
      for byte in bytes[index..<min(index + length, bytes.count)] { result += escaped(byte) }
      index += length
    case .valid(let encoded):
      index += encoded.count
      let scalar = Unicode.UTF8.decode(encoded)
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate:
        result += scalar.value < 0x100 ? escaped(UInt8(scalar.value)) : "\\u{" + String(scalar.value, radix: 16) + "}"
      default:
        result.unicodeScalars.append(scalar)
      }
    }
  }
  return result
}

private func escaped(_ byte: UInt8) -> String { (byte < 16 ? "\\x0" : "\\x") + String(byte, radix: 16) }
