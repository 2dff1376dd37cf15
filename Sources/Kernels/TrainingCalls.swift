import CKernels

extension KernelCall {
  /// The gradient of a convolution's weights, from the blocked input and the blocked gradient (`second`) of the result, for
  /// each piece of the batch: [piece][filters][channels / groups][kernel...].
  public static func filterGradient(
    _ shape: ConvolutionShape, pieces: BatchPieces, instructions: InstructionSet = .current
  ) -> KernelCall {
    var arguments = unsafe filterGradientArguments(shape, pieces: pieces)
    let fields: Fields<NNFilterGradient> = unsafe [
      .input: \NNFilterGradient.input, .second: \NNFilterGradient.gradient, .output: \NNFilterGradient.output,
    ]
    let table = unsafe instructions.table.pointee
    if shape.isDepthwise {
      return unsafe KernelCall(
        arguments, kernel: table.depthwiseGradient, fields: fields,
        tasks: pieces.count * ConvolutionShape.blocks(shape.channels), scratch: shape.kernel[0] * shape.kernel[1] * 8,
        algorithm: "depthwise", work: shape.multiplyAdds)
    }
    return unsafe KernelCall(
      arguments, kernel: table.filterGradient, fields: fields, tasks: nnFilterGradientTasks(&arguments),
      scratch: nnFilterGradientScratch(&arguments),
      algorithm: nnFilterGradientByTiles(&arguments) != 0 ? "winograd F(4x4, 3x3)" : "outer products",
      work: shape.multiplyAdds)
  }

  /// How the batch is cut for such a gradient: into pieces enough for some threads, or where each has so many pixels that
  /// sums of its own cost next to nothing, for machines that share the batch; but few where the weights are large compared
  /// with the activations, whose traffic they would exceed, or where a piece would be too small for the algorithm.
  public static func filterGradientPieces(_ shape: ConvolutionShape) -> BatchPieces {
    var arguments = unsafe filterGradientArguments(shape, pieces: BatchPieces(batch: shape.batch, atMost: 1))
    let tasks = shape.isDepthwise ? ConvolutionShape.blocks(shape.channels) : unsafe nnFilterGradientTasks(&arguments)
    let byTiles = unsafe nnFilterGradientByTiles(&arguments)
    let weights = shape.filters * shape.channels / shape.groups * shape.kernel[0] * shape.kernel[1]
    let activations =
      shape.batch
      * (shape.channels * shape.input[0] * shape.input[1] + shape.filters * shape.output[0] * shape.output[1])
    var pieces = BatchPieces(
      batch: shape.batch,
      atMost: max(
        min((16 + tasks - 1) / max(tasks, 1), activations / max(weights, 1)),
        shape.batch * shape.output[0] * shape.output[1] / 1024))
    func changesAlgorithm() -> Bool {
      unsafe arguments.pieces = pieces.arguments
      return unsafe nnFilterGradientByTiles(&arguments) != byTiles
    }
    while pieces.count > 1, changesAlgorithm() { pieces = BatchPieces(batch: shape.batch, atMost: pieces.count / 2) }
    return pieces
  }

  private static func filterGradientArguments(_ shape: ConvolutionShape, pieces: BatchPieces) -> NNFilterGradient {
    var arguments = unsafe NNFilterGradient()
    unsafe (arguments.batch, arguments.channels, arguments.filters) = (shape.batch, shape.channels, shape.filters)
    unsafe (arguments.groups, arguments.bundles) = (shape.groups, shape.mergedGroups)
    unsafe arguments.pieces = pieces.arguments
    unsafe (arguments.inputHeight, arguments.inputWidth) = (shape.input[0], shape.input[1])
    unsafe (arguments.outputHeight, arguments.outputWidth) = (shape.output[0], shape.output[1])
    unsafe (arguments.kernelHeight, arguments.kernelWidth) = (shape.kernel[0], shape.kernel[1])
    unsafe (arguments.strideY, arguments.strideX) = (shape.stride[0], shape.stride[1])
    unsafe (arguments.dilationY, arguments.dilationX) = (shape.dilation[0], shape.dilation[1])
    unsafe (arguments.padTop, arguments.padLeft) = (shape.padTop, shape.padLeft)
    return unsafe arguments
  }

  /// The sum of the pieces of [piece][count], by a binary tree; at most 8.
  public static func combine(count: Int, pieces: Int, instructions: InstructionSet = .current) -> KernelCall {
    var arguments = unsafe NNCombine()
    unsafe (arguments.count, arguments.pieces, arguments.countPerTask) = (count, pieces, 16384)
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.combine,
      fields: [.input: \NNCombine.input, .output: \NNCombine.output], tasks: Self.pieces(count, 16384),
      algorithm: "tree", work: count * pieces)
  }

  /// The same in double precision, `count` doubles; the first `narrowed` of the sums as floats too, in `output2`.
  public static func combineDoubles(
    count: Int, pieces: Int, narrowed: Int = 0, instructions: InstructionSet = .current
  ) -> KernelCall {
    var arguments = unsafe NNCombineDoubles()
    unsafe (arguments.count, arguments.pieces, arguments.narrowedCount) = (count, pieces, narrowed)
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.combineDoubles,
      fields: [
        .input: \NNCombineDoubles.input, .output: \NNCombineDoubles.output, .output2: \NNCombineDoubles.narrowed,
      ], tasks: 1, algorithm: "tree", work: count * pieces)
  }

  /// The floats that hold the double sums of one piece: two for each channel.
  public static func momentsCount(channels: Int) -> Int { ConvolutionShape.blocks(channels) * 8 * 2 * 2 }

  /// The sums of a blocked input and of its squares, in double precision, for each piece of the batch.
  public static func moments(
    batch: Int, channels: Int, pixels: Int, pieces: BatchPieces, instructions: InstructionSet = .current
  ) -> KernelCall {
    moments(
      batch: batch, channels: channels, pixels: pixels, pieces: pieces, isGradient: false, instructions: instructions)
  }

  /// The sums of a blocked gradient (`input`), masked where `activated` is not positive, and of its products with an
  /// activation (`second`) less its mean; the masked gradient goes to `output2`. All but the gradient may be unbound.
  public static func gradientMoments(
    batch: Int, channels: Int, pixels: Int, pieces: BatchPieces, instructions: InstructionSet = .current
  ) -> KernelCall {
    moments(
      batch: batch, channels: channels, pixels: pixels, pieces: pieces, isGradient: true, instructions: instructions)
  }

  private static func moments(
    batch: Int, channels: Int, pixels: Int, pieces: BatchPieces, isGradient: Bool, instructions: InstructionSet
  ) -> KernelCall {
    var arguments = unsafe NNMoments()
    unsafe (arguments.batch, arguments.channels, arguments.pixels) = (batch, channels, pixels)
    unsafe arguments.pieces = pieces.arguments
    let table = unsafe instructions.table.pointee
    var fields: Fields<NNMoments> = unsafe [.input: \NNMoments.input, .output: \NNMoments.sums]
    if isGradient {
      unsafe fields = [
        .input: \NNMoments.gradient, .second: \NNMoments.input, .activated: \NNMoments.activated,
        .mean: \NNMoments.mean, .output: \NNMoments.sums, .output2: \NNMoments.masked,
      ]
    }
    return unsafe KernelCall(
      arguments, kernel: isGradient ? table.gradientMoments : table.moments, fields: fields,
      tasks: pieces.count * ConvolutionShape.blocks(channels), algorithm: "sums", work: batch * channels * pixels * 2)
  }

  /// Mean (`output2`), variance (`output3`) and the factors of a normalisation, from sums over `count` numbers a channel.
  public static func momentsToScale(
    channels: Int, count: Int, epsilon: Double, instructions: InstructionSet = .current
  ) -> KernelCall {
    unsafe normalization(
      channels: channels, count: count, epsilon: epsilon, kernel: instructions.table.pointee.momentsToScale,
      fields: [
        .input: \NNNormalization.sums, .weights: \NNNormalization.gamma, .bias: \NNNormalization.beta,
        .output: \NNNormalization.factors, .output2: \NNNormalization.mean, .output3: \NNNormalization.variance,
      ])
  }

  /// The gradients of gamma (`output2`) and beta (`output3`), and the factors of the operand's gradient.
  public static func momentsToGradient(
    channels: Int, count: Int, epsilon: Double, instructions: InstructionSet = .current
  ) -> KernelCall {
    unsafe normalization(
      channels: channels, count: count, epsilon: epsilon, kernel: instructions.table.pointee.momentsToGradient,
      fields: [
        .input: \NNNormalization.sums, .weights: \NNNormalization.gamma, .mean: \NNNormalization.mean,
        .variance: \NNNormalization.variance, .output: \NNNormalization.factors,
        .output2: \NNNormalization.gammaGradient, .output3: \NNNormalization.betaGradient,
      ])
  }

  private static func normalization(
    channels: Int, count: Int, epsilon: Double, kernel: NNKernel, fields: Fields<NNNormalization>
  ) -> KernelCall {
    var arguments = unsafe NNNormalization()
    unsafe (arguments.channels, arguments.count, arguments.epsilon) = (channels, Double(count), epsilon)
    return unsafe KernelCall(
      arguments, kernel: kernel, fields: fields, tasks: ConvolutionShape.blocks(channels), algorithm: "statistics",
      work: channels)
  }

  /// The floats of a normalisation's factors, and of its gradient's.
  public static func factorsCount(channels: Int) -> Int { ConvolutionShape.blocks(channels) * 32 }

  /// activation(input * factor + summand + residual), blocked, with the factors (`weights`) of `momentsToScale`.
  public static func normalize(
    batch: Int, channels: Int, pixels: Int, relu: Bool, instructions: InstructionSet = .current
  ) -> KernelCall {
    unsafe normalize(
      batch: batch, channels: channels, pixels: pixels, relu: relu, kernel: instructions.table.pointee.normalize,
      fields: [
        .input: \NNNormalize.input, .weights: \NNNormalize.factors, .second: \NNNormalize.residual,
        .output: \NNNormalize.output,
      ])
  }

  /// The gradient of a normalisation's operand (`second`) from that of its result, with the factors of
  /// `momentsToGradient`; masked where `activated` is not positive.
  public static func normalizeGradient(
    batch: Int, channels: Int, pixels: Int, instructions: InstructionSet = .current
  ) -> KernelCall {
    unsafe normalize(
      batch: batch, channels: channels, pixels: pixels, relu: false,
      kernel: instructions.table.pointee.normalizeGradient,
      fields: [
        .input: \NNNormalize.gradient, .weights: \NNNormalize.factors, .second: \NNNormalize.input,
        .activated: \NNNormalize.activated, .output: \NNNormalize.output,
      ])
  }

  private static func normalize(
    batch: Int, channels: Int, pixels: Int, relu: Bool, kernel: NNKernel, fields: Fields<NNNormalize>
  ) -> KernelCall {
    let perTask = max(1, 16384 / (pixels * 8 + 1))
    var arguments = unsafe NNNormalize()
    unsafe (arguments.batch, arguments.channels, arguments.pixels) = (batch, channels, pixels)
    unsafe (arguments.relu, arguments.planesPerTask) = (relu ? 1 : 0, perTask)
    return unsafe KernelCall(
      arguments, kernel: kernel, fields: fields,
      tasks: Self.pieces(batch * ConvolutionShape.blocks(channels), perTask), algorithm: "batch statistics",
      work: batch * channels * pixels * 4)
  }

  /// Packs the weights of a depthwise convolution, plain [channels, 1, kernel...]; turned round with `transposed`, as the
  /// gradient of its input needs them.
  public static func packDepthwise(
    _ shape: ConvolutionShape, transposed: Bool, instructions: InstructionSet = .current
  ) -> KernelCall {
    var arguments = unsafe NNPack()
    unsafe (arguments.filters, arguments.reversed) = (shape.channels, transposed ? 1 : 0)
    unsafe arguments.filterStride = shape.kernel[0] * shape.kernel[1]
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.packDepthwise,
      fields: [.input: \NNPack.input, .output: \NNPack.output], tasks: 1, algorithm: "pack",
      work: shape.channels * shape.kernel[0] * shape.kernel[1])
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
