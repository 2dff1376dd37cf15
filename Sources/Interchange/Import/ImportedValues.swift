import Tensors

/// What the name of a value in an ONNX graph stands for while its nodes are read.
enum ImportedOperand {
  /// Something computed at run time.
  case activation(ImportedActivation)
  /// Numbers of the file.
  case tensor(ONNXTensor)
  /// A list of sizes: shapes are computed by nodes, too.
  case sizes([ImportedSize])
  /// The result of a node that could not be read.
  case unknown
}

/// A number of a shape that nodes compute.
enum ImportedSize: Equatable {
  case known(Int)
  /// The length of the first axis, which only a run knows.
  case batch
  /// Another length that only a run knows.
  case unknown

  var number: Int? { if case .known(let number) = self { number } else { nil } }
}

/// A value computed at run time, and how ONNX and the format see it.
struct ImportedActivation {
  /// What computes it.
  var value: ImportedValue
  /// Its shape in ONNX, as far as it is known.
  var shape: [Int?]
  /// Whether ONNX has its channels last; the format's layers see them where the model's layout says.
  var isChannelsLast = false
  /// Whether it has two more axes of length 1 in ONNX, [N, C, 1, 1] for [N, C].
  var isPooled = false
  /// Zeros around the image that the next convolution takes on: top, left, bottom, right.
  var padding: [Int]?
}

/// Why a node cannot be said in the format.
struct UnsupportedNode: Error {
  let reason: String
}

/// An ONNX node's attributes by their names.
struct ImportedAttributes {
  private let attributes: [String: ONNXAttribute.Value]

  init(_ node: ONNXNode) {
    attributes = Dictionary(node.attributes.map { ($0.name, $0.value) }, uniquingKeysWith: { _, last in last })
  }

  func integer(_ name: String) -> Int? {
    if case .integer(let value)? = attributes[name] { value } else { nil }
  }

  func integers(_ name: String) -> [Int]? {
    if case .integers(let values)? = attributes[name] { values } else { nil }
  }

  func float(_ name: String) -> Float? {
    if case .float(let value)? = attributes[name] { value } else { nil }
  }

  func string(_ name: String) -> String? {
    if case .string(let value)? = attributes[name] { value } else { nil }
  }

  subscript(name: String) -> ONNXAttribute.Value? { attributes[name] }
}

/// The window of a convolution or a pooling as a node gives it.
struct ImportedWindow {
  let kernel: [Int]
  private(set) var stride: [Int]
  private(set) var dilation: [Int]
  /// Top, left, bottom, right; nil for `same`.
  private(set) var padding: [Int]?
  /// The image's height and width behind it, as far as they are known.
  private(set) var outputSizes: [Int?] = []

  /// Reads the attributes; `sizes` are the height and the width of the input, as far as they are known.
  init(_ attributes: ImportedAttributes, kernel: [Int]?, sizes: [Int?], extra: [Int]? = nil) throws(UnsupportedNode) {
    guard let kernel = kernel ?? attributes.integers("kernel_shape"), kernel.count == 2 else {
      throw UnsupportedNode(reason: "only windows over two axes can be said")
    }
    self.kernel = kernel
    stride = attributes.integers("strides") ?? [1, 1]
    dilation = attributes.integers("dilations") ?? [1, 1]
    let pads = attributes.integers("pads") ?? [0, 0, 0, 0]
    let roundsUp = attributes.integer("ceil_mode") == 1
    guard stride.count == 2, dilation.count == 2, pads.count == 4,
      (kernel + stride + dilation).allSatisfy({ (1...1 << 31).contains($0) }),
      pads.allSatisfy({ (0...1 << 31).contains($0) })
    else { throw UnsupportedNode(reason: "its window makes no sense") }
    let extents = (0..<2).map { (kernel[$0] - 1).multipliedReportingOverflow(by: dilation[$0]).partialValue + 1 }
    switch attributes.string("auto_pad") ?? "NOTSET" {
    case "NOTSET", "": padding = pads
    case "VALID":
      // By ONNX's text such sizes are rounded down all the same; runtimes round them up.
      guard !roundsUp else { throw UnsupportedNode(reason: "it rounds sizes up and has `auto_pad: VALID`") }
      padding = [0, 0, 0, 0]
    case "SAME_UPPER": padding = nil
    case "SAME_LOWER":
      var lower = [0, 0, 0, 0]
      for axis in 0..<2 {
        let total: Int
        if stride[axis] == 1 {
          total = extents[axis] - 1
        } else if let size = sizes[axis].map({ $0 + (extra.map { $0[axis] + $0[axis + 2] } ?? 0) }) {
          let output = (size + stride[axis] - 1) / stride[axis]
          total = max((output - 1) * stride[axis] + extents[axis] - size, 0)
        } else {
          throw UnsupportedNode(reason: "its padding depends on a size that is not known")
        }
        lower[axis] = total - total / 2
        lower[axis + 2] = total / 2
      }
      padding = lower
    default: throw UnsupportedNode(reason: "its `auto_pad` is not known")
    }
    if let extra {
      guard let own = padding else { throw UnsupportedNode(reason: "it adds padding to padding of its own") }
      padding = zip(own, extra).map { $0 + $1 }
    }
    if roundsUp {
      try roundUp(extents, sizes, countsPadding: attributes.integer("count_include_pad") == 1)
    }
    for axis in 0..<2 {
      guard let size = sizes[axis] else {
        outputSizes.append(nil)
        continue
      }
      if let padding {
        let span = size + padding[axis] + padding[axis + 2] - extents[axis]
        guard span >= 0 else { throw UnsupportedNode(reason: "its window is larger than the image") }
        outputSizes.append(span / stride[axis] + 1)
      } else {
        outputSizes.append((size + stride[axis] - 1) / stride[axis])
      }
    }
  }

  /// Sizes that are rounded up are those of a window with more padding at the end.
  private mutating func roundUp(_ extents: [Int], _ sizes: [Int?], countsPadding: Bool) throws(UnsupportedNode) {
    guard var padding else { return }
    for axis in 0..<2 where stride[axis] > 1 {
      guard let size = sizes[axis] else {
        throw UnsupportedNode(reason: "it rounds a size up that is not known")
      }
      let span = size + padding[axis] + padding[axis + 2] - extents[axis]
      guard span >= 0 else { throw UnsupportedNode(reason: "its window is larger than the image") }
      var output = (span + stride[axis] - 1) / stride[axis] + 1
      // A window that would begin behind the image is left out.
      if (output - 1) * stride[axis] >= size + padding[axis] { output -= 1 }
      let missing = (output - 1) * stride[axis] + extents[axis] - (size + padding[axis] + padding[axis + 2])
      if missing <= 0 { continue }
      guard !countsPadding else { throw UnsupportedNode(reason: "it rounds sizes up and counts the padding") }
      padding[axis + 2] += missing
    }
    self.padding = padding
  }

  /// The keys of a layer with this window; `defaultStride` is what a layer takes without one.
  func attributes(defaultStride: [Int]) -> [(key: String, value: String)] {
    var result = [(key: "kernel", value: Self.text(kernel))]
    if stride != defaultStride { result.append(("stride", Self.text(stride))) }
    if dilation != [1, 1] { result.append(("dilation", Self.text(dilation))) }
    guard let padding else { return result + [("padding", "same")] }
    if padding[0] == padding[2], padding[1] == padding[3] {
      if padding != [0, 0, 0, 0] { result.append(("padding", Self.text([padding[0], padding[1]]))) }
    } else {
      result.append(("padding", "[" + padding.map(String.init).joined(separator: ", ") + "]"))
    }
    return result
  }

  private static func text(_ pair: [Int]) -> String { pair[0] == pair[1] ? "\(pair[0])" : "[\(pair[0]), \(pair[1])]" }
}
