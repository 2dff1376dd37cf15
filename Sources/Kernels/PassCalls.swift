import CKernels

/// The elementwise functions.
public enum ElementwiseFunction: Sendable {
  /// x.
  case identity
  /// max(0, x).
  case relu
  /// 1 / (1 + exp(-x)).
  case sigmoid
  /// The hyperbolic tangent.
  case tanh
  /// The product of the two operands.
  case product
  /// The first operand where the second, a result of relu, is positive.
  case reluGradient
  /// The first operand times s (1 - s) for the second, a result of sigmoid.
  case sigmoidGradient
  /// The first operand times 1 - t^2 for the second, a result of tanh.
  case tanhGradient

  var constant: NNFunction {
    switch self {
    case .identity: NN_IDENTITY
    case .relu: NN_RELU
    case .sigmoid: NN_SIGMOID
    case .tanh: NN_TANH
    case .product: NN_PRODUCT
    case .reluGradient: NN_RELU_GRADIENT
    case .sigmoidGradient: NN_SIGMOID_GRADIENT
    case .tanhGradient: NN_TANH_GRADIENT
    }
  }
}

extension KernelCall {
  static func pieces(_ count: Int, _ size: Int) -> Int { (count + size - 1) / size }

  /// output = function(input + second), or function(input) if second is not bound, over `count` numbers in any layout.
  public static func elementwise(
    _ function: ElementwiseFunction, count: Int, instructions: InstructionSet = .current
  ) -> KernelCall {
    var arguments = unsafe NNElementwise()
    unsafe (arguments.count, arguments.countPerTask) = (count, 16384)
    unsafe arguments.function = function.constant
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.elementwise,
      fields: [.input: \NNElementwise.first, .second: \NNElementwise.second, .output: \NNElementwise.output],
      tasks: pieces(count, 16384), algorithm: "elementwise", work: count * 4)
  }

  /// output = activation(input * scale + shift), channel by channel, blocked.
  public static func affine(
    batch: Int, channels: Int, pixels: Int, scale: [Float], shift: [Float], relu: Bool,
    instructions: InstructionSet = .current
  ) throws(OutOfMemory) -> KernelCall {
    let scale = try paddedVector(scale, count: channels)
    let shift = try paddedVector(shift, count: channels)
    let blocks = ConvolutionShape.blocks(channels)
    let planes = max(1, 16384 / (pixels * 8 + 1))
    var arguments = unsafe NNAffine()
    unsafe arguments.scale = unsafe UnsafePointer(scale.pointer)
    unsafe arguments.shift = unsafe UnsafePointer(shift.pointer)
    unsafe (arguments.batch, arguments.blocks, arguments.pixels) = (batch, blocks, pixels)
    unsafe (arguments.relu, arguments.planesPerTask) = (relu ? 1 : 0, planes)
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.affine,
      fields: [.input: \NNAffine.input, .output: \NNAffine.output],
      tasks: pieces(batch * blocks, planes), algorithm: "scale and shift", work: batch * channels * pixels * 4,
      retaining: [scale, shift])
  }

  /// The maximum or the average under a sliding window; both sides blocked. Its geometry is a convolution's.
  public static func pooling(
    _ shape: ConvolutionShape, maximum: Bool, countsPadding: Bool = false, instructions: InstructionSet = .current
  ) -> KernelCall {
    let planes = shape.batch * ConvolutionShape.blocks(shape.channels)
    let perTask = max(1, 8192 / (shape.output[0] * shape.output[1] * 8 + 1))
    var arguments = unsafe NNPooling()
    unsafe (arguments.planes, arguments.planesPerTask) = (planes, perTask)
    unsafe (arguments.inputHeight, arguments.inputWidth) = (shape.input[0], shape.input[1])
    unsafe (arguments.outputHeight, arguments.outputWidth) = (shape.output[0], shape.output[1])
    unsafe (arguments.kernelHeight, arguments.kernelWidth) = (shape.kernel[0], shape.kernel[1])
    unsafe (arguments.strideY, arguments.strideX) = (shape.stride[0], shape.stride[1])
    unsafe (arguments.padTop, arguments.padLeft) = (shape.padTop, shape.padLeft)
    unsafe (arguments.maximum, arguments.countPadding) = (maximum ? 1 : 0, countsPadding ? 1 : 0)
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.pooling,
      fields: [.input: \NNPooling.input, .output: \NNPooling.output],
      tasks: pieces(planes, perTask), algorithm: "pooling",
      work: shape.batch * shape.channels * shape.output[0] * shape.output[1] * shape.kernel[0] * shape.kernel[1])
  }

  /// The mean over the pixels of a blocked input, into a plain [batch, channels].
  public static func spatialMean(batch: Int, channels: Int, pixels: Int, instructions: InstructionSet = .current)
    -> KernelCall
  {
    let perTask = max(1, 16384 / (pixels * 8 + 1))
    var arguments = unsafe NNSpatialMean()
    unsafe (arguments.batch, arguments.channels) = (batch, channels)
    unsafe (arguments.pixels, arguments.blocksPerTask) = (pixels, perTask)
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.spatialMean,
      fields: [.input: \NNSpatialMean.input, .output: \NNSpatialMean.output],
      tasks: pieces(batch * ConvolutionShape.blocks(channels), perTask), algorithm: "mean",
      work: batch * channels * pixels)
  }

  /// Softmax over the last axis of a plain [rows, columns].
  public static func softmax(rows: Int, columns: Int, instructions: InstructionSet = .current) -> KernelCall {
    let perTask = max(1, 4096 / max(columns, 1))
    var arguments = unsafe NNSoftmax()
    unsafe (arguments.rows, arguments.columns, arguments.rowsPerTask) = (rows, columns, perTask)
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.softmax,
      fields: [.input: \NNSoftmax.input, .output: \NNSoftmax.output], tasks: pieces(rows, perTask),
      algorithm: "softmax", work: rows * columns * 8)
  }

  /// From plain to blocked, or back; `strides` are the plain side's.
  public static func reorder(
    batch: Int, channels: Int, height: Int, width: Int, strides: PlainStrides, toBlocked: Bool,
    instructions: InstructionSet = .current
  ) -> KernelCall {
    let perTask = max(1, 8192 / (height * width * 8 + 1))
    var arguments = unsafe NNReorder()
    unsafe (arguments.batch, arguments.channels) = (batch, channels)
    unsafe (arguments.height, arguments.width) = (height, width)
    unsafe (arguments.imageStride, arguments.channelStride) = (strides.image, strides.channel)
    unsafe (arguments.rowStride, arguments.pixelStride) = (strides.row, strides.pixel)
    unsafe arguments.blocksPerTask = perTask
    let table = unsafe instructions.table.pointee
    return unsafe KernelCall(
      arguments, kernel: toBlocked ? table.block : table.unblock,
      fields: [.input: \NNReorder.input, .output: \NNReorder.output],
      tasks: pieces(batch * ConvolutionShape.blocks(channels), perTask), algorithm: "layout",
      work: batch * channels * height * width * 2)
  }

  /// A blocked input's first `channels` channels (by default all) to those from `firstChannel` on of a blocked output;
  /// zeros after them if asked.
  public static func channelCopy(
    batch: Int, inputChannels: Int? = nil, channels: Int, firstChannel: Int, outputChannels: Int, pixels: Int,
    zeroFill: Bool,
    instructions: InstructionSet = .current
  ) -> KernelCall {
    var arguments = unsafe NNChannelCopy()
    unsafe (arguments.batch, arguments.channels) = (batch, channels)
    unsafe arguments.inputChannels = inputChannels ?? channels
    unsafe (arguments.firstChannel, arguments.outputChannels) = (firstChannel, outputChannels)
    unsafe (arguments.pixels, arguments.zeroFill) = (pixels, zeroFill ? 1 : 0)
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.channelCopy,
      fields: [.input: \NNChannelCopy.input, .output: \NNChannelCopy.output], tasks: batch,
      algorithm: "copy", work: batch * outputChannels * pixels)
  }
}
