import Graph
import Kernels
import Tensors

/// What a step of training needs besides: products with weights that change, and gradients.
extension Lowering {
  // MARK: - Products with weights that are not constant

  /// Bias, residual and relu after a product whose weights vary.
  private struct Tail {
    var bias: ValueID?
    var residual: ValueID?
    var relu = false
    var result: ValueID
    var label: String
    var operations: [String]
  }

  private mutating func tail(after index: Int, allowsBias: Bool, allowsResidual: Bool) throws -> Tail {
    let step = graph.steps[index]
    var tail = Tail(result: step.outputs[0], label: step.label, operations: [name(step.operation)])
    while let next = onlyConsumer(tail.result) {
      let following = graph.steps[next]
      if following.operation is Bias, allowsBias, tail.bias == nil, tail.residual == nil,
        following.inputs[0] == tail.result, try makeAvailable(following.inputs[1], apartFrom: index)
      {
        tail.bias = following.inputs[1]
      } else if following.operation is Add, allowsResidual, tail.residual == nil, following.inputs.count == 2,
        let other = following.inputs.first(where: { $0 != tail.result }), try makeAvailable(other, apartFrom: index)
      {
        tail.residual = other
      } else if following.operation is Relu {
        tail.relu = true
      } else {
        break
      }
      fused.insert(next)
      tail.operations.append(name(following.operation))
      (tail.result, tail.label) = (following.outputs[0], following.label)
      if tail.relu { break }
    }
    return tail
  }

  mutating func lowerVarying(_ operation: Convolution, _ step: Graph.Step, at index: Int) throws {
    let input = step.inputs[0]
    let shape = shape(operation.window, input: input, output: step.outputs[0], groups: operation.groups)
    let tail = try tail(after: index, allowsBias: true, allowsResidual: true)
    let choice = ConvolutionChoice(threads: threads)
    if held[input.index].blocked == nil, shape.groups == 1, shape.channels < 8, let (buffer, strides) = unblocked(input)
    {
      try convolve(
        shape, method: choice.directMethod(for: chosen(shape, of: input)), input: buffer, plain: strides,
        weights: step.inputs[1],
        transposed: false, tail: tail, multiplyAdds: shape.multiplyAdds)
    } else {
      try convolve(
        shape, method: choice.method(for: chosen(shape, of: input)), input: try blocked(input, label: step.label),
        weights: step.inputs[1], transposed: false, tail: tail, multiplyAdds: shape.multiplyAdds)
    }
  }

  /// Packs weights and convolves.
  private mutating func convolve(
    _ shape: ConvolutionShape, method: ConvolutionMethod, input: BufferID, plain: PlainStrides? = nil,
    weights: ValueID, transposed: Bool, tail: Tail, multiplyAdds: Int
  ) throws {
    let pack: KernelCall
    let call: KernelCall
    let packed: BufferID
    if shape.isDepthwise {
      packed = addBuffer(ConvolutionShape.blocks(shape.channels) * 8 * shape.kernel[0] * shape.kernel[1])
      pack = .packDepthwise(shape, transposed: transposed)
      call = .depthwise(shape, rows: 32, relu: tail.relu)
    } else {
      packed = addBuffer(KernelCall.convolutionWeights(shape, method: method, plain: plain))
      pack = .pack(shape, method: method, plain: plain, transposed: transposed)
      call = .convolution(shape, method: method, plain: plain, relu: tail.relu)
    }
    append(
      pack, label: tail.label, operations: "pack", value: tail.result,
      input: try self.plain(weights, label: tail.label), output: packed)
    var reads: [(KernelCall.Operand, BufferID)] = [(.input, input), (.weights, packed)]
    if let bias = tail.bias {
      // Up to the end of the last panel.
      let padded = addBuffer((ConvolutionShape.blocks(shape.filters) + 1) * 8)
      let strides = PlainStrides(image: shape.filters, channel: 1, row: 1, pixel: 1)
      append(
        .reorder(batch: 1, channels: shape.filters, height: 1, width: 1, strides: strides, toBlocked: true),
        label: tail.label, operations: "layout", value: tail.result, input: try self.plain(bias, label: tail.label),
        output: padded)
      reads.append((.bias, padded))
    }
    if let residual = tail.residual { reads.append((.second, try blocked(residual, label: tail.label))) }
    append(
      call, label: tail.label, operations: tail.operations.joined(separator: "+"), value: tail.result,
      multiplyAdds: multiplyAdds, reads: reads, writes: [(.output, newBlocked(tail.result))])
  }

  mutating func lowerVarying(_ operation: MatrixProduct, _ step: Graph.Step, at index: Int) throws {
    if try lowerPerceptron(at: index) { return }
    let (rows, columns) = (sizes[step.outputs[0].index][0], sizes[step.outputs[0].index][1])
    let left = sizes[step.inputs[0].index]
    let inner = operation.transposesLeft ? left[0] : left[1]
    if operation.transposesLeft, !operation.transposesRight {
      let sum = BatchSum(
        batch: step.inputs[0], value: step.outputs[0], label: step.label, operations: "filter gradient",
        reads: [
          (.input, try plain(step.inputs[0], label: step.label)),
          (.second, try plain(step.inputs[1], label: step.label)),
        ],
        // Few pieces where the weights are large compared with the activations.
        pieces: { BatchPieces(batch: $0, atMost: $0 * (rows + columns) / max(rows * columns, 1)) },
        call: { .product(rows: $0, height: rows, columns: columns, pieces: $1) })
      appendSum(sum, multiplyAdds: rows * inner * columns)
      return
    }
    let tail = try tail(after: index, allowsBias: true, allowsResidual: false)
    var input = try plain(step.inputs[0], label: step.label)
    if operation.transposesLeft {
      let turned = addBuffer(rows * inner)
      append(
        .transpose(rows: inner, columns: rows), label: step.label, operations: "layout", value: step.outputs[0],
        input: input, output: turned)
      input = turned
    }
    let packed = addBuffer(KernelCall.denseWeights(inner: inner, columns: columns))
    append(
      .packDense(
        inner: inner, columns: columns, innerStride: operation.transposesRight ? 1 : columns,
        columnStride: operation.transposesRight ? inner : 1), label: step.label, operations: "pack",
      value: step.outputs[0], input: try plain(step.inputs[1], label: step.label), output: packed)
    var reads: [(KernelCall.Operand, BufferID)] = [(.input, input), (.weights, packed)]
    if let bias = tail.bias { reads.append((.bias, try plain(bias, label: tail.label))) }
    append(
      denseCall(rows: rows, inner: inner, columns: columns, relu: tail.relu, isPart: isShared(step.outputs[0])),
      label: tail.label,
      operations: tail.operations.joined(separator: "+"), value: tail.result, multiplyAdds: rows * inner * columns,
      reads: reads, writes: [(.output, newPlain(tail.result))])
  }

  private func denseCall(rows: Int, inner: Int, columns: Int, relu: Bool, isPart: Bool) -> KernelCall {
    let cut = denseCut(rows: rows, inner: inner, columns: columns)
    return .dense(
      rows: rows, inner: inner, columns: columns, relu: relu, isPart: isPart, rowsPerTask: cut.rows, panels: cut.panels)
  }

  // MARK: - Gradients

  /// Lowers an operation of the backward half; whether it is one that has a kernel.
  mutating func lowerGradient(_ step: Graph.Step, at index: Int) throws -> Bool {
    let output = step.outputs[0]
    let shape = sizes[step.inputs[0].index]
    switch step.operation {
    case is MeanSquaredError: try lower(.meanSquaredError, step) { $0 is MeanSquaredErrorGradient }
    case is BinaryCrossEntropy: try lower(.binaryCrossEntropy, step) { $0 is BinaryCrossEntropyGradient }
    case is CrossEntropy: try lower(.crossEntropy, step) { $0 is CrossEntropyGradient }
    case let operation as ConvolutionDataGradient: return try lower(operation, step, at: index)
    case let operation as ConvolutionFilterGradient:
      let (input, gradient) = (step.inputs[0], step.inputs[1])
      let geometry = self.shape(operation.window, input: input, output: gradient, groups: operation.groups)
      let sum = BatchSum(
        batch: input, value: output, label: step.label, operations: "filter gradient",
        reads: [(.input, try blocked(input, label: step.label)), (.second, try blocked(gradient, label: step.label))],
        pieces: { KernelCall.filterGradientPieces(geometry.batched($0)) },
        call: { .filterGradient(geometry.batched($0), pieces: $1) })
      appendSum(sum, multiplyAdds: geometry.multiplyAdds)
    case let operation as BatchStatisticsNormalization where shape.count == 4:
      try lower(operation, step, at: index)
    case let operation as BatchStatisticsNormalizationGradient where shape.count == 4:
      try lower(operation, step)
    case is ReluGradient:
      // The gradient of a normalisation masks as it reads, and writes what it masked where others want it.
      if shape.count == 4, outputIndex[output] == nil, let next = consumers[output.index].first,
        graph.steps[next].operation is BatchStatisticsNormalizationGradient, graph.steps[next].inputs[0] == output
      {
        masked[output] = (step.inputs[0], step.inputs[1])
      } else {
        try lowerPair(.reluGradient, "relu gradient", step)
      }
    case is SigmoidGradient: try lowerPair(.sigmoidGradient, "sigmoid gradient", step)
    case is TanhGradient: try lowerPair(.tanhGradient, "tanh gradient", step)
    case is Multiply: try lowerPair(.product, "multiply", step)
    case let operation as MaxPoolGradient where isIdentity(operation.window) && outputIndex[output] == nil:
      _ = try blocked(step.inputs[0], label: step.label)
      held[output.index] = held[step.inputs[0].index]
    case let operation as MaxPoolGradient:
      let gradient = try blocked(step.inputs[0], label: step.label)
      append(
        .maximumGradient(self.shape(operation.window, input: step.inputs[1], output: step.inputs[0])),
        label: step.label, operations: "max pool gradient", value: output, input: gradient,
        second: try blocked(step.inputs[1], label: step.label), output: newBlocked(output))
    case is SpatialMeanGradient:
      let size = sizes[output.index]
      append(
        .spatialMeanGradient(batch: size[0], channels: size[1], pixels: size[2] * size[3]), label: step.label,
        operations: "mean gradient", value: output, input: try plain(step.inputs[0], label: step.label),
        output: newBlocked(output))
    case is ChannelSum where shape.count == 4:
      _ = appendMoments(
        of: step.inputs[0], isGradient: true, label: step.label, operations: "channel sum", value: output,
        reads: [(.input, try blocked(step.inputs[0], label: step.label))], narrowed: newPlain(output),
        waits: outputIndex[output] == nil || uses[output.index] > 1)
    case is ChannelSum:
      appendSum(
        BatchSum(
          batch: step.inputs[0], value: output, label: step.label, operations: "column sum",
          reads: [(.input, try plain(step.inputs[0], label: step.label))],
          pieces: { BatchPieces(batch: $0, atMost: $0 * shape[1] / 4096) },
          call: { .columnSum(rows: $0, columns: shape[1], pieces: $1) }))
    case let operation as ChannelSlice where shape.count == 4 && operation.first == 0:
      append(
        .channelCopy(
          batch: shape[0], inputChannels: shape[1], channels: operation.count, firstChannel: 0,
          outputChannels: operation.count, pixels: shape[2] * shape[3], zeroFill: true),
        label: step.label, operations: "slice channels", value: output,
        input: try blocked(step.inputs[0], label: step.label), output: newBlocked(output))
    case is Unflatten where outputIndex[output] == nil:
      held[output.index].plain = try plain(step.inputs[0], label: step.label)
    default: return false
    }
    return true
  }

  private mutating func lower(_ operation: BatchStatisticsNormalization, _ step: Graph.Step, at index: Int) throws {
    let shape = sizes[step.inputs[0].index]
    let (channels, pixels) = (shape[1], shape[2] * shape[3])
    let tail = try tail(after: index, allowsBias: false, allowsResidual: true)
    let input = try blocked(step.inputs[0], label: step.label)
    let sums = appendMoments(
      of: step.inputs[0], isGradient: false, label: step.label, operations: "statistics", value: tail.result,
      reads: [(.input, input)])
    let factors = addBuffer(KernelCall.factorsCount(channels: channels))
    append(
      .momentsToScale(
        channels: channels, count: wholeSizes[step.inputs[0].index][0] * pixels, epsilon: operation.epsilon),
      label: step.label,
      operations: "statistics", value: tail.result,
      reads: [
        (.input, sums), (.weights, try plain(step.inputs[1], label: step.label)),
        (.bias, try plain(step.inputs[2], label: step.label)),
      ],
      writes: [
        (.output, factors), (.output2, newPlain(step.outputs[1])), (.output3, newPlain(step.outputs[2])),
      ])
    var reads = [(KernelCall.Operand.input, input), (.weights, factors)]
    if let residual = tail.residual { reads.append((.second, try blocked(residual, label: step.label))) }
    append(
      .normalize(batch: shape[0], channels: channels, pixels: pixels, relu: tail.relu), label: tail.label,
      operations: tail.operations.joined(separator: "+"), value: tail.result, reads: reads,
      writes: [(.output, newBlocked(tail.result))])
  }

  private mutating func lower(_ operation: BatchStatisticsNormalizationGradient, _ step: Graph.Step) throws {
    let shape = sizes[step.inputs[0].index]
    let (channels, pixels) = (shape[1], shape[2] * shape[3])
    let label = step.label
    let input = try blocked(step.inputs[1], label: label)
    let mean = try plain(step.inputs[3], label: label)
    var activated: BufferID?
    var written: BufferID?
    var gradient: BufferID
    if held[step.inputs[0].index].blocked == nil, let mask = masked[step.inputs[0]] {
      gradient = try blocked(mask.gradient, label: label)
      activated = try blocked(mask.activated, label: label)
      if consumers[step.inputs[0].index].count > 1 { written = newBlocked(step.inputs[0]) }
    } else {
      gradient = try blocked(step.inputs[0], label: label)
    }
    var reads = [(KernelCall.Operand.input, gradient), (.second, input), (.mean, mean)]
    if let activated { reads.append((.activated, activated)) }
    let sums = appendMoments(
      of: step.inputs[0], isGradient: true, label: label, operations: "normalisation gradient's sums",
      value: step.outputs[0],
      reads: reads, masked: written)
    let factors = addBuffer(KernelCall.factorsCount(channels: channels))
    append(
      .momentsToGradient(
        channels: channels, count: wholeSizes[step.inputs[0].index][0] * pixels, epsilon: operation.epsilon),
      label: label,
      operations: "normalisation gradient's sums", value: step.outputs[0],
      reads: [
        (.input, sums), (.weights, try plain(step.inputs[2], label: label)), (.mean, mean),
        (.variance, try plain(step.inputs[4], label: label)),
      ],
      writes: [
        (.output, factors), (.output2, newPlain(step.outputs[1])), (.output3, newPlain(step.outputs[2])),
      ])
    if let written { (gradient, activated) = (written, nil) }
    reads = [(.input, gradient), (.second, input), (.weights, factors)]
    if let activated { reads.append((.activated, activated)) }
    append(
      .normalizeGradient(batch: shape[0], channels: channels, pixels: pixels), label: label,
      operations: "normalisation gradient", value: step.outputs[0], reads: reads,
      writes: [(.output, newBlocked(step.outputs[0]))])
  }

  /// An elementwise function of two values, in blocks if either is held so.
  private mutating func lowerPair(_ function: ElementwiseFunction, _ name: String, _ step: Graph.Step) throws {
    let (first, second, output) = (step.inputs[0], step.inputs[1], step.outputs[0])
    if held[first.index].blocked != nil || held[second.index].blocked != nil {
      let operands = (try blocked(first, label: step.label), try blocked(second, label: step.label))
      append(
        .elementwise(function, count: blockedCount(sizes[output.index])), label: step.label, operations: name,
        value: output, input: operands.0, second: operands.1, output: newBlocked(output))
    } else {
      let operands = (try plain(first, label: step.label), try plain(second, label: step.label))
      append(
        .elementwise(function, count: count(output)), label: step.label, operations: name, value: output,
        input: operands.0, second: operands.1, output: newPlain(output))
    }
  }

  /// The gradient of a convolution's input is a convolution of the result's gradient, its pixels spread by the stride,
  /// with the kernels turned round and inputs and outputs changed over.
  private mutating func lower(_ operation: ConvolutionDataGradient, _ step: Graph.Step, at index: Int) throws -> Bool {
    let window = operation.window
    let result = sizes[step.inputs[0].index]
    let size = operation.inputSize
    guard let extentY = try? window.extent(.height), let extentX = try? window.extent(.width) else { return false }
    let padTop = extentY - 1 - window.leadingPadding(.height, input: size[0])
    let padLeft = extentX - 1 - window.leadingPadding(.width, input: size[1])
    guard padTop >= 0, padLeft >= 0 else { return false }
    var shape = ConvolutionShape(
      batch: result[0], channels: result[1], filters: sizes[step.outputs[0].index][1], groups: operation.groups,
      input: [result[2], result[3]], output: size, kernel: window.kernel, dilation: window.dilation, padTop: padTop,
      padLeft: padLeft)
    let multiplyAdds = result.reduce(1, *) * shape.filters / operation.groups * window.kernel[0] * window.kernel[1]
    var source = try blocked(step.inputs[0], label: step.label)
    let isPointwise = window.kernel == [1, 1] && window.stride != [1, 1] && operation.groups == 1
    if isPointwise {
      // Between the strides' pixels there is nothing but zeros: the product first, the spreading after it.
      shape.output = shape.input
      let product = addBuffer(blockedCount([result[0], shape.filters, result[2], result[3]]))
      let method = ConvolutionChoice(threads: threads).method(for: chosen(shape, of: step.inputs[0]))
      let packed = addBuffer(KernelCall.convolutionWeights(shape, method: method))
      append(
        .pack(shape, method: method, transposed: true), label: step.label, operations: "pack", value: step.outputs[0],
        input: try plain(step.inputs[1], label: step.label), output: packed)
      append(
        .convolution(shape, method: method), label: step.label, operations: "data gradient", value: step.outputs[0],
        multiplyAdds: multiplyAdds, reads: [(.input, source), (.weights, packed)], writes: [(.output, product)])
      append(
        .spread(
          batch: result[0], channels: shape.filters, input: shape.input, output: size, stride: window.stride),
        label: step.label, operations: "spread", value: step.outputs[0], input: product,
        output: newBlocked(step.outputs[0]))
      return true
    }
    if window.stride != [1, 1] {
      let spread = (0...1).map { (axis: Int) -> Int in (shape.input[axis] - 1) * window.stride[axis] + 1 }
      let wide = addBuffer(blockedCount([result[0], result[1], spread[0], spread[1]]))
      append(
        .spread(batch: result[0], channels: result[1], input: shape.input, output: spread, stride: window.stride),
        label: step.label, operations: "spread", value: step.outputs[0], input: source, output: wide)
      shape.input = spread
      source = wide
    }
    var tail = try tail(after: index, allowsBias: false, allowsResidual: true)
    tail.operations[0] = "data gradient"
    try convolve(
      shape, method: ConvolutionChoice(threads: threads).method(for: chosen(shape, of: step.inputs[0])), input: source,
      weights: step.inputs[1],
      transposed: true, tail: tail, multiplyAdds: multiplyAdds)
    return true
  }
}
