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
      Self.standIns.contains(scalar.value) ? [UInt8(scalar.value & 0xFF)] : Array(String(scalar).utf8)
    }
  }

  /// The path where only text can pass, such as an argument of the command line: every byte that is not UTF-8 is a
  /// private character, from which `init(_:)` makes the byte again.
  public var text: String {
    var result = String.UnicodeScalarView()
    forEachScalar(of: bytes) { scalar, encoded in
      if let scalar, !Self.standIns.contains(scalar.value) {
        result.append(scalar)
      } else {
        result.append(contentsOf: encoded.compactMap { Unicode.Scalar(Self.standIns.lowerBound + UInt32($0 & 0x7F)) })
      }
    }
    return String(result)
  }

  /// The last private characters of Unicode stand for the bytes 80 to FF; a name that holds them itself comes through
  /// byte by byte.
  private static let standIns: ClosedRange<UInt32> = 0x10FF80...0x10FFFF

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
  forEachScalar(of: bytes) { scalar, encoded in
    guard let scalar else {
      for byte in encoded { result += escaped(byte) }
      return
    }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate:
      result += scalar.value < 0x100 ? escaped(UInt8(scalar.value)) : "\\u{" + String(scalar.value, radix: 16) + "}"
    default:
      result.unicodeScalars.append(scalar)
    }
  }
  return result
}

private func escaped(_ byte: UInt8) -> String { (byte < 16 ? "\\x0" : "\\x") + String(byte, radix: 16) }

/// Calls `body` with every character of UTF-8 and its bytes, and with nil and the bytes of what is none.
private func forEachScalar(of bytes: [UInt8], _ body: (Unicode.Scalar?, ArraySlice<UInt8>) -> Void) {
  var index = 0
  while index < bytes.count {
    var iterator = bytes[index...].makeIterator()
    var parser = Unicode.UTF8.ForwardParser()
    let start = index
    switch parser.parseScalar(from: &iterator) {
    case .emptyInput:
      return
    case .error(let length):
      index = min(index + length, bytes.count)
      body(nil, bytes[start..<index])
    case .valid(let encoded):
      index += encoded.count
      body(Unicode.UTF8.decode(encoded), bytes[start..<index])
    }
  }
}
