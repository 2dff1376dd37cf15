public import Graph
import Tensors

/// `conv2d`: cross-correlation of an image with filters, and a bias for each filter.
///
/// [N, C, H, W] -> [N, filters, H', W'] with H' = floor((H + pads - dilation * (kernel - 1) - 1) / stride) + 1.
/// Parameters: weight [filters, C/groups, kernel height, kernel width], bias [filters].
public struct Conv2dLayer: Layer {
  public static let type = "conv2d"
  let filters: Int
  let groups: Int
  let hasBias: Bool
  let window: Window

  public init(_ attributes: LayerAttributes) throws(LayerError) {
    let given = attributes.givenShape("weight").flatMap { $0.count == 4 ? $0 : nil }
    let axes = "[filters, input channels / groups, kernel height, kernel width]"
    filters = try attributes.agreed(
      "filters", written: attributes.integer("filters").map { [$0] }, given: given.map { [$0[0]] },
      parameter: "weight", axes: axes)[0]
    window = Window(
      kernel: try attributes.agreed(
        "kernel", written: attributes.pair("kernel"), given: given.map { Array($0[2...]) }, parameter: "weight",
        axes: axes),
      stride: attributes.pair("stride") ?? [1, 1],
      dilation: attributes.pair("dilation") ?? [1, 1],
      padding: attributes.padding())
    groups = attributes.integer("groups") ?? 1
    hasBias = attributes.boolean("bias") ?? true
    guard filters % groups == 0 else {
      throw LayerError("\(groups) groups do not divide the \(filters) filters", key: "groups")
    }
  }

  public func parameters(inputs: [Shape]) throws(LayerError) -> [ParameterDeclaration] {
    let input = inputs[0]
    guard input.count == 4 else {
      throw LayerError(
        "`conv2d` needs an input of rank 4 (an image with channels), but it takes \(input)", key: "input")
    }
    let channels = try channels(input, of: "`conv2d`")
    guard channels % groups == 0 else {
      throw LayerError("\(groups) groups do not divide the \(channels) channels of the input \(input)", key: "groups")
    }
    let cells = checkedProduct(window.kernel)
    let weight = [filters, channels / groups] + window.kernel
    let declaration = ParameterDeclaration(
      "weight", weight, initialiser: .heNormal,
      fanIn: checkedProduct([channels / groups, cells ?? 0]) ?? 0, fanOut: checkedProduct([filters, cells ?? 0]) ?? 0)
    guard checkedProduct(weight) != nil else {
      throw LayerError(
        "a weight of shape \(weight.map(Dimension.fixed)) has more numbers than can be counted", key: "kernel")
    }
    return hasBias ? [declaration, ParameterDeclaration("bias", [filters], initialiser: .zeros)] : [declaration]
  }

  public func summary(parameters: [[Int]]) -> String {
    let isDepthwise = groups > 1 && parameters.first?[1] == 1 && groups == filters
    let kind = isDepthwise ? "depthwise" : Self.type
    let parts = [groups > 1 && !isDepthwise ? "\(groups) groups" : nil, window.strideSummary]
    return (["\(kind) \(window.kernelSummary), \(filters) filters"] + parts.compactMap { $0 }).joined(separator: ", ")
  }

  public func build(_ context: inout LayerContext, inputs: [ValueID], parameters: [ValueID]) throws(ShapeError)
    -> ValueID
  {
    let product = try context.apply(Convolution(window: window, groups: groups), to: inputs[0], parameters[0])
    return hasBias ? try context.apply(Bias(), to: product, parameters[1]) : product
  }
}

/// The product of lengths, or nil where an array cannot have so many numbers.
func checkedProduct(_ lengths: [Int]) -> Int? {
  var product = 1
  for length in lengths {
    let (next, overflow) = product.multipliedReportingOverflow(by: length)
    if overflow || next > Shape.largestCount { return nil }
    product = next
  }
  return product
}
