import Graph
import Tensors
import Testing

@Suite("Graphs")
struct GraphTests {
  /// relu(x w^T) and tanh(x w^T), both outputs.
  private func twoHeads() throws -> (graph: Graph, x: ValueID, weight: ValueID) {
    var graph = Graph()
    let x = graph.addInput([.symbol("N"), .fixed(2)])
    let weight = graph.addParameter([.fixed(3), .fixed(2)])
    let product = try graph.apply(MatrixProduct(transposesRight: true), to: [x, weight], label: "dense")[0]
    let relu = try graph.apply(Relu(), to: [product], label: "relu")[0]
    let tanh = try graph.apply(Tanh(), to: [product], label: "tanh")[0]
    graph.outputs = [relu, tanh]
    return (graph, x, weight)
  }

  @Test("a graph cut to one output keeps what that output needs, and computes the same")
  func reduction() throws {
    let graph = try twoHeads().graph
    let cut = graph.reduced(to: [graph.outputs[0]])
    #expect(cut.steps.map(\.label) == ["dense", "relu"])
    let inputs = [tensor([1, 2], [1, 2])]
    let parameters = [tensor([3, 2], [1, 0, 0, -1, 1, 1])]
    #expect(cut.evaluate(inputs: inputs, parameters: parameters) == [tensor([1, 3], [1, 0, 3])])
    #expect(
      graph.evaluate(inputs: inputs, parameters: parameters)[0]
        == cut.evaluate(inputs: inputs, parameters: parameters)[0]
    )
  }

  @Test("binding a symbol gives every shape its numbers")
  func binding() throws {
    let graph = try twoHeads().graph
    #expect(graph.shape(graph.outputs[0]) == [.symbol("N"), .fixed(3)])
    let bound = try graph.bound(["N": 5])
    #expect(bound.shapes.allSatisfy { $0.sizes != nil })
    #expect(bound.shape(bound.outputs[1]) == [.fixed(5), .fixed(3)])
  }

  @Test("a size that does not fit is an error that names the layer")
  func bindingError() throws {
    var graph = Graph()
    let x = graph.addInput([.fixed(1), .fixed(1), .symbol("H"), .fixed(9)])
    let weight = graph.addParameter([1, 1, 3, 3].map { .fixed($0) })
    graph.outputs = try graph.apply(
      Convolution(window: Window(kernel: [3, 3])), to: [x, weight], label: "stem")
    let error = #expect(throws: BindingError.self) { try graph.bound(["H": 2]) }
    #expect(error?.label == "stem")
    #expect(try graph.bound(["H": 3]).shape(graph.outputs[0]).sizes == [1, 1, 1, 7])
  }

  @Test("a parameter that is used twice gets the sum of its gradients")
  func sharedParameter() throws {
    var graph = Graph()
    let x = graph.addInput([.fixed(1), .fixed(1)])
    let target = graph.addInput([.fixed(1), .fixed(1)])
    let weight = graph.addParameter([.fixed(1), .fixed(1)])
    let once = try graph.apply(MatrixProduct(), to: [x, weight], label: "a")[0]
    let twice = try graph.apply(MatrixProduct(), to: [once, weight], label: "b")[0]
    let loss = try graph.apply(MeanSquaredError(), to: [twice, target], label: "loss")[0]
    graph.outputs = [try #require(try graph.addGradients(of: [loss], withRespectTo: [weight])[0])]
    // d/dw (x w^2 - t)^2 = 2 (x w^2 - t) 2 x w = 2 (12 - 2) 2 * 3 * 2.
    let gradient = graph.evaluate(
      inputs: [tensor([1, 1], [3]), tensor([1, 1], [2])], parameters: [tensor([1, 1], [2])])
    #expect(gradient == [tensor([1, 1], [240])])
  }

  @Test("several losses give the gradient of their sum, and a value that no loss needs has none")
  func severalLosses() throws {
    var (graph, _, weight) = try twoHeads()
    graph = try graph.bound(["N": 1])
    let unused = graph.addParameter([.fixed(1)])
    var losses: [ValueID] = []
    var separate: [Tensor<Double>] = []
    let inputs = [tensor([1, 2], [1, 2]), tensor([1, 3], [1, 1, 1])]
    let parameters = [tensor([3, 2], [1, 0, 0, -1, 1, 1]), tensor([1], [0])]
    let target = graph.addInput([.fixed(1), .fixed(3)])
    for output in graph.outputs {
      losses.append(try graph.apply(MeanSquaredError(), to: [output, target], label: "loss")[0])
      var single = graph
      single.outputs = [
        try #require(try single.addGradients(of: [losses[losses.count - 1]], withRespectTo: [weight])[0])
      ]
      separate += single.evaluate(inputs: inputs, parameters: parameters)
    }
    let gradients = try graph.addGradients(of: losses, withRespectTo: [weight, unused])
    #expect(gradients[1] == nil)
    graph.outputs = [try #require(gradients[0])]
    let sum = Add().evaluate(separate)[0]
    #expect(distance(graph.evaluate(inputs: inputs, parameters: parameters)[0], sum) < 1e-15)
  }

  @Test("gradients are built only for what leads to the values asked for")
  func economy() throws {
    var (graph, _, weight) = try twoHeads()
    let target = graph.addInput([.symbol("N"), .fixed(3)])
    let loss = try graph.apply(MeanSquaredError(), to: [graph.outputs[0], target], label: "loss")[0]
    let count = graph.steps.count
    _ = try graph.addGradients(of: [loss], withRespectTo: [weight])
    // The loss, the rectifier, the weight: neither the other head nor the input's gradient.
    #expect(graph.steps.count == count + 3)
  }

  @Test("a target has no gradient, and saying so is an error")
  func targetGradient() throws {
    var graph = Graph()
    let x = graph.addInput([.fixed(1), .fixed(1)])
    let target = graph.addInput([.fixed(1), .fixed(1)])
    let loss = try graph.apply(MeanSquaredError(), to: [x, target], label: "loss")[0]
    #expect(throws: ShapeError.self) { try graph.addGradients(of: [loss], withRespectTo: [target]) }
  }
}
