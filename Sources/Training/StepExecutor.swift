import Diagnostics
import Engine
import Graph
import Tensors

/// Executes a graph of known shapes again and again, with new inputs and parameters each time: float32 by the engine,
/// float64 by the operations' own evaluation.
final class StepExecutor<Scalar: TensorScalar> {
  private let graph: Graph
  private let engine: Executor?

  /// Throws where the graph needs more memory than there is.
  init(_ graph: Graph, threads: Int?) throws(Failure) {
    self.graph = graph
    guard Scalar.elementType == .float32 else {
      engine = nil
      return
    }
    do throws(EngineError) {
      engine = try Executor(graph: graph, parametersVaryWithThreads: threads ?? processorCount())
    } catch {
      throw Failure(engine: error)
    }
  }

  /// The outputs, in the graph's order.
  func run(inputs: [Tensor<Scalar>], parameters: [Tensor<Scalar>]) throws(Failure) -> [Tensor<Scalar>] {
    guard let engine else { return graph.evaluate(inputs: inputs, parameters: parameters) }
    do throws(EngineError) {
      return try engine.run((inputs + parameters).map(\.erased)).map { $0.converted(to: Scalar.self) }
    } catch {
      throw Failure(engine: error)
    }
  }
}
