import CKernels

/// The geometry of a convolution over [batch, channels, height, width].
public struct ConvolutionShape: Hashable, Sendable {
  /// Images.
  public var batch: Int
  /// Channels of the input, and of the output.
  public var channels, filters: Int
  /// Groups of channels that do not see each other.
  public var groups: Int
  /// Sizes as [height, width].
  public var input, output, kernel, stride, dilation: [Int]
  /// Rows of padding above, columns on the left.
  public var padTop, padLeft: Int

  /// A convolution's geometry.
  public init(
    batch: Int, channels: Int, filters: Int, groups: Int = 1, input: [Int], output: [Int], kernel: [Int],
    stride: [Int] = [1, 1], dilation: [Int] = [1, 1], padTop: Int = 0, padLeft: Int = 0
  ) {
    self.batch = batch
    self.channels = channels
    self.filters = filters
    self.groups = groups
    self.input = input
    self.output = output
    self.kernel = kernel
    self.stride = stride
    self.dilation = dilation
    self.padTop = padTop
    self.padLeft = padLeft
  }

  /// Whether every channel is convolved by a kernel of its own.
  public var isDepthwise: Bool { groups == channels && groups == filters && groups > 1 }

  /// Multiplications and additions, counted as one each.
  public var multiplyAdds: Int {
    batch * filters * output[0] * output[1] * (channels / groups) * kernel[0] * kernel[1]
  }

  /// Groups merged, the weights between them zero, until their channels fill blocks of 8.
  var mergedGroups: Int {
    for merged in 1...8
    where groups % merged == 0 && channels / groups * merged % 8 == 0 && filters / groups * merged % 8 == 0 {
      return groups / merged
    }
    return 1
  }

  /// The blocks of 8 channels that hold `channels`.
  public static func blocks(_ channels: Int) -> Int { (channels + 7) / 8 }
}

/// Where the elements of an input lie that is not blocked: the distances from one to the next along each axis.
public struct PlainStrides: Hashable, Sendable {
  /// From image to image, channel to channel, row to row, pixel to pixel.
  public var image, channel, row, pixel: Int

  /// Strides in elements.
  public init(image: Int, channel: Int, row: Int, pixel: Int) {
    self.image = image
    self.channel = channel
    self.row = row
    self.pixel = pixel
  }

  /// Those of [batch, channels, height, width].
  public static func channelsFirst(channels: Int, height: Int, width: Int) -> PlainStrides {
    PlainStrides(image: channels * height * width, channel: height * width, row: width, pixel: 1)
  }

  /// Those of [batch, height, width, channels].
  public static func channelsLast(channels: Int, height: Int, width: Int) -> PlainStrides {
    PlainStrides(image: channels * height * width, channel: 1, row: width * channels, pixel: channels)
  }
}

/// How a convolution is computed, and cut into tasks.
public struct ConvolutionMethod: Hashable, Sendable {
  /// The algorithms there are.
  public enum Algorithm: Hashable, Sendable {
    /// A matrix product of pixels by filters.
    case direct
    /// Winograd's F(2x2, 3x3).
    case winograd2
    /// Winograd's F(4x4, 3x3).
    case winograd4
  }
  /// The algorithm.
  public var algorithm: Algorithm
  /// Output pixels, or Winograd tiles, of a task.
  public var strip: Int
  /// Panels of 16 filters of a task.
  public var panels: Int

  /// A method.
  public init(_ algorithm: Algorithm, strip: Int, panels: Int) {
    self.algorithm = algorithm
    self.strip = strip
    self.panels = panels
  }

  var name: String {
    switch algorithm {
    case .direct: "direct"
    case .winograd2: "winograd F(2x2, 3x3)"
    case .winograd4: "winograd F(4x4, 3x3)"
    }
  }
}

/// What a convolution does to its sums: output = activation(scale * convolution + shift + residual).
public struct Epilogue: Sendable {
  /// A factor for each filter, folded into the weights.
  public var scale: [Double]?
  /// A summand for each filter.
  public var shift: [Float]?
  /// Whether negative results become zero.
  public var relu = false

  /// An epilogue that does nothing.
  public init() {}
}

extension KernelCall {
  /// A convolution into a blocked output, from a blocked input, or from a plain one where `plain` says how that lies.
  public static func convolution(
    _ shape: ConvolutionShape, method: ConvolutionMethod, plain: PlainStrides? = nil, weights: [Float],
    epilogue: Epilogue, instructions: InstructionSet = .current
  ) throws(OutOfMemory) -> KernelCall {
    let bias = try paddedVector(epilogue.shift, count: shape.filters)
    var pack = unsafe packing(shape, method: method, plain: plain)
    let packed = try unsafe AlignedBuffer(count: nnConvolutionWeights(&pack.shape), zeroed: false)
    unsafe weights.withUnsafeBufferPointer { weights in
      unsafe (epilogue.scale ?? []).withUnsafeBufferPointer { scale in
        guard let weights = weights.baseAddress else { return }
        unsafe pack.input = unsafe weights
        unsafe pack.scale = epilogue.scale == nil ? nil : scale.baseAddress
        unsafe pack.output = packed.pointer
        for task in 0..<(unsafe nnPackTasks(&pack.shape)) {
          unsafe instructions.table.pointee.pack(&pack, task, nil)
        }
      }
    }
    let call = convolution(
      shape, method: method, plain: plain, relu: epilogue.relu, retaining: [packed, bias], instructions: instructions)
    unsafe call.bind(.weights, to: packed.pointer)
    unsafe call.bind(.bias, to: bias.pointer)
    return call
  }

  /// A convolution whose packed weights, and bias in blocks of 8, are bound like its other operands.
  public static func convolution(
    _ shape: ConvolutionShape, method: ConvolutionMethod, plain: PlainStrides? = nil, relu: Bool = false,
    retaining: [AlignedBuffer] = [], instructions: InstructionSet = .current
  ) -> KernelCall {
    var arguments = unsafe arguments(shape, method: method, plain: plain)
    unsafe arguments.relu = relu ? 1 : 0
    let isProduct = shape.kernel == [1, 1] && method.algorithm == .direct
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.convolution,
      fields: [
        .input: \NNConvolution.input, .second: \NNConvolution.residual, .weights: \NNConvolution.weights,
        .bias: \NNConvolution.bias, .output: \NNConvolution.output,
      ],
      tasks: nnConvolutionTasks(&arguments), scratch: nnConvolutionScratch(&arguments),
      algorithm: isProduct ? "matrix product" : method.name, work: shape.multiplyAdds, retaining: retaining)
  }

  /// Packs plain weights for a convolution of that shape and method.
  ///
  /// With `transposed` the weights are those of a convolution from `filters` to `channels`, whose input's gradient
  /// this convolution is: [channels, filters / groups, kernel...], each kernel turned round.
  public static func pack(
    _ shape: ConvolutionShape, method: ConvolutionMethod, plain: PlainStrides? = nil, transposed: Bool = false,
    instructions: InstructionSet = .current
  ) -> KernelCall {
    var pack = unsafe packing(shape, method: method, plain: plain)
    if transposed {
      let taps = shape.kernel[0] * shape.kernel[1]
      let filters = shape.filters / shape.groups
      unsafe (pack.filterStride, pack.channelStride, pack.reversed) = (taps, filters * taps, 1)
      unsafe pack.groupStride = (shape.channels / shape.groups - 1) * filters * taps
    }
    return unsafe KernelCall(
      pack, kernel: instructions.table.pointee.pack, fields: [.input: \NNPack.input, .output: \NNPack.output],
      tasks: nnPackTasks(&pack.shape), algorithm: "pack",
      work: shape.channels / shape.groups * shape.filters * 100)
  }

  static func packing(_ shape: ConvolutionShape, method: ConvolutionMethod, plain: PlainStrides?) -> NNPack {
    let taps = shape.kernel[0] * shape.kernel[1]
    let groupChannels = shape.channels / shape.groups
    var pack = unsafe NNPack()
    unsafe pack.shape = unsafe arguments(shape, method: method, plain: plain)
    unsafe (pack.groups, pack.groupChannels, pack.filters) = (shape.groups, groupChannels, shape.filters)
    unsafe (pack.filterStride, pack.channelStride) = (groupChannels * taps, taps)
    return unsafe pack
  }

  /// The floats of packed weights that a method would need.
  public static func convolutionWeights(
    _ shape: ConvolutionShape, method: ConvolutionMethod, plain: PlainStrides? = nil
  ) -> Int {
    var arguments = unsafe arguments(shape, method: method, plain: plain)
    return unsafe nnConvolutionWeights(&arguments)
  }

  private static func arguments(_ shape: ConvolutionShape, method: ConvolutionMethod, plain: PlainStrides?)
    -> NNConvolution
  {
    var arguments = unsafe NNConvolution()
    let groups = shape.mergedGroups
    unsafe arguments.batch = shape.batch
    unsafe arguments.groups = groups
    unsafe arguments.inputBlocks = ConvolutionShape.blocks(shape.channels / groups)
    unsafe arguments.outputBlocks = ConvolutionShape.blocks(shape.filters / groups)
    unsafe (arguments.inputHeight, arguments.inputWidth) = (shape.input[0], shape.input[1])
    unsafe (arguments.outputHeight, arguments.outputWidth) = (shape.output[0], shape.output[1])
    unsafe (arguments.kernelHeight, arguments.kernelWidth) = (shape.kernel[0], shape.kernel[1])
    unsafe (arguments.strideY, arguments.strideX) = (shape.stride[0], shape.stride[1])
    unsafe (arguments.dilationY, arguments.dilationX) = (shape.dilation[0], shape.dilation[1])
    unsafe (arguments.padTop, arguments.padLeft) = (shape.padTop, shape.padLeft)
    if let plain {
      unsafe arguments.plainChannels = shape.channels
      unsafe (arguments.imageStride, arguments.channelStride) = (plain.image, plain.channel)
      unsafe (arguments.rowStride, arguments.pixelStride) = (plain.row, plain.pixel)
    }
    switch method.algorithm {
    case .direct: unsafe arguments.algorithm = NN_DIRECT
    case .winograd2: unsafe arguments.algorithm = NN_WINOGRAD_2
    case .winograd4: unsafe arguments.algorithm = NN_WINOGRAD_4
    }
    unsafe arguments.strip = max(method.strip, 1)
    unsafe arguments.panels = max(method.panels, 1)
    return unsafe arguments
  }

  /// A convolution of each channel with a kernel of its own; both sides blocked. `weights`: [channels, 1, kernel...].
  public static func depthwise(
    _ shape: ConvolutionShape, rows: Int, weights: [Float], epilogue: Epilogue, instructions: InstructionSet = .current
  ) throws(OutOfMemory) -> KernelCall {
    let blocks = ConvolutionShape.blocks(shape.channels)
    let taps = shape.kernel[0] * shape.kernel[1]
    let bias = try paddedVector(epilogue.shift, count: shape.channels)
    let packed = try AlignedBuffer(count: blocks * 8 * taps)
    for channel in 0..<shape.channels {
      let scale = epilogue.scale?[channel] ?? 1
      for tap in 0..<taps {
        let place = (channel / 8 * taps + tap) * 8 + channel % 8
        unsafe packed.pointer[place] = Float(Double(weights[channel * taps + tap]) * scale)
      }
    }
    let call = depthwise(
      shape, rows: rows, relu: epilogue.relu, retaining: [packed, bias], instructions: instructions)
    unsafe call.bind(.weights, to: packed.pointer)
    unsafe call.bind(.bias, to: bias.pointer)
    return call
  }

  /// A depthwise convolution whose packed weights, and bias in blocks of 8, are bound like its other operands.
  public static func depthwise(
    _ shape: ConvolutionShape, rows: Int, relu: Bool, retaining: [AlignedBuffer] = [],
    instructions: InstructionSet = .current
  ) -> KernelCall {
    var arguments = unsafe NNDepthwise()
    let blocks = ConvolutionShape.blocks(shape.channels)
    unsafe (arguments.batch, arguments.blocks, arguments.rows) = (shape.batch, blocks, max(rows, 1))
    unsafe (arguments.inputHeight, arguments.inputWidth) = (shape.input[0], shape.input[1])
    unsafe (arguments.outputHeight, arguments.outputWidth) = (shape.output[0], shape.output[1])
    unsafe (arguments.kernelHeight, arguments.kernelWidth) = (shape.kernel[0], shape.kernel[1])
    unsafe (arguments.strideY, arguments.strideX) = (shape.stride[0], shape.stride[1])
    unsafe (arguments.dilationY, arguments.dilationX) = (shape.dilation[0], shape.dilation[1])
    unsafe (arguments.padTop, arguments.padLeft) = (shape.padTop, shape.padLeft)
    unsafe arguments.relu = relu ? 1 : 0
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.depthwise,
      fields: [
        .input: \NNDepthwise.input, .second: \NNDepthwise.residual, .weights: \NNDepthwise.weights,
        .bias: \NNDepthwise.bias, .output: \NNDepthwise.output,
      ],
      tasks: nnDepthwiseTasks(&arguments), scratch: nnDepthwiseScratch(&arguments), algorithm: "depthwise",
      work: shape.multiplyAdds, retaining: retaining)
  }

  /// A vector for every channel, zeros up to the end of the last panel.
  static func paddedVector(_ values: [Float]?, count: Int) throws(OutOfMemory) -> AlignedBuffer {
    let buffer = try AlignedBuffer(count: (count + 15) / 16 * 16 + 16)
    for (index, value) in (values ?? []).enumerated() { unsafe buffer.pointer[index] = value }
    return buffer
  }
}
