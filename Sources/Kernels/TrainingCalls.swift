import CKernels

extension KernelCall {
  /// The gradient of a convolution's weights, plain [filters, channels, kernel...], from the blocked input and the blocked
  /// gradient (`second`) of the result. Only for one group.
  public static func filterGradient(_ shape: ConvolutionShape, instructions: InstructionSet = .current) -> KernelCall {
    var arguments = unsafe NNFilterGradient()
    unsafe (arguments.batch, arguments.channels, arguments.filters) = (shape.batch, shape.channels, shape.filters)
    unsafe (arguments.inputHeight, arguments.inputWidth) = (shape.input[0], shape.input[1])
    unsafe (arguments.outputHeight, arguments.outputWidth) = (shape.output[0], shape.output[1])
    unsafe (arguments.kernelHeight, arguments.kernelWidth) = (shape.kernel[0], shape.kernel[1])
    unsafe (arguments.strideY, arguments.strideX) = (shape.stride[0], shape.stride[1])
    unsafe (arguments.dilationY, arguments.dilationX) = (shape.dilation[0], shape.dilation[1])
    unsafe (arguments.padTop, arguments.padLeft) = (shape.padTop, shape.padLeft)
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.filterGradient,
      fields: [
        .input: \NNFilterGradient.input, .second: \NNFilterGradient.gradient, .output: \NNFilterGradient.output,
      ],
      tasks: nnFilterGradientTasks(&arguments), scratch: nnFilterGradientScratch(&arguments),
      algorithm: "outer products", work: shape.multiplyAdds)
  }

  /// Normalisation by the batch's statistics, blocked, with residual (`second`) and relu: output, mean and variance.
  public static func normalize(
    batch: Int, channels: Int, pixels: Int, epsilon: Double, relu: Bool, instructions: InstructionSet = .current
  ) -> KernelCall {
    var arguments = unsafe NNNormalize()
    unsafe (arguments.batch, arguments.channels, arguments.pixels) = (batch, channels, pixels)
    unsafe (arguments.epsilon, arguments.relu) = (epsilon, relu ? 1 : 0)
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.normalize,
      fields: [
        .input: \NNNormalize.input, .weights: \NNNormalize.gamma, .bias: \NNNormalize.beta,
        .second: \NNNormalize.residual, .output: \NNNormalize.output, .output2: \NNNormalize.mean,
        .output3: \NNNormalize.variance,
      ],
      tasks: ConvolutionShape.blocks(channels), algorithm: "batch statistics", work: batch * channels * pixels * 4)
  }

  /// The gradients of such a normalisation: of its operand, of gamma, and of beta.
  public static func normalizeGradient(
    batch: Int, channels: Int, pixels: Int, epsilon: Double, instructions: InstructionSet = .current
  ) -> KernelCall {
    var arguments = unsafe NNNormalizeGradient()
    unsafe (arguments.batch, arguments.channels, arguments.pixels) = (batch, channels, pixels)
    unsafe arguments.epsilon = epsilon
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.normalizeGradient,
      fields: [
        .input: \NNNormalizeGradient.gradient, .second: \NNNormalizeGradient.input,
        .weights: \NNNormalizeGradient.gamma, .mean: \NNNormalizeGradient.mean,
        .variance: \NNNormalizeGradient.variance, .activated: \NNNormalizeGradient.activated,
        .output: \NNNormalizeGradient.output, .output2: \NNNormalizeGradient.gammaGradient,
        .output3: \NNNormalizeGradient.betaGradient,
      ],
      tasks: ConvolutionShape.blocks(channels), algorithm: "batch statistics", work: batch * channels * pixels * 4)
  }

  /// The sums over batch and pixels of a blocked input, into a plain [channels].
  public static func channelSum(batch: Int, channels: Int, pixels: Int, instructions: InstructionSet = .current)
    -> KernelCall
  {
    var arguments = unsafe NNChannelSum()
    unsafe (arguments.batch, arguments.channels, arguments.pixels) = (batch, channels, pixels)
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.channelSum,
      fields: [.input: \NNChannelSum.input, .output: \NNChannelSum.output],
      tasks: ConvolutionShape.blocks(channels), algorithm: "sum", work: batch * channels * pixels)
  }

  /// A blocked [height, width] of zeros with the input's pixels at every stride-th place.
  public static func spread(
    batch: Int, channels: Int, input: [Int], output: [Int], stride: [Int], instructions: InstructionSet = .current
  ) -> KernelCall {
    var arguments = unsafe NNSpread()
    unsafe arguments.planes = batch * ConvolutionShape.blocks(channels)
    unsafe (arguments.inputHeight, arguments.inputWidth) = (input[0], input[1])
    unsafe (arguments.outputHeight, arguments.outputWidth) = (output[0], output[1])
    unsafe (arguments.strideY, arguments.strideX) = (stride[0], stride[1])
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.spread,
      fields: [.input: \NNSpread.input, .output: \NNSpread.output], tasks: arguments.planes, algorithm: "layout",
      work: batch * channels * output[0] * output[1])
  }

  /// The gradient of a maximum pooling from the gradient of its result and its operand (`second`); blocked.
  public static func maximumGradient(_ shape: ConvolutionShape, instructions: InstructionSet = .current) -> KernelCall {
    var arguments = unsafe NNMaximumGradient()
    unsafe arguments.shape.planes = shape.batch * ConvolutionShape.blocks(shape.channels)
    unsafe (arguments.shape.inputHeight, arguments.shape.inputWidth) = (shape.input[0], shape.input[1])
    unsafe (arguments.shape.outputHeight, arguments.shape.outputWidth) = (shape.output[0], shape.output[1])
    unsafe (arguments.shape.kernelHeight, arguments.shape.kernelWidth) = (shape.kernel[0], shape.kernel[1])
    unsafe (arguments.shape.strideY, arguments.shape.strideX) = (shape.stride[0], shape.stride[1])
    unsafe (arguments.shape.padTop, arguments.shape.padLeft) = (shape.padTop, shape.padLeft)
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.maximumGradient,
      fields: [
        .input: \NNMaximumGradient.gradient, .second: \NNMaximumGradient.input, .output: \NNMaximumGradient.output,
      ],
      tasks: arguments.shape.planes, algorithm: "pooling",
      work: shape.batch * shape.channels * shape.output[0] * shape.output[1] * shape.kernel[0] * shape.kernel[1])
  }

  /// The gradient of the mean over pixels: a plain [batch, channels] to all pixels of a blocked output, divided.
  public static func spatialMeanGradient(
    batch: Int, channels: Int, pixels: Int, instructions: InstructionSet = .current
  ) -> KernelCall {
    let perTask = max(1, 16384 / (pixels * 8 + 1))
    var arguments = unsafe NNSpatialMean()
    unsafe (arguments.batch, arguments.channels) = (batch, channels)
    unsafe (arguments.pixels, arguments.blocksPerTask) = (pixels, perTask)
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.spatialMeanGradient,
      fields: [.input: \NNSpatialMean.input, .output: \NNSpatialMean.output],
      tasks: pieces(batch * ConvolutionShape.blocks(channels), perTask), algorithm: "mean",
      work: batch * channels * pixels)
  }
}
