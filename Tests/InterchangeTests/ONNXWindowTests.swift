import Testing

@testable import Interchange

/// A window of a convolution or a pooling as a node gives it, over an image of one channel.
struct WindowCase: Sendable, CustomTestStringConvertible {
  let type: String
  var size = [5, 6]
  var kernel = [3, 3]
  var stride: [Int]?
  var dilation = [1, 1]
  var pads = [0, 0, 0, 0]
  var auto: String?
  var roundsUp = false
  var countsPadding = false
  /// The keys of the layer that it is.
  let keys: String

  var testDescription: String { "\(type) \(keys)" }

  var image: [Double] { (0..<size[0] * size[1]).map { Double(($0 * 7) % 11) - 4 } }
  var weights: [Double] { (0..<kernel[0] * kernel[1]).map { Double($0 + 1) } }

  var attributes: [(String, ONNXAttribute.Value)] {
    var attributes: [(String, ONNXAttribute.Value)] = [("kernel_shape", .integers(kernel))]
    if let stride { attributes.append(("strides", .integers(stride))) }
    if dilation != [1, 1] { attributes.append(("dilations", .integers(dilation))) }
    if pads != [0, 0, 0, 0] { attributes.append(("pads", .integers(pads))) }
    if let auto { attributes.append(("auto_pad", .string(auto))) }
    if roundsUp { attributes.append(("ceil_mode", .integer(1))) }
    if countsPadding { attributes.append(("count_include_pad", .integer(1))) }
    return attributes
  }

  var bytes: [UInt8] {
    let shape: [ONNXValueInfo.Dimension] = [.symbol("N"), .size(1), .size(size[0]), .size(size[1])]
    guard type == "Conv" else { return file([node(type, ["x"], "y", attributes)], shape: shape) }
    let weight = tensor("w", [1, 1] + kernel, weights.map { Float($0) })
    return file([node(type, ["x", "w"], "y", attributes)], shape: shape, tensors: [weight])
  }

  /// Where an axis' windows begin, and where its padding ends, by the formulas of ONNX's documentation.
  private func windows(_ axis: Int) -> (starts: [Int], end: Int) {
    let (size, step) = (size[axis], stride?[axis] ?? 1)
    let extent = (kernel[axis] - 1) * dilation[axis] + 1
    var (before, after) = (pads[axis], pads[axis + 2])
    var count: Int
    switch auto {
    case "SAME_UPPER"?, "SAME_LOWER"?:
      count = (size + step - 1) / step
      let total = max((count - 1) * step + extent - size, 0)
      before = auto == "SAME_UPPER" ? total / 2 : total - total / 2
      after = total - before
    default:
      if auto == "VALID" { (before, after) = (0, 0) }
      let span = size + before + after - extent
      count = (roundsUp ? (span + step - 1) / step : span / step) + 1
    }
    return ((0..<count).map { $0 * step - before }.filter { !roundsUp || $0 < size }, size + after)
  }

  /// What the node computes, cell by cell.
  var expected: [Double] {
    let (rows, columns) = (windows(0), windows(1))
    var result: [Double] = []
    for top in rows.starts {
      for left in columns.starts {
        var inside: [Double] = []
        var (sum, cells) = (0.0, 0)
        for row in 0..<kernel[0] {
          for column in 0..<kernel[1] {
            let (y, x) = (top + row * dilation[0], left + column * dilation[1])
            if y < rows.end, x < columns.end { cells += 1 }
            guard (0..<size[0]).contains(y), (0..<size[1]).contains(x) else { continue }
            inside.append(image[y * size[1] + x])
            sum += image[y * size[1] + x] * weights[row * kernel[1] + column]
          }
        }
        switch type {
        case "Conv": result.append(sum)
        case "MaxPool": result.append(inside.max() ?? 0)
        default: result.append(inside.reduce(0, +) / Double(countsPadding ? cells : inside.count))
        }
      }
    }
    return result
  }

  static let all: [WindowCase] = [
    .init(type: "Conv", keys: "kernel: 3"),
    .init(type: "Conv", kernel: [2, 3], pads: [0, 1, 2, 0], keys: "kernel: [2, 3], padding: [0, 1, 2, 0]"),
    .init(
      type: "Conv", kernel: [3, 2], stride: [2, 1], dilation: [1, 3], pads: [1, 2, 1, 2],
      keys: "kernel: [3, 2], stride: [2, 1], dilation: [1, 3], padding: [1, 2]"),
    .init(type: "Conv", pads: [1, 1, 1, 1], auto: "VALID", keys: "kernel: 3"),
    .init(type: "Conv", pads: [1, 1, 1, 1], auto: "NOTSET", keys: "kernel: 3, padding: 1"),
    .init(type: "Conv", kernel: [2, 4], auto: "SAME_UPPER", keys: "kernel: [2, 4], padding: same"),
    .init(
      type: "Conv", kernel: [4, 3], stride: [2, 2], auto: "SAME_UPPER", keys: "kernel: [4, 3], stride: 2, padding: same"
    ),
    .init(type: "Conv", kernel: [2, 4], auto: "SAME_LOWER", keys: "kernel: [2, 4], padding: [1, 2, 0, 1]"),
    .init(
      type: "Conv", kernel: [3, 3], stride: [2, 2], auto: "SAME_LOWER",
      keys: "kernel: 3, stride: 2, padding: [1, 1, 1, 0]"),
    .init(
      type: "Conv", kernel: [2, 2], dilation: [2, 3], auto: "SAME_LOWER",
      keys: "kernel: 2, dilation: [2, 3], padding: [1, 2, 1, 1]"),
    .init(type: "Conv", kernel: [1, 1], stride: [3, 3], auto: "SAME_LOWER", keys: "kernel: 1, stride: 3"),
    .init(type: "MaxPool", keys: "kernel: 3, stride: 1"),
    .init(type: "MaxPool", kernel: [2, 3], stride: [2, 3], keys: "kernel: [2, 3]"),
    .init(
      type: "MaxPool", kernel: [2, 2], stride: [2, 2], auto: "SAME_LOWER", keys: "kernel: 2, padding: [1, 0, 0, 0]"),
    .init(type: "MaxPool", kernel: [2, 2], stride: [2, 2], auto: "SAME_UPPER", keys: "kernel: 2, padding: same"),
    .init(
      type: "MaxPool", stride: [2, 2], pads: [0, 1, 0, 1], roundsUp: true,
      keys: "kernel: 3, stride: 2, padding: [0, 1, 0, 2]"),
    .init(
      type: "MaxPool", size: [6, 5], stride: [2, 2], roundsUp: true, keys: "kernel: 3, stride: 2, padding: [0, 0, 1, 0]"
    ),
    // The second window of the width would begin behind the image.
    .init(
      type: "MaxPool", size: [4, 3], kernel: [2, 2], stride: [3, 3], pads: [0, 0, 0, 1], roundsUp: true,
      keys: "kernel: 2, stride: 3, padding: [0, 0, 1, 1]"),
    .init(type: "AveragePool", stride: [2, 2], pads: [1, 1, 1, 1], keys: "kernel: 3, stride: 2, padding: 1"),
    .init(
      type: "AveragePool", stride: [2, 2], pads: [1, 0, 2, 1], countsPadding: true,
      keys: "kernel: 3, stride: 2, padding: [1, 0, 2, 1], count-padding: true"),
    .init(
      type: "AveragePool", stride: [2, 2], roundsUp: true, keys: "kernel: 3, stride: 2, padding: [0, 0, 0, 1]"),
    .init(
      type: "AveragePool", size: [5, 5], stride: [2, 2], roundsUp: true, countsPadding: true,
      keys: "kernel: 3, stride: 2"),
    .init(
      type: "AveragePool", stride: [2, 2], auto: "SAME_LOWER", countsPadding: true,
      keys: "kernel: 3, stride: 2, padding: [1, 1, 1, 0], count-padding: true"),
    .init(
      type: "AveragePool", kernel: [2, 2], auto: "SAME_UPPER", countsPadding: true,
      keys: "kernel: 2, stride: 1, padding: same, count-padding: true"),
    .init(
      type: "AveragePool", kernel: [2, 4], auto: "SAME_LOWER", keys: "kernel: [2, 4], stride: 1, padding: [1, 2, 0, 1]"),
  ]
}

@Suite("windows in ONNX files")
struct ONNXWindowTests {
  @Test("a window is said with its strides, dilations and padding", arguments: WindowCase.all)
  func text(window: WindowCase) throws {
    let type = ["Conv": "conv2d, filters: 1", "MaxPool": "maxpool", "AveragePool": "avgpool"][window.type] ?? ""
    let bias = window.type == "Conv" ? ", bias: false" : ""
    let name = window.type == "Conv" ? "w" : "y"
    #expect(
      try layers(window.bytes).map { $0.replacing("{name: w,", with: "{name: y,") } == [
        "  - {name: y, type: \(type), \(window.keys)\(bias)}"
      ], "\(name)")
  }

  @Test("a window computes what ONNX's formulas say", arguments: WindowCase.all)
  func numbers(window: WindowCase) throws {
    let found = try results(window.bytes, window.image)[0]
    #expect(found.count == window.expected.count)
    for (a, b) in zip(found, window.expected) { #expect(abs(a - b) < 1e-12, "\(found) for \(window.expected)") }
  }

  @Test("padding before a convolution is added to the convolution's own", arguments: ["attribute", "operand"])
  func paddingBefore(form: String) throws {
    let pads = [0, 0, 1, 0, 0, 0, 0, 2]
    let pad =
      form == "attribute"
      ? node("Pad", ["x"], "p", [("mode", .string("constant")), ("pads", .integers(pads)), ("value", .float(0))])
      : node("Pad", ["x", "pads", "zero"], "p")
    let shape: [ONNXValueInfo.Dimension] = [.symbol("N"), .size(1), .size(3), .size(2)]
    let constants = [integers("pads", pads), tensor("zero", [], [0]), tensor("w", [1, 1, 2, 2], [1, 2, 3, 4])]
    let own = file(
      [pad, node("Conv", ["p", "w"], "y", [("pads", .integers([0, 1, 0, 0]))], name: "conv")], shape: shape,
      tensors: constants, version: form == "attribute" ? 10 : 17)
    #expect(
      try layers(own) == ["  - {name: conv, type: conv2d, filters: 1, kernel: 2, padding: [1, 1, 0, 2], bias: false}"])
    // The image with all its zeros: 0 0 0 0 0 / 0 1 2 0 0 / 0 3 4 0 0 / 0 5 6 0 0.
    #expect(try results(own, [1, 2, 3, 4, 5, 6]) == [[4, 11, 6, 0, 14, 30, 14, 0, 26, 50, 22, 0]])
    // SAME_LOWER counts from the padded sizes, 4 x 4 here: with a stride of 2 nothing more is added.
    let same = file(
      [
        pad,
        node(
          "Conv", ["p", "w"], "y", [("auto_pad", .string("SAME_LOWER")), ("strides", .integers([2, 2]))], name: "conv"),
      ], shape: shape, tensors: constants, version: form == "attribute" ? 10 : 17)
    #expect(
      try layers(same) == [
        "  - {name: conv, type: conv2d, filters: 1, kernel: 2, stride: 2, padding: [1, 0, 0, 2], bias: false}"
      ])
    #expect(try results(same, [1, 2, 3, 4, 5, 6]) == [[11, 0, 50, 0]])
  }

  @Test(
    "a pooling of everything is a mean without axes, or a pooling of the image's known size",
    arguments: [
      ("GlobalAveragePool", 17, [0.5, 3], "avgpool, kernel: [2, 3]"),
      ("GlobalMaxPool", 17, [5, 8], "maxpool, kernel: [2, 3]"),
      ("ReduceMean", 11, [0.5, 3], "avgpool, kernel: [2, 3]"), ("ReduceMean", 18, [0.5, 3], "avgpool, kernel: [2, 3]"),
    ])
  func globalPooling(type: String, version: Int, means: [Double], layer: String) throws {
    let shape: [ONNXValueInfo.Dimension] = [.symbol("N"), .size(2), .size(2), .size(3)]
    let image: [Double] = [5, -2, 0, 0, 1, -1, 3, 3, 3, 8, 1, 0]
    let axes: [(String, ONNXAttribute.Value)] =
      type == "ReduceMean" && version < 18 ? [("axes", .integers([-2, 3]))] : []
    let inputs = type == "ReduceMean" && version >= 18 ? ["x", "axes"] : ["x"]
    let constants = [integers("axes", [2, -1])]
    // As an output, its two axes of length 1 are there.
    let whole = file([node(type, inputs, "y", axes)], shape: shape, tensors: constants, version: version)
    #expect(try layers(whole) == ["  - {name: y, type: \(layer)}"])
    #expect(try results(whole, image) == [means])
    // Behind it they are removed, or squeezed by a function's way.
    let removed = file(
      [node(type, inputs, "p", axes, name: "pool"), node("Squeeze", ["p", "axes"], "y")], shape: shape,
      tensors: constants, version: version)
    let pooled =
      type == "GlobalMaxPool"
      ? ["  - {name: pool, type: \(layer)}", "  - {name: y, type: flatten}"] : ["  - {name: y, type: gap}"]
    #expect(try layers(removed) == pooled)
    #expect(try results(removed, image) == [means])
    if type == "ReduceMean" {
      let dropped = file(
        [node(type, inputs, "y", axes + [("keepdims", .integer(0))])], shape: shape, tensors: constants,
        version: version)
      #expect(try layers(dropped) == ["  - {name: y, type: gap}"])
      #expect(try results(dropped, image) == [means])
    }
  }

  @Test("a convolution of one cell over pooled values is a dense layer")
  func convolutionOfCells() throws {
    let shape: [ONNXValueInfo.Dimension] = [.symbol("N"), .size(2), .size(1), .size(2)]
    let bytes = file(
      [
        node("GlobalAveragePool", ["x"], "p", name: "pool"),
        node(
          "Conv", ["p", "w", "b"], "c", [("strides", .integers([1, 1])), ("pads", .integers([0, 0, 0, 0]))],
          name: "head"),
        node("Relu", ["c"], "r", name: "act"),
        node("Conv", ["r", "v"], "d", name: "tail"), node("Flatten", ["d"], "y"),
      ], shape: shape,
      tensors: [
        tensor("w", [3, 2, 1, 1], [1, 2, 3, 4, 5, -6]), tensor("b", [3], [1, 0, -1]),
        tensor("v", [1, 3, 1, 1], [1, 2, 3]),
      ])
    #expect(
      try layers(bytes) == [
        "  - {name: pool, type: gap}", "  - {name: head, type: dense, units: 3}", "  - {name: act, type: relu}",
        "  - {name: tail, type: dense, units: 1, bias: false}",
      ])
    // Means of 2 and 3: 2 + 6 + 1 = 9, 6 + 12 = 18, 10 - 18 - 1 < 0.
    #expect(try results(bytes, [1, 3, 3, 3]) == [[9 + 36]])
  }
}
