import CKernels

extension KernelCall {
  /// output[m][n] = activation(sum over k of input[m][k] * weights[n][k] * scale[n] + shift[n]).
  ///
  /// `weights` has element (k, n) at k * innerStride + n * columnStride.
  public static func dense(
    rows: Int, inner: Int, columns: Int, weights: [Float], innerStride: Int, columnStride: Int, epilogue: Epilogue,
    rowsPerTask: Int, panels: Int, instructions: InstructionSet = .current
  ) throws(OutOfMemory) -> KernelCall {
    let packed = try AlignedBuffer(count: nnDenseWeights(inner, columns))
    let bias = try paddedVector(epilogue.shift, count: columns)
    unsafe weights.withUnsafeBufferPointer { weights in
      guard let weights = weights.baseAddress else { return }
      unsafe instructions.table.pointee.packDense(weights, inner, columns, innerStride, columnStride, packed.pointer)
    }
    if let scale = epilogue.scale {
      for column in 0..<columns {
        for k in 0..<inner {
          let place = (column / 16 * inner + k) * 16 + column % 16
          unsafe packed.pointer[place] = unsafe Float(Double(packed.pointer[place]) * scale[column])
        }
      }
    }
    var arguments = unsafe NNDense()
    unsafe arguments.weights = unsafe UnsafePointer(packed.pointer)
    unsafe arguments.bias = unsafe UnsafePointer(bias.pointer)
    unsafe (arguments.rows, arguments.inner, arguments.columns) = (rows, inner, columns)
    unsafe (arguments.inputStride, arguments.outputStride) = (inner, columns)
    unsafe (arguments.rowsPerTask, arguments.panels) = (max(rowsPerTask, 1), max(panels, 1))
    unsafe arguments.relu = epilogue.relu ? 1 : 0
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.dense,
      fields: Fields(input: \NNDense.input, second: nil, output: \NNDense.output), tasks: nnDenseTasks(&arguments),
      algorithm: rows == 1 ? "matrix by vector" : "matrix product",
      work: rows * inner * columns, retaining: [packed, bias])
  }
}
