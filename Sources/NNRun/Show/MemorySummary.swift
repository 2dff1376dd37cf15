public import Diagnostics
import Engine
import Graph
public import ModelFile
import Tensors
import Training

/// What a run of a model takes of memory, known before it starts.
public struct MemorySummary: Sendable {
  /// A step of the plan.
  public struct Step: Sendable {
    /// The layer that it computes, the last one where several are fused.
    public let layer: String
    /// The operations that it computes.
    public let operations: String
    /// How it is computed.
    public let algorithm: String
    /// The shape of what it computes, as the engine holds it.
    public let shape: [Int]
    /// The bytes of activations that are alive meanwhile.
    public let liveBytes: Int
  }

  /// The number of rows of a run.
  public let batchSize: Int
  /// The number of threads of a run.
  public let threads: Int
  /// The steps in order.
  public let steps: [Step]
  /// The bytes of the block that holds all activations and the threads' scratch.
  public let activationBytes: Int
  /// The bytes of the weights in the form that the kernels read.
  public let weightBytes: Int
  /// The bytes of the inputs and outputs.
  public let boundaryBytes: Int

  /// The bytes that a run takes at most.
  public var totalBytes: Int { activationBytes + weightBytes + boundaryBytes }

  /// The plan for so many rows. `sizes` are those of the model's symbols beside the batch's.
  ///
  /// Throws `usage` where a symbol has no size, and where the shapes do not work out or memory is short.
  public init(_ model: Model, batchSize: Int, sizes: [String: Int] = [:], threads: Int? = nil) throws(Failure) {
    let symbols = Set(model.inputs.flatMap { $0.shape.filter { $0.value == nil }.map(\.description) })
    for name in sizes.keys.sorted() where !symbols.contains(name) {
      let known = symbols.sorted().map { "`\($0)`" }.joined(separator: ", ")
      throw Failure(
        .usage,
        "no input has a size `\(printable(name))`: " + (known.isEmpty ? "every size is fixed" : "there is \(known)"))
    }
    var shapes: [[Int]] = []
    for input in model.inputs {
      var shape: [Int] = []
      for dimension in input.shape {
        if let value = dimension.value {
          shape.append(value)
        } else if let size = sizes[dimension.description] {
          shape.append(size)
        } else if dimension.description == model.batchSymbol {
          shape.append(batchSize)
        } else {
          throw Failure(
            .usage,
            "the size of `\(dimension)` in the input `\(input.name)` is not known; give it as --size \(dimension)=...")
        }
      }
      shapes.append(shape)
    }
    let network = Network(model, threads: threads)
    let executor = try network.executor(shapes: shapes)
    self.batchSize = batchSize
    self.threads = executor.threads
    steps = zip(executor.plan, executor.liveBytes).map {
      Step(
        layer: $0.label, operations: $0.operations, algorithm: $0.algorithm, shape: $0.shape, liveBytes: $1)
    }
    activationBytes = executor.arenaBytes
    weightBytes = executor.weightBytes
    boundaryBytes =
      (shapes + executor.outputShapes).reduce(0) { $0 + $1.reduce(1, *) } * model.elementType.size
  }

  /// The plan as text: a row for each step, then the totals.
  public var text: String {
    var table = TextTable(["layer", "operations", "algorithm", "result", "alive"])
    table.alignment = [.left, .left, .left, .left, .right]
    for step in steps {
      table.add([step.layer, step.operations, step.algorithm, "\(step.shape)", byteCount(step.liveBytes)])
    }
    let rows = batchSize == 1 ? "1 row" : "\(grouped(batchSize)) rows"
    return table.text + """
      activations and scratch  \(byteCount(activationBytes))
      weights as kernels read  \(byteCount(weightBytes))
      inputs and outputs       \(byteCount(boundaryBytes))
      in all                   \(byteCount(totalBytes)) for \(rows) on \(threads == 1 ? "1 thread" : "\(threads) threads")

      """
  }

  /// The plan as JSON, for programs.
  public var json: String {
    var json = JSONWriter()
    json.object { json in
      json.key("batch_size")
      json.integer(batchSize)
      json.key("threads")
      json.integer(threads)
      json.key("activation_bytes")
      json.integer(activationBytes)
      json.key("weight_bytes")
      json.integer(weightBytes)
      json.key("input_output_bytes")
      json.integer(boundaryBytes)
      json.key("total_bytes")
      json.integer(totalBytes)
      json.key("steps")
      json.array { json in
        for step in steps { step.write(to: &json) }
      }
    }
    return json.text
  }
}

extension MemorySummary.Step {
  fileprivate func write(to json: inout JSONWriter) {
    json.object { json in
      json.key("layer")
      json.string(layer)
      json.key("operations")
      json.string(operations)
      json.key("algorithm")
      json.string(algorithm)
      json.key("shape")
      json.array { json in
        for length in shape { json.integer(length) }
      }
      json.key("live_bytes")
      json.integer(liveBytes)
    }
  }
}
