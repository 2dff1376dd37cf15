/// Names for layers that the format takes: of ASCII letters, digits, `_` and `-`, unique in their list.
enum ImportedNames {
  /// The path of a layer by what ONNX files say of it: the tensors that it takes, its node and its value.
  static func path(parameter: String?, node: ONNXNode) -> [Substring] {
    if let parameter, let dot = parameter.lastIndex(of: "."), dot != parameter.startIndex,
      ["weight", "bias", "gamma", "beta", "mean", "variance", "running_mean", "running_var"].contains(
        parameter[parameter.index(after: dot)...])
    {
      return parameter[..<dot].split(separator: ".")
    }
    // PyTorch's `/layer1/layer1.0/conv1/Conv` and our own `scores/Gemm`.
    let raw = node.name.isEmpty ? node.outputs.first ?? "" : node.name
    var parts = raw.split(separator: "/")
    if parts.count > 1, let last = parts.last, last == node.operatorType || last.hasPrefix(node.operatorType + "_") {
      parts.removeLast()
    }
    guard raw.hasPrefix("/") else { return (parts.last ?? "").split(separator: ".") }
    // PyTorch names each module from the root on; one in a list repeats the list's name.
    var path: [Substring] = []
    var list: Substring = ""
    for part in parts {
      let isMember = !list.isEmpty && part.hasPrefix(list + ".")
      path += (isMember ? part.dropFirst(list.count + 1) : part).split(separator: ".")
      list = part
    }
    return path
  }

  /// A name of the format's for a path that lies in a residual of the path `owner`.
  static func name(_ path: [Substring], in owner: [Substring], type: String) -> String {
    let own = path.count > owner.count && path.starts(with: owner) ? path.dropFirst(owner.count) : path[...]
    var name = ""
    for scalar in own.joined(separator: "-").unicodeScalars {
      let isAllowed = scalar.isASCII && (scalar.properties.isAlphabetic || (48...57).contains(scalar.value))
      name.unicodeScalars.append(isAllowed || scalar == "_" || scalar == "-" ? scalar : "-")
    }
    while name.hasPrefix("-") { name.removeFirst() }
    while name.hasSuffix("-") { name.removeLast() }
    guard let first = name.unicodeScalars.first else { return type }
    if (48...57).contains(first.value) { return "\(type)-\(name)" }
    return name.utf8.count > 100 ? String(name.prefix(100)) : name
  }

  /// A name that is not taken yet, and is from now on.
  static func unique(_ name: String, among taken: inout Set<String>) -> String {
    var candidate = name
    var number = 1
    while !taken.insert(candidate).inserted {
      number += 1
      candidate = "\(name)-\(number)"
    }
    return candidate
  }
}
