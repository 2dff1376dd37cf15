/// The text of a model, of which a fuzzer's bytes choose the layers and how everything is written: numbers, lists, keys,
/// comments, anchors, blocks. Mutated texts are seldom models; these nearly always are, and so go all the way.
package struct StyledModel {
  private var choices: ArraySlice<UInt8>
  private var lineBreak = "\n"
  private var elementSize = 4
  /// Whether values are images, and weights lists of lists of lists of lists.
  private var isImage = false
  /// The anchors that stand before what is written next, with what they hold.
  private var anchors: [(name: String, shape: [Int])] = []
  private var anchorCount = 0
  private var layerCount = 0

  /// The model's text.
  package static func text(_ choices: ArraySlice<UInt8>) -> [UInt8] {
    var model = StyledModel(choices: choices)
    return Array(model.model().utf8)
  }

  private init(choices: ArraySlice<UInt8>) { self.choices = choices }

  // MARK: Choices; the first of each where no bytes are left

  private mutating func pick(_ count: Int) -> Int { Int(choices.popFirst() ?? 0) % count }

  private mutating func pick(_ options: String...) -> String { options[pick(options.count)] }

  private mutating func isChosen(oneIn count: Int) -> Bool { pick(count) == count - 1 }

  // MARK: The model

  private mutating func model() -> String {
    lineBreak = pick("\n", "\n", "\n", "\r\n")
    var width = 1 + pick(3)
    var text = pick("", "", "", "\u{FEFF}") + pick("", "# é: 1", "---")
    if !text.isEmpty, text != "\u{FEFF}" { text += lineBreak }
    text += "nnrun: 1" + comment() + lineBreak
    if isChosen(oneIn: 4) {
      text += "dtype: float64" + lineBreak
      elementSize = 8
    }
    isImage = isChosen(oneIn: 3)
    text += "inputs: {x: {shape: [N, \(width)\(isImage ? ", 2, 2" : "")]}}" + lineBreak
    let block = isChosen(oneIn: 3) ? self.block(width) : nil
    if let block { text += block.text }
    text += "layers:" + comment() + lineBreak
    for _ in 0...pick(4) {
      if let block, isChosen(oneIn: 2) {
        text += use(of: block.shape)
      } else {
        text += "  - " + layer(&width, indentation: 4) + lineBreak
      }
    }
    return isChosen(oneIn: 6) ? String(text.dropLast(lineBreak.count)) : text
  }

  private mutating func comment() -> String { pick("", "", "", "  # [1, 2]", " # ü: 3 ") }

  private mutating func name() -> String {
    layerCount += 1
    return pick("a", "l", "layer-") + "\(layerCount)"
  }

  /// A block that keeps the width, whose weight is its parameter.
  private mutating func block(_ width: Int) -> (text: String, shape: [Int]) {
    let shape = weightShape(width, width)
    let outer = anchors
    let value = self.value(shape, isFlow: true, indentation: 8)
    let reference = pick("$w", "'$w'", "\"$w\"")
    let bias = pick("false", "true", "0.5", "[\(Array(repeating: "1", count: width).joined(separator: ", "))]")
    let kind = isImage ? "type: conv2d, filters: \(width), kernel: 1" : "type: dense, units: \(width)"
    let layer = "{name: d, \(kind), weight: \(reference), bias: \(bias)}"
    if isChosen(oneIn: 2) { anchors = outer }
    return (
      "blocks:" + lineBreak + "  b: {parameters: {w: \(value ?? "0.5")}, layers: [\(layer)]}" + comment() + lineBreak,
      shape
    )
  }

  private mutating func use(of shape: [Int]) -> String {
    var keys = ["name: \(name())", "block: b"]
    if isChosen(oneIn: 3) { keys.append("repeat: \(1 + pick(2))") }
    if isChosen(oneIn: 2), let value = value(shape, isFlow: true, indentation: 8) { keys.append("with: {w: \(value)}") }
    return "  - {" + keys.joined(separator: ", ") + "}" + comment() + lineBreak
  }

  /// A layer without its dash; in block style its keys stand at `indentation`.
  private mutating func layer(_ width: inout Int, indentation: Int) -> String {
    let isFlow = isChosen(oneIn: 2)
    let isJSON = isFlow && isChosen(oneIn: 4)
    var entries = [("name", name())]
    switch pick(4) {
    case 1:
      entries.append(("type", "batchnorm"))
      for key in ["gamma", "beta", "mean", "variance"] {
        if let value = value([width], isFlow: isFlow, indentation: indentation + 2) { entries.append((key, value)) }
      }
    case 2: entries.append(("type", pick("relu", "tanh")))
    case 3:
      var inner = width
      let body = "[" + layer(&inner, indentation: indentation + 4).replacing(lineBreak, with: " ") + "]"
      // What is on one line has no comments.
      guard inner == width, body.hasPrefix("[{"), !body.contains("#") else { fallthrough }
      entries += [("type", "residual"), ("body", body)]
    default:
      let units = 1 + pick(3)
      entries +=
        isImage
        ? [("type", "conv2d"), ("filters", "\(units)"), ("kernel", "1")] : [("type", "dense"), ("units", "\(units)")]
      if let weight = value(weightShape(units, width), isFlow: isFlow, indentation: indentation + 2) {
        entries.append(("weight", weight))
      }
      if isChosen(oneIn: 3) {
        entries.append(("bias", pick("false", "true")))
      } else if let bias = value([units], isFlow: isFlow, indentation: indentation + 2) {
        entries.append(("bias", bias))
      }
      width = units
    }
    if isFlow {
      let separator = self.separator(indentation + 2)
      let quote = isJSON ? "\"" : ""
      return "{" + entries.map { quote + $0.0 + quote + ": " + $0.1 }.joined(separator: separator)
        + pick("", "", ",", " ")
        + "}" + comment()
    }
    let indent = lineBreak + String(repeating: " ", count: indentation)
    return entries.map { $0.0 + ":" + ($0.1.hasPrefix(lineBreak) ? "" : " ") + $0.1 }
      .joined(separator: comment().isEmpty ? indent : lineBreak + "# between" + indent)
  }

  private func weightShape(_ units: Int, _ width: Int) -> [Int] { [units, width] + (isImage ? [1, 1] : []) }

  // MARK: Parameters

  /// What a layer gives for a parameter of some shape, in one of its forms; nil for nothing.
  private mutating func value(_ shape: [Int], isFlow: Bool, indentation: Int) -> String? {
    switch pick(8) {
    case 0: return nil
    case 1: return anchored([]) + number()
    case 2: return binary(shape, isFlow: isFlow, indentation: indentation)
    case 3: return pick("{init: ones}", "{init: he-normal, seed: 3}", "{init: constant, scale: 2}")
    case 4:
      let known = anchors.filter { $0.shape == shape || $0.shape.isEmpty }
      if !known.isEmpty { return "*" + known[pick(known.count)].name + " " }
      return list(shape, indentation)
    case 5 where !isFlow:
      let anchor = anchored(shape)
      let items = blockList(shape, indentation: indentation)
      let indent = String(repeating: " ", count: indentation)
      return anchor + lineBreak + items.map { indent + $0 }.joined(separator: lineBreak)
    default: return anchored(shape) + list(shape, indentation)
    }
  }

  private mutating func anchored(_ shape: [Int]) -> String {
    guard isChosen(oneIn: 4) else { return "" }
    anchorCount += 1
    anchors.append(("n\(anchorCount)", shape))
    return "&n\(anchorCount) "
  }

  private mutating func number() -> String {
    pick(
      "1", "-1", "0.5", "1.50", "0", "-0.0", "1e3", "-2.5E-3", "0x1F", "0o17", ".5", "+3", "4.", "16777217", "1e-40",
      "!!float 2", "!!float \"3\"", "!!float '0.25'", "3.4028235e38", "0.1")
  }

  private mutating func separator(_ indentation: Int) -> String {
    let indent = lineBreak + String(repeating: " ", count: indentation)
    return pick(", ", ", ", ",", " , ", "," + indent, ", # and" + indent)
  }

  /// Lists in brackets; an item may be the alias of one like it.
  private mutating func list(_ shape: [Int], _ indentation: Int) -> String {
    guard let count = shape.first else {
      let known = anchors.filter { $0.shape.isEmpty }
      if !known.isEmpty, isChosen(oneIn: 8) { return "*" + known[pick(known.count)].name + " " }
      return (isChosen(oneIn: 8) ? anchored([]) : "") + number()
    }
    let inner = Array(shape.dropFirst())
    let separator = self.separator(indentation + 2)
    var items: [String] = []
    for _ in 0..<count {
      let known = anchors.filter { $0.shape == inner }
      if !inner.isEmpty, !known.isEmpty, isChosen(oneIn: 3) {
        items.append("*" + known[pick(known.count)].name + " ")
      } else {
        items.append((inner.isEmpty ? "" : anchored(inner)) + list(inner, indentation + 2))
      }
    }
    return "[" + pick("", "", " ") + items.joined(separator: separator) + pick("", "", ",", " ") + "]"
  }

  /// The lines of a list with dashes, which may hold such lists.
  private mutating func blockList(_ shape: [Int], indentation: Int) -> [String] {
    let inner = Array(shape.dropFirst())
    var lines: [String] = []
    for _ in 0..<(shape.first ?? 0) {
      if !inner.isEmpty, isChosen(oneIn: 2) {
        let nested = blockList(inner, indentation: indentation + 2)
        lines += nested.enumerated().map { ($0.offset == 0 ? "- " : "  ") + $0.element }
      } else {
        lines.append("-" + pick(" ", "   ") + list(inner, indentation + 4) + comment())
      }
      if isChosen(oneIn: 6) { lines.append("# after") }
    }
    return lines
  }

  private mutating func binary(_ shape: [Int], isFlow: Bool, indentation: Int) -> String {
    let count = shape.reduce(1, *) * elementSize
    // 0.5 and the like: no exponent of all ones.
    let digits = String(repeating: "AAAA", count: count / 3) + ["", "AA==", "AAA="][count % 3]
    let next = lineBreak + String(repeating: " ", count: indentation)
    let half = digits.index(digits.startIndex, offsetBy: digits.count / 2)
    switch pick(4) {
    case 0: return "!!binary " + digits
    case 1: return "!!binary \"" + digits + "\""
    case 2: return "!!binary '" + digits[..<half] + " " + digits[half...] + "'"
    default:
      return isFlow
        ? "!!binary \"\\x41" + digits.dropFirst() + "\""
        : "!!binary |" + next + digits[..<half] + next + digits[half...]
    }
  }
}
