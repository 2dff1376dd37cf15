import Graph
import Kernels
import Tensors

/// One thing that an executor does.
struct PlannedStep {
  enum Body {
    /// A kernel over buffers.
    case kernel(
      KernelCall, reads: [(KernelCall.Operand, BufferID)], writes: [(KernelCall.Operand, BufferID)])
    /// The operation's own evaluation, for what has no kernel. An output that has fewer rows than the result takes those
    /// from `firstRow` on.
    case evaluation(any Operation, inputs: [Operand], outputs: [BufferID], firstRow: Int = 0)
    /// Ranks begin to bring something together.
    case begin(Exchange)
    /// It is waited for.
    case finish(Exchange)
  }
  /// An operand of an evaluation.
  enum Operand {
    case buffer(BufferID, shape: [Int])
    case constant(Tensor<Float>)
  }
  let description: PlanStep
  let body: Body
  /// The parameter that is the kernel's plain weights, where they are read only when the step comes.
  var onceParameter: Int?

  var reads: [BufferID] {
    switch body {
    case .kernel(_, let reads, _): reads.map(\.1)
    case .evaluation(_, let inputs, _, _):
      inputs.compactMap { if case .buffer(let buffer, _) = $0 { buffer } else { nil } }
    case .begin(let exchange): [exchange.source]
    case .finish(let exchange): [exchange.target]
    }
  }

  var writes: [BufferID] {
    switch body {
    case .kernel(_, _, let writes): writes.map(\.1)
    case .evaluation(_, _, let outputs, _): outputs
    case .begin(let exchange), .finish(let exchange): [exchange.target]
    }
  }
}
