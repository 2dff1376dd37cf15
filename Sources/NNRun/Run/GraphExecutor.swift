import Diagnostics
import Graph
import ModelFile
import Tensors

/// Executes a graph of known shapes: float64 by the operations' own evaluation, float32 by the engine.
enum GraphExecutor {
  case reference32(Graph, [Tensor<Float>])
  case reference64(Graph, [Tensor<Double>])

  init(_ graph: Graph, model: Model, threads: Int?) throws(Failure) {
    let used = Set(graph.steps.flatMap(\.inputs) + graph.outputs)
    var parameters: [AnyTensor] = []
    for (index, value) in graph.parameters.enumerated() {
      // A parameter of a layer that is not run is never looked at.
      let empty = AnyTensor(zeros: [0], elementType: model.elementType)
      parameters.append(used.contains(value) ? try model.value(of: index) : empty)
    }
    switch model.elementType {
    case .float32: self = .reference32(graph, parameters.map { $0.converted(to: Float.self) })
    case .float64: self = .reference64(graph, parameters.map { $0.converted(to: Double.self) })
    }
  }

  func run(_ inputs: [AnyTensor]) throws(Failure) -> [AnyTensor] {
    switch self {
    case .reference32(let graph, let parameters):
      graph.evaluate(inputs: inputs.map { $0.converted(to: Float.self) }, parameters: parameters).map { .float32($0) }
    case .reference64(let graph, let parameters):
      graph.evaluate(inputs: inputs.map { $0.converted(to: Double.self) }, parameters: parameters).map { .float64($0) }
    }
  }
}
