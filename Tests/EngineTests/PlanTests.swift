import Graph
import Tensors
import Testing

@testable import Engine

@Suite("Plans")
struct PlanTests {
  @Test("buffers that live at once do not overlap, those that do not share")
  func memory() {
    let plan = MemoryPlan(sizes: [100, 50, 100, 10], lifetimes: [0...1, 1...2, 2...3, nil])
    #expect(plan.offsets[3] == nil)
    #expect(plan.offsets[0] == plan.offsets[2])
    #expect(plan.offsets[0] != plan.offsets[1])
    #expect(plan.count < 250)
  }

  @Test("normalisation, bias, residual and relu go into the convolution")
  func fusion() throws {
    var sketch = Sketch()
    let x = sketch.input([1, 8, 12, 12])
    let y = try sketch.apply(Relu(), try sketch.normalised(try sketch.convolution(x, filters: 8)))
    let z = try sketch.normalised(try sketch.convolution(y, filters: 8))
    let sum = try sketch.apply(Relu(), try sketch.apply(Add(), z, y))
    sketch.graph.outputs = [try sketch.apply(SpatialMean(), sum)]
    let parameters = sketch.parameters
    let executor = try Executor(graph: sketch.graph, threads: 1) { .float32(parameters[$0]) }
    #expect(
      executor.plan.map(\.operations) == [
        "convolution+batchnormalization+relu", "convolution+batchnormalization+add+relu", "mean",
      ])
    #expect(executor.plan[0].multiplyAdds == 8 * 8 * 9 * 144)
    #expect(executor.plan.map(\.shape) == [[1, 8, 12, 12], [1, 8, 12, 12], [1, 8]])
  }

  @Test("a chain of layers needs the memory of two values")
  func chain() throws {
    var sketch = Sketch()
    var value = sketch.input([1, 16, 64, 64])
    for _ in 0..<6 { value = try sketch.convolution(value, filters: 16, kernel: [1, 1]) }
    sketch.graph.outputs = [try sketch.apply(SpatialMean(), value)]
    let parameters = sketch.parameters
    let executor = try Executor(graph: sketch.graph, threads: 1) { .float32(parameters[$0]) }
    #expect(executor.arenaBytes < 3 * 16 * 64 * 64 * 4)
  }
}
