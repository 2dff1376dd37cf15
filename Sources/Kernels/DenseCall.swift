import CKernels

extension KernelCall {
  /// output[m][n] = activation(sum over k of input[m][k] * weights[k][n] * scale[n] + shift[n]).
  ///
  /// `weights` has element (k, n) at k * innerStride + n * columnStride.
  public static func dense(
    rows: Int, inner: Int, columns: Int, weights: [Float], innerStride: Int, columnStride: Int, epilogue: Epilogue,
    rowsPerTask: Int, panels: Int, instructions: InstructionSet = .current
  ) throws(OutOfMemory) -> KernelCall {
    let packed = try AlignedBuffer(count: denseWeights(inner: inner, columns: columns), zeroed: false)
    let bias = try paddedVector(epilogue.shift, count: columns)
    unsafe weights.withUnsafeBufferPointer { weights in
      guard let weights = weights.baseAddress else { return }
      let pack = packDense(
        inner: inner, columns: columns, innerStride: innerStride, columnStride: columnStride,
        instructions: instructions)
      unsafe pack.bind(.input, to: weights)
      unsafe pack.bind(.output, to: packed.pointer)
      for task in 0..<pack.tasks { unsafe pack.kernel(pack.arguments, task, nil) }
    }
    if let scale = epilogue.scale {
      for column in 0..<columns {
        for k in 0..<inner {
          let place = (column / 16 * inner + k) * 16 + column % 16
          unsafe packed.pointer[place] = unsafe Float(Double(packed.pointer[place]) * scale[column])
        }
      }
    }
    let call = dense(
      rows: rows, inner: inner, columns: columns, relu: epilogue.relu, rowsPerTask: rowsPerTask, panels: panels,
      retaining: [packed, bias], instructions: instructions)
    unsafe call.bind(.weights, to: packed.pointer)
    unsafe call.bind(.bias, to: bias.pointer)
    return call
  }

  /// A matrix product whose packed right side, and plain bias, are bound like its other operands. A single row is added up
  /// in an order of its own, unless it is a part of a larger batch.
  public static func dense(
    rows: Int, inner: Int, columns: Int, relu: Bool = false, isPart: Bool = false, rowsPerTask: Int, panels: Int,
    retaining: [AlignedBuffer] = [], instructions: InstructionSet = .current
  ) -> KernelCall {
    var arguments = unsafe NNDense()
    unsafe (arguments.rows, arguments.inner, arguments.columns) = (rows, inner, columns)
    unsafe (arguments.inputStride, arguments.outputStride) = (inner, columns)
    unsafe (arguments.rowsPerTask, arguments.panels) = (max(rowsPerTask, 1), max(panels, 1))
    unsafe (arguments.relu, arguments.single) = (relu ? 1 : 0, rows == 1 && !isPart ? 1 : 0)
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.dense,
      fields: [
        .input: \NNDense.input, .weights: \NNDense.weights, .bias: \NNDense.bias, .output: \NNDense.output,
      ],
      tasks: nnDenseTasks(&arguments), algorithm: rows == 1 ? "matrix by vector" : "matrix product",
      work: rows * inner * columns, retaining: retaining)
  }

  /// The floats of a packed right side.
  public static func denseWeights(inner: Int, columns: Int) -> Int { nnDenseWeights(inner, columns) }

  /// Packs a right side whose element (k, n) is at k * innerStride + n * columnStride.
  public static func packDense(
    inner: Int, columns: Int, innerStride: Int, columnStride: Int, instructions: InstructionSet = .current
  ) -> KernelCall {
    var arguments = unsafe NNPackDense()
    unsafe (arguments.inner, arguments.columns) = (inner, columns)
    unsafe (arguments.innerStride, arguments.columnStride) = (innerStride, columnStride)
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.packDense,
      fields: [.input: \NNPackDense.input, .output: \NNPackDense.output], tasks: (columns + 15) / 16,
      algorithm: "pack", work: inner * columns)
  }

  /// [rows, columns] to [columns, rows].
  public static func transpose(rows: Int, columns: Int, instructions: InstructionSet = .current) -> KernelCall {
    var arguments = unsafe NNTranspose()
    unsafe (arguments.rows, arguments.columns) = (rows, columns)
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.transpose,
      fields: [.input: \NNTranspose.input, .output: \NNTranspose.output], tasks: 1, algorithm: "layout",
      work: rows * columns)
  }
}
