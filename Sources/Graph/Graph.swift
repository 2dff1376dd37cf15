/// A value of a graph: an input, a parameter, or a result of a step.
public struct ValueID: Hashable, Sendable {
  /// Its number in the graph, from 0 in the order of creation.
  public let index: Int

  package init(index: Int) { self.index = index }
}

/// Operations in the order in which they run, with the shapes of all values.
///
/// A graph is built from its inputs on: a step can only use values that are there, so the order of building is an order
/// of execution, and a cycle cannot be said.
public struct Graph: Sendable {
  /// One operation applied to values.
  public struct Step: Sendable {
    /// What is done.
    public let operation: any Operation
    /// The operands.
    public let inputs: [ValueID]
    /// The results.
    public let outputs: [ValueID]
    /// The path of the layer that it belongs to.
    public let label: String
  }

  /// The shape of every value, by `ValueID.index`.
  public private(set) var shapes: [Shape] = []
  /// What is given at every run, in the order of the model's inputs.
  public private(set) var inputs: [ValueID] = []
  /// What is learnt, in the order of the model's parameters.
  public private(set) var parameters: [ValueID] = []
  /// The operations, in an order in which they can run.
  public private(set) var steps: [Step] = []
  /// What is asked for.
  public var outputs: [ValueID] = []

  /// An empty graph.
  public init() {}

  /// The shape of a value.
  public func shape(_ value: ValueID) -> Shape { shapes[value.index] }

  /// Adds an input.
  public mutating func addInput(_ shape: Shape) -> ValueID {
    let value = addValue(shape)
    inputs.append(value)
    return value
  }

  /// Adds a parameter.
  public mutating func addParameter(_ shape: Shape) -> ValueID {
    let value = addValue(shape)
    parameters.append(value)
    return value
  }

  /// Applies an operation and returns its results.
  public mutating func apply(_ operation: any Operation, to inputs: [ValueID], label: String) throws(ShapeError)
    -> [ValueID]
  {
    let shapes = try operation.outputShapes(inputs.map(shape))
    for shape in shapes { try shape.checkCount() }
    let outputs = shapes.map { addValue($0) }
    steps.append(Step(operation: operation, inputs: inputs, outputs: outputs, label: label))
    return outputs
  }

  private mutating func addValue(_ shape: Shape) -> ValueID {
    shapes.append(shape)
    return ValueID(index: shapes.count - 1)
  }

  /// The graph with only those steps that `outputs` need; values keep their numbers.
  public func reduced(to outputs: [ValueID]) -> Graph {
    var isNeeded = [Bool](repeating: false, count: shapes.count)
    for value in outputs { isNeeded[value.index] = true }
    var kept: [Step] = []
    for step in steps.reversed() where step.outputs.contains(where: { isNeeded[$0.index] }) {
      for value in step.inputs { isNeeded[value.index] = true }
      kept.append(step)
    }
    var result = self
    result.steps = kept.reversed()
    result.outputs = outputs
    return result
  }

  /// The graph with the symbols' sizes put in and every shape worked out anew.
  public func bound(_ sizes: [String: Int]) throws(BindingError) -> Graph {
    var result = self
    do throws(ShapeError) {
      for value in inputs + parameters {
        let shape = try shape(value).bound(sizes)
        try shape.checkCount()
        result.shapes[value.index] = shape
      }
    } catch {
      throw BindingError(label: "", error: error)
    }
    for step in steps {
      do throws(ShapeError) {
        let shapes = try step.operation.outputShapes(step.inputs.map { result.shape($0) })
        for (value, shape) in zip(step.outputs, shapes) {
          try shape.checkCount()
          result.shapes[value.index] = shape
        }
      } catch {
        throw BindingError(label: step.label, error: error)
      }
    }
    return result
  }
}

/// A shape that does not work once the symbols have sizes.
public struct BindingError: Error, Sendable {
  /// The path of the layer where it does not.
  public let label: String
  /// What is wrong.
  public let error: ShapeError

  /// An error in the layer with this path; empty where it is in no layer.
  public init(label: String, error: ShapeError) {
    self.label = label
    self.error = error
  }
}
