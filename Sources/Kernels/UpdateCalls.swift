import CKernels

/// The losses that have kernels.
public enum LossKind: Sendable {
  /// The mean of squared differences.
  case meanSquaredError
  /// The mean cross-entropy of sigmoids, over what goes into them.
  case binaryCrossEntropy
  /// The mean cross-entropy of softmaxes, over what goes into them.
  case crossEntropy

  var constant: NNLossKind {
    switch self {
    case .meanSquaredError: NN_MEAN_SQUARED_ERROR
    case .binaryCrossEntropy: NN_BINARY_CROSS_ENTROPY
    case .crossEntropy: NN_CROSS_ENTROPY
    }
  }
}

/// What a step counts beside its loss.
public enum MetricKind: Sendable {
  /// Rows whose largest score is the target's; with one score, whose score and target lie on one side of one half.
  case accuracy
  /// The sizes of all differences.
  case absoluteError
}

/// How parameters follow their gradients: the rules of `torch.optim.SGD`, `Adam` and `AdamW`.
public struct UpdateRule: Sendable, Equatable {
  /// The rules there are.
  public enum Kind: Sendable, Equatable {
    /// Gradient descent, with or without momentum.
    case sgd
    /// Adam with decay in the gradient.
    case adam
    /// Adam with decay of the parameter.
    case adamw
  }
  /// The rule.
  public var kind: Kind
  /// The rule's settings.
  public var momentum, decay, beta1, beta2, epsilon: Double
  /// Whether sgd's gradient is taken a step ahead.
  public var nesterov: Bool
  /// What the gradients' global norm is cut to, if anything.
  public var largestNorm: Double?

  /// A rule.
  public init(
    _ kind: Kind, momentum: Double = 0, nesterov: Bool = false, decay: Double = 0, beta1: Double = 0.9,
    beta2: Double = 0.999, epsilon: Double = 1e-8, largestNorm: Double? = nil
  ) {
    (self.kind, self.momentum, self.nesterov, self.decay) = (kind, momentum, nesterov, decay)
    (self.beta1, self.beta2, self.epsilon, self.largestNorm) = (beta1, beta2, epsilon, largestNorm)
  }

  /// How many numbers it keeps for each parameter's.
  public var memories: Int { kind == .sgd ? momentum == 0 ? 0 : 1 : 2 }
}

extension KernelCall {
  /// The sums of the columns of a plain [rows, columns], for each piece of the rows.
  public static func columnSum(
    rows: Int, columns: Int, pieces: BatchPieces, instructions: InstructionSet = .current
  ) -> KernelCall {
    var arguments = unsafe NNColumnSum()
    unsafe (arguments.rows, arguments.columns, arguments.pieces) = (rows, columns, pieces.arguments)
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.columnSum,
      fields: [.input: \NNColumnSum.input, .output: \NNColumnSum.output], tasks: pieces.count, algorithm: "sum",
      work: rows * columns)
  }

  /// The product of the transpose of a plain [rows, height] and a plain [rows, columns] (`second`), for each piece of the
  /// rows: [piece][height][columns].
  public static func product(
    rows: Int, height: Int, columns: Int, pieces: BatchPieces, instructions: InstructionSet = .current
  ) -> KernelCall {
    var arguments = unsafe NNProduct()
    unsafe (arguments.rows, arguments.height, arguments.columns) = (rows, height, columns)
    unsafe arguments.pieces = pieces.arguments
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.product,
      fields: [.input: \NNProduct.left, .second: \NNProduct.right, .output: \NNProduct.output],
      tasks: nnProductTasks(&arguments), scratch: nnProductScratch(), algorithm: "outer products",
      work: rows * height * columns)
  }

  /// Each piece's share of a loss of plain [rows, columns] against a target (`second`), as doubles, the mean being over
  /// `wholeRows`; and the gradient, to `output2` where that is bound.
  public static func loss(
    _ kind: LossKind, rows: Int, columns: Int, wholeRows: Int? = nil, pieces: BatchPieces,
    instructions: InstructionSet = .current
  ) -> KernelCall {
    var arguments = unsafe NNLoss()
    unsafe (arguments.rows, arguments.columns, arguments.wholeRows) = (rows, columns, wholeRows ?? rows)
    unsafe (arguments.pieces, arguments.kind) = (pieces.arguments, kind.constant)
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.loss,
      fields: [
        .input: \NNLoss.output, .second: \NNLoss.target, .output: \NNLoss.sums, .output2: \NNLoss.gradient,
      ], tasks: pieces.count, algorithm: "loss", work: rows * columns * 8)
  }

  /// Whether a dense layer on a step's input is small enough for `perceptron`.
  public static func isPerceptron(rows: Int, inner: Int, units: Int) -> Bool {
    inner <= NN_PERCEPTRON_INNER && rows <= NN_PERCEPTRON_ROWS && units <= NN_PERCEPTRON_UNITS
  }

  /// A dense layer, a sigmoid perhaps, its loss and all gradients, where everything is small: from the input and the target
  /// (`second`) in blocks of 8 rows to output, loss (`output2`) and the gradients of `weights` (`output3`) and `bias`
  /// (`output4`), which may be unbound. The loss is not a softmax's.
  public static func perceptron(
    rows: Int, inner: Int, units: Int, sigmoid: Bool, loss: LossKind, instructions: InstructionSet = .current
  ) -> KernelCall {
    var arguments = unsafe NNPerceptron()
    unsafe (arguments.rows, arguments.inner, arguments.units) = (rows, inner, units)
    unsafe (arguments.sigmoid, arguments.kind) = (sigmoid ? 1 : 0, loss.constant)
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.perceptron,
      fields: [
        .input: \NNPerceptron.input, .second: \NNPerceptron.target, .weights: \NNPerceptron.weights,
        .bias: \NNPerceptron.bias, .output: \NNPerceptron.output, .output2: \NNPerceptron.loss,
        .output3: \NNPerceptron.weightGradient, .output4: \NNPerceptron.biasGradient,
      ], tasks: 1, algorithm: "all at once", work: rows * inner * units)
  }

  /// The sum that a metric of plain [rows, columns] against a target (`second`) is made of: a double for each piece.
  public static func metric(
    _ kind: MetricKind, rows: Int, columns: Int, pieces: BatchPieces, instructions: InstructionSet = .current
  ) -> KernelCall {
    var arguments = unsafe NNMetric()
    unsafe (arguments.rows, arguments.columns) = (rows, columns)
    unsafe arguments.pieces = pieces.arguments
    unsafe arguments.kind = kind == .accuracy ? NN_ACCURACY : NN_ABSOLUTE_ERROR
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.metric,
      fields: [.input: \NNMetric.output, .second: \NNMetric.target, .output: \NNMetric.sums], tasks: pieces.count,
      algorithm: "metric", work: rows * columns)
  }

  /// running = (1 - share) * running + share * correction * batch.
  public static func track(
    count: Int, share: Double, correction: Double, instructions: InstructionSet = .current
  ) -> KernelCall {
    var arguments = unsafe NNTrack()
    unsafe (arguments.count, arguments.correction) = (count, Float(correction))
    unsafe (arguments.keep, arguments.share) = (Float(1 - share), Float(share))
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.track,
      fields: [.input: \NNTrack.batch, .output: \NNTrack.running], tasks: 1, algorithm: "running mean", work: count)
  }

  private static let countPerTask = 16384

  /// The sums of squares of pieces of all gradients, as doubles, and then the factor that cuts their norm.
  public static func clip(
    count: Int, largest: Double, instructions: InstructionSet = .current
  ) -> (squares: KernelCall, factor: KernelCall, sums: Int) {
    var arguments = unsafe NNClip()
    unsafe (arguments.count, arguments.countPerTask, arguments.largest) = (count, countPerTask, largest)
    let tasks = pieces(count, countPerTask)
    let table = unsafe instructions.table.pointee
    return unsafe (
      KernelCall(
        arguments, kernel: table.squares, fields: [.input: \NNClip.gradients, .output: \NNClip.sums], tasks: tasks,
        algorithm: "norm", work: count * 2),
      KernelCall(
        arguments, kernel: table.squaresToFactor, fields: [.input: \NNClip.sums, .output: \NNClip.factor], tasks: 1,
        algorithm: "norm", work: tasks), tasks
    )
  }

  /// Moves parameters (`output`) along their gradients (`input`), which `weights` may point at a factor for. What the rule
  /// keeps is in `output2` and `output3`. `count` is a multiple of 8.
  public static func update(
    _ rule: UpdateRule, count: Int, instructions: InstructionSet = .current
  ) -> KernelCall {
    var arguments = unsafe NNUpdate()
    unsafe (arguments.count, arguments.countPerTask) = (count, countPerTask)
    unsafe arguments.kind = rule.kind == .sgd ? NN_SGD : rule.kind == .adam ? NN_ADAM : NN_ADAMW
    unsafe (arguments.momentum, arguments.decay, arguments.epsilon) = (rule.momentum, rule.decay, rule.epsilon)
    unsafe (arguments.beta1, arguments.beta2) = (rule.beta1, rule.beta2)
    unsafe arguments.nesterov = rule.nesterov ? 1 : 0
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.update,
      fields: [
        .input: \NNUpdate.gradients, .weights: \NNUpdate.factor, .output: \NNUpdate.parameters,
        .output2: \NNUpdate.first, .output3: \NNUpdate.second, .diverged: \NNUpdate.diverged,
      ], tasks: pieces(count, countPerTask), algorithm: "one pass", work: count * 4)
  }
}

extension KernelCall {
  /// The rate, and the number of this step counted from 1, of an update.
  public func setUpdate(rate: Double, step: Int) {
    unsafe withArguments(of: NNUpdate.self) { unsafe ($0.pointee.rate, $0.pointee.step) = (rate, step) }
  }
}

/// What a plan of training leaves after each run when it is run again and again.
public struct RunRecord: Sendable {
  /// The loss of each run.
  public var losses: [Double] = []
  /// The metrics' sums of each run, one after the other.
  public var metrics: [Double] = []

  /// No runs.
  public init() {}
}

extension KernelSequence {
  /// Runs all calls once for each of `rates`, which is the rate of `update`, whose steps before were `steps`; ends early
  /// where the loss or a parameter is not finite.
  @unsafe
  public func run(
    rates: [Double], update: KernelCall, stepsBefore steps: Int, losses: UnsafePointer<Float>, lossCount: Int,
    metrics: UnsafePointer<Double>, metricCount: Int, diverged: UnsafePointer<Int32>, on pool: ThreadPool?,
    scratch: AlignedBuffer, stride: Int
  ) -> RunRecord {
    var record = RunRecord()
    record.losses = Array(repeating: 0, count: rates.count)
    record.metrics = Array(repeating: 0, count: rates.count * metricCount)
    var done = 0
    unsafe update.withArguments(of: NNUpdate.self) { arguments in
      unsafe arguments.pointee.step = steps
      var loop = unsafe NNLoop()
      unsafe (loop.update, loop.losses, loop.metrics) = unsafe (arguments, losses, metrics)
      unsafe (loop.lossCount, loop.metricCount, loop.diverged) = unsafe (lossCount, metricCount, diverged)
      unsafe rates.withUnsafeBufferPointer { rates in
        unsafe record.losses.withUnsafeMutableBufferPointer { losses in
          unsafe record.metrics.withUnsafeMutableBufferPointer { metrics in
            unsafe loop.rates = rates.baseAddress
            unsafe loop.lossHistory = losses.baseAddress
            unsafe loop.metricHistory = metrics.baseAddress
            done = unsafe repeated(&loop, times: rates.count, on: pool, scratch: scratch, stride: stride)
          }
        }
      }
    }
    record.losses.removeLast(rates.count - done)
    record.metrics.removeLast((rates.count - done) * metricCount)
    return record
  }
}
