import Graph
import Tensors

/// Executes a graph of known shapes again and again, with new inputs and parameters each time.
final class StepExecutor<Scalar: TensorScalar> {
  private let graph: Graph

  init(_ graph: Graph, threads: Int?) { self.graph = graph }

  /// The outputs, in the graph's order.
  func run(inputs: [Tensor<Scalar>], parameters: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    graph.evaluate(inputs: inputs, parameters: parameters)
  }
}
