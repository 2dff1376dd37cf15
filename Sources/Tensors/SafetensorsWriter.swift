package import Diagnostics
package import Files

/// Writes a whole `.safetensors` file: the arrays in the given order, one after the other; the header padded with spaces
/// so that the numbers begin at a multiple of 8.
package func writeSafetensors(
  _ arrays: [(key: String, value: AnyTensor)], metadata: [(key: String, value: String)]? = nil, to sink: any ByteSink
) throws(Failure) {
  let entries = arrays.map {
    SafetensorsText.Entry(
      key: $0.key, typeName: $0.value.elementType == .float32 ? "F32" : "F64", shape: $0.value.shape,
      byteCount: $0.value.count * $0.value.elementType.size)
  }
  try sink.write(SafetensorsText.header(entries, metadata))
  for (_, value) in arrays { try sink.write(value.littleEndianBytes) }
}

/// The header's JSON.
enum SafetensorsText {
  struct Entry {
    let key: String
    let typeName: String
    let shape: [Int]
    let byteCount: Int
  }

  /// The length and the text, for arrays that lie one after the other in the order of the entries.
  static func header(_ entries: [Entry], _ metadata: [(key: String, value: String)]?) -> [UInt8] {
    var members: [String] = []
    if let metadata {
      let texts = metadata.map { quoted($0.key) + ":" + quoted($0.value) }
      members.append("\"__metadata__\":{" + texts.joined(separator: ",") + "}")
    }
    var offset = 0
    for entry in entries {
      let shape = entry.shape.map(String.init).joined(separator: ",")
      members.append(
        quoted(entry.key) + ":{\"dtype\":\"\(entry.typeName)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(offset),\(offset + entry.byteCount)]}")
      offset += entry.byteCount
    }
    var text = Array(("{" + members.joined(separator: ",") + "}").utf8)
    while text.count % 8 != 0 { text.append(UInt8(ascii: " ")) }
    var bytes: [UInt8] = []
    bytes.append(text.count, width: 8)
    return bytes + text
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      case "\0"..<" ":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
