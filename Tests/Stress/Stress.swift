import Engine
import Glibc
import Graph
import Kernels
import Tensors

/// Work for the thread sanitizer (`make sanitize-thread`): pools and executors of several threads, run again and again,
/// side by side, made and ended. `swift test` does not show races; a program of its own does.
@main
enum Stress {
  static func main() throws {
    let rounds = CommandLine.arguments.count > 1 ? Int(CommandLine.arguments[1]) ?? 20 : 20
    try pools(rounds: rounds)
    try executors(rounds: rounds)
    try training(rounds: rounds)
    print("stress: \(rounds) rounds of pools, inference and training steps")
  }

  private static func require(_ condition: Bool, _ what: String) {
    guard condition else { fatalError(what) }
  }

  /// Regions of few and of many tasks; every task runs once, whoever runs it.
  private static func pools(rounds: Int) throws {
    for round in 0..<rounds {
      guard let pool = ThreadPool(threads: 2 + round % 7) else { continue }
      for tasks in [1, 2, 3, 17, 1000] {
        let counts = Counts(tasks)
        pool.run(tasks: tasks) { task, _ in counts.add(task) }
        require(counts.areAllOne, "a task ran not once")
      }
    }
  }

  /// A network of each kind of step, batches of several sizes, the same numbers on any number of threads.
  private static func executors(rounds: Int) throws {
    for batch in [1, 3, 32] {
      let (graph, parameters) = try network(batch: batch)
      let input = AnyTensor.float32(tensor([batch, 3, 17, 13], seed: batch))
      let reference = try Executor(graph: graph, threads: 1) { .float32(parameters[$0]) }.run([input])
      for threads in [2, 4] {
        for _ in 0..<max(1, rounds / 4) {
          let executor = try Executor(graph: graph, threads: threads) { .float32(parameters[$0]) }
          for _ in 0..<3 { require(try executor.run([input]) == reference, "threads change the result") }
        }
      }
    }
  }

  /// Forward and backward, the parameters given at every run.
  private static func training(rounds: Int) throws {
    var (graph, parameters) = try network(batch: 5)
    let target = graph.addInput(graph.shape(graph.outputs[0]))
    let loss = try graph.apply(MeanSquaredError(), to: [graph.outputs[0], target], label: "loss")[0]
    let gradients = try graph.addGradients(of: [loss], withRespectTo: graph.parameters)
    let step = graph.reduced(to: [loss] + gradients.compactMap { $0 })
    let sizes = graph.shape(graph.outputs[0]).sizes ?? []
    let operands =
      [tensor([5, 3, 17, 13], seed: 9), tensor(sizes, seed: 10)].map(AnyTensor.float32)
      + parameters.map(AnyTensor.float32)
    let reference = try Executor(graph: step, parametersVaryWithThreads: 1).run(operands)
    for threads in [2, 4] {
      let executor = try Executor(graph: step, parametersVaryWithThreads: threads)
      for _ in 0..<rounds { require(try executor.run(operands) == reference, "threads change the gradients") }
    }
  }

  private static func network(batch: Int) throws -> (Graph, [Tensor<Float>]) {
    var graph = Graph()
    var parameters: [Tensor<Float>] = []
    func parameter(_ shape: [Int]) -> ValueID {
      parameters.append(tensor(shape, seed: parameters.count + 1))
      return graph.addParameter(shape.map { .fixed($0) })
    }
    func apply(_ operation: any Operation, _ values: ValueID...) throws -> ValueID {
      try graph.apply(operation, to: values, label: "layer\(graph.steps.count)")[0]
    }
    func convolution(_ x: ValueID, _ shape: [Int], stride: Int = 1, groups: Int = 1) throws -> ValueID {
      let window = Window(kernel: [shape[2], shape[3]], stride: [stride, stride], padding: .same)
      return try apply(Convolution(window: window, groups: groups), x, parameter(shape))
    }
    var x = graph.addInput([batch, 3, 17, 13].map { .fixed($0) })
    x = try apply(Relu(), convolution(x, [16, 3, 3, 3]))
    let kept = x
    x = try apply(Relu(), apply(Add(), convolution(x, [16, 16, 3, 3]), kept))
    x = try convolution(x, [16, 1, 3, 3], groups: 16)
    x = try convolution(x, [24, 16, 1, 1], stride: 2)
    x = try apply(MaxPool(window: Window(kernel: [2, 2], stride: [2, 2])), x)
    x = try apply(SpatialMean(), x)
    x = try apply(MatrixProduct(transposesRight: true), x, parameter([10, 24]))
    graph.outputs = [try apply(Sigmoid(), apply(Bias(), x, parameter([10])))]
    return (graph, parameters)
  }

  private static func tensor(_ shape: [Int], seed: Int) -> Tensor<Float> {
    var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
    return Tensor(
      shape: shape,
      elements: (0..<shape.reduce(1, *)).map { _ in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Float(state >> 40) / Float(1 << 23) - 1
      })
  }
}

/// How often each task ran; each counter is written by whoever runs its task, and read when the region is over.
@safe
private final class Counts: @unchecked Sendable {
  private let counts: UnsafeMutableBufferPointer<Int>

  init(_ count: Int) {
    unsafe counts = .allocate(capacity: count)
    unsafe counts.initialize(repeating: 0)
  }

  deinit { unsafe counts.deallocate() }

  func add(_ task: Int) { unsafe counts[task] += 1 }

  var areAllOne: Bool { unsafe counts.allSatisfy { $0 == 1 } }
}
