import Tensors

/// An operation with a gradient: a rule that says it in further operations.
public protocol DifferentiableOperation: Operation {
  /// Adds the steps that give the gradients of the operands, and returns those, in the operands' order; nil for an
  /// operand that `rule` does not need or that no gradient reaches.
  func operandGradients(_ rule: inout GradientRule) throws(ShapeError) -> [ValueID?]
}

/// A mean over a batch that training makes smaller: its result is one number, and its gradient is taken for a change of
/// one in it.
public protocol LossOperation: DifferentiableOperation {}

/// What a gradient rule sees of the step that it differentiates, and builds into.
public struct GradientRule {
  /// The graph that the rule adds its steps to.
  public private(set) var graph: Graph
  /// The operands of the step.
  public let operands: [ValueID]
  /// The results of the step.
  public let results: [ValueID]
  /// The gradients of the results; nil for one that the losses do not depend on, and for a loss itself.
  public let resultGradients: [ValueID?]
  /// Which operands' gradients are asked for.
  public let isNeeded: [Bool]
  private let label: String

  init(graph: Graph, step: Graph.Step, resultGradients: [ValueID?], isNeeded: [Bool]) {
    self.graph = graph
    operands = step.inputs
    results = step.outputs
    self.resultGradients = resultGradients
    self.isNeeded = isNeeded
    label = step.label
  }

  /// The gradient of the first result.
  var resultGradient: ValueID? { resultGradients[0] }

  /// Applies an operation of one result.
  mutating func apply(_ operation: any Operation, to inputs: ValueID...) throws(ShapeError) -> ValueID {
    try graph.apply(operation, to: inputs, label: label)[0]
  }

  /// Applies an operation of several results.
  mutating func applyForAll(_ operation: any Operation, to inputs: ValueID...) throws(ShapeError) -> [ValueID] {
    try graph.apply(operation, to: inputs, label: label)
  }

  /// Applies an operation of one result where the operand with this index needs it.
  mutating func applyIfNeeded(_ index: Int, _ operation: any Operation, to inputs: ValueID...) throws(ShapeError)
    -> ValueID?
  {
    isNeeded[index] ? try graph.apply(operation, to: inputs, label: label)[0] : nil
  }

  /// The lengths of an operand's axes from `axis` on, which a gradient has to know.
  func sizes(of operand: Int, from axis: Int) throws(ShapeError) -> [Int] {
    let shape = graph.shape(operands[operand])
    guard let sizes = Array(shape[axis...]).sizes else {
      throw ShapeError("training needs to know every size but the batch's, but here is \(shape)")
    }
    return sizes
  }
}
