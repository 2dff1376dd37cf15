import Graph
import Kernels
import Tensors

/// Convolutions and matrix products, with what follows them.
extension Lowering {
  mutating func lower(_ operation: Convolution, _ step: Graph.Step, at index: Int) throws {
    let input = step.inputs[0]
    guard let weights = parameterIndex[step.inputs[1]] else { return try lowerVarying(operation, step, at: index) }
    let shape = shape(operation.window, input: input, output: step.outputs[0], groups: operation.groups)
    let chain = try chain(after: index, channels: shape.filters, allowsResidual: true)
    let second = try chain.residual.map { try blocked($0, label: step.label) }
    let call: KernelCall
    let source: BufferID
    var onceParameter: Int?
    if once, !shape.isDepthwise, let panels = ConvolutionChoice(threads: threads).panelsOnce(for: shape) {
      let isPlain = held[input.index].blocked == nil && shape.groups == 1 && uses[input.index] == 1
      let plain = isPlain ? unblocked(input) : nil
      source = try plain?.buffer ?? blocked(input, label: step.label)
      call = try .convolutionOnce(shape, panels: panels, plain: plain?.strides, epilogue: chain.epilogue)
      onceParameter = weights
    } else if shape.isDepthwise {
      source = try blocked(input, label: step.label)
      call = try .depthwise(shape, rows: 32, weights: try values(weights).elements, epilogue: chain.epilogue)
    } else if held[input.index].blocked == nil, shape.groups == 1, let (buffer, strides) = unblocked(input),
      uses[input.index] == 1
    {
      source = buffer
      call = try .convolution(
        shape, method: ConvolutionChoice(threads: threads).directMethod(for: shape), plain: strides,
        weights: try values(weights).elements, epilogue: chain.epilogue)
    } else {
      source = try blocked(input, label: step.label)
      call = try .convolution(
        shape, method: ConvolutionChoice(threads: threads).method(for: shape), weights: try values(weights).elements,
        epilogue: chain.epilogue)
    }
    append(
      call, label: chain.label, operations: chain.fold.operations.joined(separator: "+"), value: chain.result,
      multiplyAdds: shape.multiplyAdds, input: source, second: second, output: newBlocked(chain.result))
    steps[steps.count - 1].onceParameter = onceParameter
  }

  mutating func lower(_ operation: MatrixProduct, _ step: Graph.Step, at index: Int) throws {
    guard let weights = parameterIndex[step.inputs[1]], !operation.transposesLeft else {
      return try lowerVarying(operation, step, at: index)
    }
    let rows = sizes[step.outputs[0].index][0]
    let columns = sizes[step.outputs[0].index][1]
    let inner = sizes[step.inputs[0].index][1]
    let chain = try chain(after: index, channels: columns, allowsResidual: false)
    let input = try plain(step.inputs[0], label: step.label)
    let (innerStride, columnStride) = operation.transposesRight ? (1, inner) : (columns, 1)
    let call: KernelCall
    let passes = once && chain.epilogue.scale == nil && inner * columns > Self.packedInPassing
    if passes {
      call = try .denseOnce(
        rows: rows, inner: inner, columns: columns, innerStride: innerStride, columnStride: columnStride,
        shift: chain.epilogue.shift, relu: chain.epilogue.relu)
    } else {
      let cut = denseCut(rows: rows, inner: inner, columns: columns)
      call = try .dense(
        rows: rows, inner: inner, columns: columns, weights: try values(weights).elements, innerStride: innerStride,
        columnStride: columnStride, epilogue: chain.epilogue, rowsPerTask: cut.rows, panels: cut.panels)
    }
    append(
      call, label: chain.label, operations: chain.fold.operations.joined(separator: "+"), value: chain.result,
      multiplyAdds: rows * inner * columns, input: input, output: newPlain(chain.result))
    if passes { steps[steps.count - 1].onceParameter = weights }
  }

  /// Fewer weights than this are packed beforehand even for one run.
  static let packedInPassing = 64 << 10

  /// How a matrix product is cut into tasks.
  func denseCut(rows: Int, inner: Int, columns: Int) -> (rows: Int, panels: Int) {
    let panels = (columns + 15) / 16
    guard threads > 1, rows * inner * columns > 200_000 else { return (96, panels) }
    let share = (rows + threads * 2 - 1) / (threads * 2)
    return (min(96, max(6, share)), rows <= 96 ? max(1, panels / (threads * 4)) : panels)
  }
}
