import Diagnostics
import Graph
import Layers
import ModelFile

/// The graph of one step of training: forward, losses, and the gradients of what is trained.
///
/// Inputs: the model's, then the masks of dropouts, then a target for each trained output. Outputs: the losses, the
/// gradients of `trained`, the batch's mean and variance for each of `statistics`, then the trained outputs' values.
struct TrainingGraph {
  let graph: Graph
  /// The model's outputs that have a target, by index.
  let targets: [Int]
  /// The parameters that follow their gradients, by index.
  let trained: [Int]
  let statistics: [BatchStatistics]
  let masks: [DropoutMask]

  /// The training graph of a model whose outputs `targets` have targets, with the symbols' `sizes` put in.
  ///
  /// Throws where a size does not fit or the loss does not suit an output.
  init(
    _ model: Model, loss: TrainingConfiguration.Loss, targets: [Int], frozen: Set<Int>, sizes: [String: Int]
  ) throws(BindingError) {
    var built = try PhaseGraph(model, phase: .training, frozen: frozen, sizes: sizes)
    let losses = try built.addLosses(loss, targets: targets)
    var graph = built.graph
    let candidates = model.parameters.indices.filter {
      model.parameters[$0].declaration.role == .trained && !frozen.contains($0)
    }
    var gradients: [ValueID?] = []
    do throws(ShapeError) {
      gradients = try graph.addGradients(
        of: losses, withRespectTo: candidates.map { graph.parameters[$0] })
    } catch {
      throw BindingError(label: "", error: error)
    }
    trained = zip(candidates, gradients).compactMap { $1 == nil ? nil : $0 }
    statistics = built.context.statistics
    masks = built.context.masks
    self.targets = targets
    self.graph = graph.reduced(
      to: losses + gradients.compactMap { $0 } + statistics.flatMap { [$0.batch.mean, $0.batch.variance] }
        + targets.map { built.outputs[$0] })
  }
}

extension TrainingGraph {
  /// The graph of a trainer's step on so many rows.
  init(_ trainer: Trainer, rows: Int) throws(Failure) {
    do throws(BindingError) {
      try self.init(
        trainer.model, loss: trainer.configuration.loss, targets: trainer.data.outputs, frozen: trainer.frozen,
        sizes: trainer.data.sizes(rows: rows))
    } catch {
      throw Failure(error, of: trainer.model)
    }
  }
}

/// A model's graph built for a phase.
struct PhaseGraph {
  private(set) var context: LayerContext
  /// The context's graph, with losses where they were added.
  private(set) var graph: Graph
  /// The model's outputs as the author sees them.
  private(set) var outputs: [ValueID] = []
  private let model: Model

  init(_ model: Model, phase: Phase, frozen: Set<Int> = [], sizes: [String: Int]) throws(BindingError) {
    self.model = model
    var context = LayerContext(layout: model.layout, phase: phase)
    do throws(ShapeError) {
      var inputs: [ValueID] = []
      for input in model.inputs { inputs.append(try context.addInput(try input.shape.bound(sizes))) }
      let parameters = model.parameters.map { context.addParameter($0.shape) }
      context.frozen = Set(frozen.map { parameters[$0] })
      // Layers stand after what they take; one that no output needs is passed over.
      var values = [ValueID?](repeating: nil, count: model.layers.count)
      for (index, layer) in model.layers.enumerated() where layer.isUsed {
        context.label = layer.path
        let taken = layer.sources.compactMap { source in
          switch source {
          case .input(let index): inputs[index]
          case .layer(let index): values[index]
          }
        }
        values[index] = try layer.definition.build(
          &context, inputs: taken, parameters: layer.parameters.map { parameters[$0] })
      }
      for output in model.outputs {
        context.label = output.name
        if let value = values[output.layer] { outputs.append(try context.presented(value)) }
      }
    } catch {
      throw BindingError(label: context.label, error: error)
    }
    self.context = context
    graph = context.graph
  }

  /// Adds a loss for each of the outputs `targets`, and an input for its target, of its shape.
  ///
  /// A sigmoid or a softmax that comes last is computed together with its cross-entropy.
  mutating func addLosses(_ loss: TrainingConfiguration.Loss, targets: [Int]) throws(BindingError) -> [ValueID] {
    var losses: [ValueID] = []
    for index in targets {
      let name = model.outputs[index].name
      do throws(ShapeError) {
        let value = outputs[index]
        let target = graph.addInput(graph.shape(value))
        let operands: [ValueID]
        let operation: any Operation
        switch loss {
        case .mse: (operation, operands) = (MeanSquaredError(), [value, target])
        case .binaryCrossEntropy:
          guard let scores = try operand(of: value, where: { $0 is Sigmoid }, label: name) else {
            throw ShapeError("the loss `binary-cross-entropy` needs an output that comes from a sigmoid")
          }
          (operation, operands) = (BinaryCrossEntropy(), [scores, target])
        case .crossEntropy:
          guard graph.shape(value).count == 2 else {
            throw ShapeError(
              "the loss `cross-entropy` needs scores of rank 2, but this output is \(graph.shape(value))")
          }
          let scores = try operand(of: value, where: { ($0 as? Softmax)?.axis == 1 }, label: name)
          (operation, operands) = (CrossEntropy(), [scores ?? value, target])
        }
        losses.append(try graph.apply(operation, to: operands, label: name)[0])
      } catch {
        throw BindingError(label: name, error: error)
      }
    }
    return losses
  }

  /// What goes into the operation that gives `value`, where that operation is the one wanted; a change of layout after it
  /// is made after its operand instead.
  private mutating func operand(
    of value: ValueID, where isWanted: (any Operation) -> Bool, label: String
  ) throws(ShapeError) -> ValueID? {
    guard let step = graph.steps.last(where: { $0.outputs.contains(value) }) else { return nil }
    if isWanted(step.operation) { return step.inputs[0] }
    guard let transposition = step.operation as? Transpose,
      let inner = graph.steps.last(where: { $0.outputs.contains(step.inputs[0]) }), isWanted(inner.operation)
    else { return nil }
    return try graph.apply(transposition, to: [inner.inputs[0]], label: label)[0]
  }
}
