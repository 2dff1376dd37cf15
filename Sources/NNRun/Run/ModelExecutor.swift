import Diagnostics
import Engine
import Graph
import Layers
import ModelFile
import Tensors
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

  /// Runs a graph of a float32 model once, its large parameters read as they are needed.
  static func runOnce(
    _ graph: Graph, _ inputs: [AnyTensor], model: Model, threads: Int?
  ) throws(Failure) -> [AnyTensor] {
    do {
      return unsafe try runOnce(
        graph, inputs, threads: threads ?? processorCount(), parameter: { try model.value(of: $0) },
        read: { unsafe try model.readValue(of: $0, into: $1) })
    } catch {
      throw Failure(engine: error)
    }
  }
}

extension Model {
  /// The graph of a run with the symbols' sizes put in.
  func inferenceGraph(sizes: [String: Int]) throws(Failure) -> Graph { try graph.bound(to: sizes, of: self) }
}

extension Graph {
  /// A graph of a model with the symbols' sizes put in; what does not work is said in the author's terms.
  func bound(to sizes: [String: Int], of model: Model) throws(Failure) -> Graph {
    do throws(BindingError) {
      return try bound(sizes)
    } catch {
      let symbols = sizes.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }.joined(separator: ", ")
      let message = error.error.message.text(presenting: model.layout.presented)
      throw Failure(.invalidData, "with \(symbols), layer `\(error.label)` does not work: \(message)")
    }
  }
}
