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

  private struct NoWeights: Error {}

  @Test("a single run reads each weight once, in the order of the layers, and ends where one cannot be read")
  func weightsInTurn() throws {
    var sketch = Sketch()
    var value = sketch.input([1, 451])
    for units in [450, 457, 460, 505] { value = try sketch.dense(value, units: units) }
    sketch.graph.outputs = [value]
    let (graph, parameters) = (sketch.graph, sketch.parameters)
    var numbers = Numbers(5)
    let input = AnyTensor.float32(numbers.tensor([1, 451]))
    func run(threads: Int, failingAt bad: Int?) throws -> (read: [Int], output: Tensor<Float>?) {
      var read: [Int] = []
      do {
        let outputs = unsafe try Executor.runOnce(
          graph, [input], threads: threads, parameter: { .float32(parameters[$0]) },
          read: { index, place in
            read.append(index)
            if read.count == bad { throw NoWeights() }
            _ = unsafe place.update(fromContentsOf: parameters[index].elements)
          })
        return (read, outputs[0].converted(to: Float.self))
      } catch is NoWeights {
        return (read, nil)
      }
    }
    let alone = try run(threads: 1, failingAt: nil)
    #expect(alone.read == [0, 2, 4, 6])
    let together = try run(threads: 2, failingAt: nil)
    #expect(together.read == alone.read && together.output == alone.output)
    let kept = try Executor(graph: graph, threads: 1) { .float32(parameters[$0]) }
    let expected = try kept.run([input])[0].converted(to: Float.self)
    #expect(
      zip(try #require(alone.output).elements, expected.elements).allSatisfy { abs($0 - $1) <= 1e-4 * (1 + abs($1)) })
    for bad in 1...4 {
      let result = try run(threads: 2, failingAt: bad)
      #expect(result.output == nil && result.read == Array([0, 2, 4, 6].prefix(bad)))
    }
  }

  @Test("weights that follow one another do not overlap in their place")
  func weightPlace() throws {
    let counts = [5, 100, 7, 16, 33, 1]
    let place = try WeightPlace(counts)
    for index in counts.indices.dropLast() {
      let (one, next) = (unsafe place[index], unsafe place[index + 1])
      unsafe one.update(repeating: 1)
      unsafe next.update(repeating: 2)
      #expect(unsafe one.count == counts[index] && one.allSatisfy { $0 == 1 })
    }
  }
}
