import Diagnostics
import Engine
import Graph
import ModelFile
import Training

extension Executor {
  /// Compiles a graph of a model, its parameters read one at a time.
  convenience init(_ graph: Graph, model: Model, threads: Int?) throws(Failure) {
    do {
      try self.init(
        graph: graph, elementType: model.elementType, threads: threads ?? processorCount(),
        parameter: { try model.value(of: $0) })
    } catch {
      throw Failure(engine: error)
    }
  }
}
