import CKernels

/// Calls whose weights are used once: they are bound as they lie, and every panel is packed in the cache where it is used,
/// so that the packed form is never written to memory.
extension KernelCall {
  /// A direct convolution, as `convolution` computes it; `.weights` is bound to the plain weights.
  public static func convolutionOnce(
    _ shape: ConvolutionShape, panels: Int, plain: PlainStrides? = nil, epilogue: Epilogue,
    instructions: InstructionSet = .current
  ) throws(OutOfMemory) -> KernelCall {
    let bias = try paddedVector(epilogue.shift, count: shape.filters)
    let method = ConvolutionMethod(.direct, strip: shape.output[0] * shape.output[1], panels: panels)
    var pack = unsafe packing(shape, method: method, plain: plain)
    unsafe pack.shape.relu = epilogue.relu ? 1 : 0
    unsafe pack.shape.bias = unsafe UnsafePointer(bias.pointer)
    var retained = [bias]
    if let scale = epilogue.scale {
      // A double takes the place of two floats.
      let factors = try AlignedBuffer(count: scale.count * 2)
      unsafe UnsafeMutableRawPointer(factors.pointer).withMemoryRebound(to: Double.self, capacity: scale.count) {
        for (index, factor) in scale.enumerated() { unsafe $0[index] = factor }
        unsafe pack.scale = unsafe UnsafePointer($0)
      }
      retained.append(factors)
    }
    return unsafe KernelCall(
      pack, kernel: instructions.table.pointee.convolutionOnce,
      fields: [
        .input: \NNPack.shape.input, .second: \NNPack.shape.residual, .weights: \NNPack.input,
        .output: \NNPack.shape.output,
      ],
      tasks: nnConvolutionTasks(&pack.shape), scratch: nnConvolutionOnceScratch(&pack),
      algorithm: "direct, packed in passing",
      work: shape.multiplyAdds, retaining: retained)
  }

  /// A matrix product, as `dense` computes it; `.weights` is bound to the plain right side, whose element (k, n) is at
  /// k * innerStride + n * columnStride.
  public static func denseOnce(
    rows: Int, inner: Int, columns: Int, innerStride: Int, columnStride: Int, shift: [Float]?, relu: Bool,
    instructions: InstructionSet = .current
  ) throws(OutOfMemory) -> KernelCall {
    let bias = try paddedVector(shift, count: columns)
    var arguments = unsafe NNDenseOnce()
    unsafe (arguments.dense.rows, arguments.dense.inner, arguments.dense.columns) = (rows, inner, columns)
    unsafe (arguments.dense.inputStride, arguments.dense.outputStride) = (inner, columns)
    unsafe (arguments.dense.relu, arguments.dense.single) = (relu ? 1 : 0, rows == 1 ? 1 : 0)
    unsafe arguments.dense.bias = unsafe UnsafePointer(bias.pointer)
    unsafe (arguments.pack.inner, arguments.pack.columns) = (inner, columns)
    unsafe (arguments.pack.innerStride, arguments.pack.columnStride) = (innerStride, columnStride)
    return unsafe KernelCall(
      arguments, kernel: instructions.table.pointee.denseOnce,
      fields: [
        .input: \NNDenseOnce.dense.input, .weights: \NNDenseOnce.pack.input, .output: \NNDenseOnce.dense.output,
      ],
      tasks: (columns + 15) / 16, scratch: inner * 16, algorithm: "matrix product, packed in passing",
      work: rows * inner * columns, retaining: [bias])
  }
}

extension KernelCall {
  /// Runs the call, and `work` as one task more of it, which the pool's threads share. `scratch` has `stride` floats for
  /// each thread.
  public func run(on pool: ThreadPool?, scratch: AlignedBuffer, stride: Int, beside work: () -> Void) {
    guard let pool, together else {
      work()
      for task in 0..<tasks { unsafe kernel(arguments, task, scratch.pointer) }
      return
    }
    withoutActuallyEscaping(work) { work in
      // The region ends before this returns, and only one of its tasks calls it.
      nonisolated(unsafe) let (call, work) = (self, work)
      pool.run(tasks: tasks + 1) { task, thread in
        guard task > 0 else { return unsafe work() }
        unsafe call.kernel(call.arguments, task - 1, scratch.pointer + thread * stride)
      }
    }
  }
}
