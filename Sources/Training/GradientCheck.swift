public import Diagnostics
import Graph
import Layers
public import ModelFile
import Tensors

/// The gradients of a model, as its rules give them, against differences of its loss, all in double precision.
///
/// The model is taken as it is trained, with random rows: batch statistics, dropout with one mask, frozen parameters too.
/// Of a large parameter, some places are checked: as many as a bound on the arithmetic allows.
public struct GradientCheck: Sendable {
  /// The worst place of one parameter or input.
  public struct Entry: Sendable {
    /// The parameter's path, or the input's name.
    public let path: String
    /// Whether it is an input of the model.
    public let isInput: Bool
    /// The number of places, and of those that were checked.
    public let count: Int
    /// The number of places that were checked.
    public let checked: Int
    /// The worst place.
    public let index: [Int]
    /// The gradient there by the rules.
    public let analytic: Double
    /// The gradient there by differences.
    public let numerical: Double
    /// Their difference, relative to the larger of them (or to a thousandth of the largest gradient in the array).
    public let error: Double

    /// Whether the two agree.
    public var isCorrect: Bool { error < GradientCheck.tolerance }
  }

  /// Relative errors from here on are failures.
  public static let tolerance = 1e-5
  /// The entries, the worst one first.
  public let entries: [Entry]

  /// Whether every gradient agrees.
  public var isCorrect: Bool { entries.allSatisfy(\.isCorrect) }

  /// Checks every trained parameter and every input of a model, each at no more than `places` places. `report` is
  /// told how many of how many arrays are checked. Throws where the model cannot be trained as it says.
  public init(
    _ model: Model, configuration: TrainingConfiguration, places: Int = 64,
    report: (_ done: Int, _ total: Int, _ path: String) -> Void = { _, _, _ in }
  ) throws(Failure) {
    let outputs = Array(model.outputs.indices)
    for index in outputs {
      if let problem = problem(of: configuration.loss, forOutput: index, of: model) {
        throw Failure(.invalidData, "\(problem.message); \(problem.hint)")
      }
    }
    let subject = try Subject(model, configuration, outputs: outputs, places: places)
    entries = subject.entries(report: report).sorted { ($0.error, $1.path) > ($1.error, $0.path) }
  }
}

/// A model's loss as a function of its parameters and inputs.
private struct Subject {
  private let model: Model
  private let forward: Graph
  private var inputs: [Tensor<Double>] = []
  private var parameters: [Tensor<Double>] = []
  private var analytic: [(isInput: Bool, index: Int, gradient: Tensor<Double>)] = []
  /// The loss at the parameters and inputs as they are.
  private var middle = 0.0
  /// How many places of each array are checked.
  private var placesEach = 0

  init(_ model: Model, _ configuration: TrainingConfiguration, outputs: [Int], places: Int) throws(Failure) {
    self.model = model
    let (built, losses) = try Self.build(model, configuration.loss, outputs)
    var graph = built.graph
    forward = graph.reduced(to: losses)
    let trained = model.parameters.indices.filter { model.parameters[$0].declaration.role == .trained }
    let values = trained.map { graph.parameters[$0] } + graph.inputs[..<model.inputs.count]
    let gradients: [ValueID?]
    do throws(ShapeError) {
      gradients = try graph.addGradients(of: losses, withRespectTo: values)
    } catch {
      throw Failure(BindingError(label: "", error: error), of: model)
    }
    for index in model.parameters.indices {
      parameters.append(try model.value(of: index).converted(to: Double.self))
    }
    draw(graph, built.context.masks, loss: configuration.loss, seed: UInt64(bitPattern: Int64(configuration.seed)))
    let results = graph.reduced(to: gradients.compactMap { $0 }).evaluate(inputs: inputs, parameters: parameters)
    var place = 0
    for (position, gradient) in gradients.enumerated() where gradient != nil {
      let isInput = position >= trained.count
      analytic.append(
        (isInput, isInput ? position - trained.count : trained[position], results[place]))
      place += 1
    }
    middle = forward.evaluate(inputs: inputs, parameters: parameters).reduce(0) { $0 + $1.elements[0] }
    placesEach = max(1, min(places, Self.largestWork / max(2 * work(forward) * max(analytic.count, 1), 1)))
  }

  /// About so many multiply-adds are spent on differences.
  private static let largestWork = 1_000_000_000

  /// The graph for the first sizes of the symbols that work, small ones first.
  private static func build(
    _ model: Model, _ loss: TrainingConfiguration.Loss, _ outputs: [Int]
  ) throws(Failure) -> (PhaseGraph, [ValueID]) {
    var names: [String] = []
    for input in model.inputs {
      for case .quotient(let name, _, _) in input.shape where !names.contains(name) { names.append(name) }
    }
    var failure: Failure?
    for size in [5, 8, 16, 32, 64, 224] {
      var sizes: [String: Int] = [:]
      for name in names { sizes[name] = name == model.batchSymbol ? 3 : size }
      do throws(BindingError) {
        var built = try PhaseGraph(model, phase: .training, sizes: sizes)
        let losses = try built.addLosses(loss, targets: outputs)
        return (built, losses)
      } catch {
        failure = failure ?? Failure(error, of: model)
      }
    }
    throw failure ?? Failure(.invalidData, "no size of the model's symbols works")
  }

  /// Random inputs between -1 and 1, masks by their rate, and targets that suit the loss.
  private mutating func draw(
    _ graph: Graph, _ masks: [DropoutMask], loss: TrainingConfiguration.Loss, seed: UInt64
  ) {
    for (position, value) in graph.inputs.enumerated() {
      let generator = Philox(seed: seed, stream: "gradcheck/\(position)")
      var tensor = Tensor<Double>(shape: graph.shape(value).sizes ?? [], repeating: 0)
      for place in tensor.elements.indices {
        let (number, _) = generator.uniformPair(UInt64(place))
        if position < model.inputs.count {
          tensor.elements[place] = 2 * number - 1
        } else if position < model.inputs.count + masks.count {
          let rate = masks[position - model.inputs.count].rate
          tensor.elements[place] = number < rate ? 0 : 1 / (1 - rate)
        } else {
          tensor.elements[place] = number
        }
      }
      if loss == .crossEntropy, position >= model.inputs.count + masks.count, tensor.shape.count == 2 {
        let classes = tensor.shape[1]
        for row in 0..<tensor.shape[0] {
          let places = row * classes..<(row + 1) * classes
          let sum = tensor.elements[places].reduce(0, +)
          for place in places { tensor.elements[place] /= sum }
        }
      }
      inputs.append(tensor)
    }
  }

  /// The multiplications of a run, about.
  private func work(_ graph: Graph) -> Int {
    graph.steps.reduce(1) { sum, step in
      let numbers = graph.shape(step.outputs[0]).sizes?.reduce(1, *) ?? 1
      let each =
        switch step.operation {
        case is Convolution: graph.shape(step.inputs[1])[1...].compactMap(\.value).reduce(1, *)
        case is MatrixProduct: graph.shape(step.inputs[0])[1].value ?? 1
        default: 1
        }
      return sum + numbers * each
    }
  }

  func entries(report: (_ done: Int, _ total: Int, _ path: String) -> Void) -> [GradientCheck.Entry] {
    analytic.enumerated().map { done, entry in
      let gradient = entry.gradient
      let path = entry.isInput ? model.inputs[entry.index].name : model.parameters[entry.index].path
      report(done, analytic.count, path)
      let count = gradient.elements.count
      let places = places(count, stream: entry.isInput ? "input" : "parameter", entry.index)
      let scale = gradient.elements.reduce(0) { max($0, abs($1)) }
      var worst = (place: 0, numerical: 0.0, error: -1.0)
      for place in places {
        let (numerical, error) = difference(entry.isInput, entry.index, place, gradient.elements[place], scale)
        if error > worst.error { worst = (place, numerical, error) }
      }
      var index: [Int] = []
      var rest = worst.place
      for length in gradient.shape.reversed() {
        index.insert(rest % max(length, 1), at: 0)
        rest /= max(length, 1)
      }
      return GradientCheck.Entry(
        path: path, isInput: entry.isInput, count: count, checked: places.count, index: index,
        analytic: gradient.elements.isEmpty ? 0 : gradient.elements[worst.place], numerical: worst.numerical,
        error: max(worst.error, 0))
    }
  }

  /// All places of a small array, random ones of a large one.
  private func places(_ count: Int, stream: String, _ index: Int) -> [Int] {
    if count <= placesEach { return Array(0..<count) }
    let generator = Philox(seed: 0, stream: "gradcheck/\(stream)/\(index)")
    return (0..<placesEach).map { Int(generator.uniformPair(UInt64($0)).0 * Double(count)) }
  }

  /// The gradient by differences at one place, and how far the analytic one is from it.
  ///
  /// Steps of several lengths are tried, since a rectifier or a maximum may bend between two points; a value that lies
  /// between the slopes on the two sides of a bend counts as right, as any of them would be.
  private func difference(
    _ isInput: Bool, _ index: Int, _ place: Int, _ analytic: Double, _ scale: Double
  ) -> (numerical: Double, error: Double) {
    var best = (numerical: 0.0, error: Double.infinity)
    let own = isInput ? inputs[index].elements[place] : parameters[index].elements[place]
    for step in [1e-4, 1e-5, 1e-6, 1e-7] {
      let step = step * max(1, abs(own))
      let above = loss(isInput, index, place, own + step)
      let below = loss(isInput, index, place, own - step)
      let numerical = (above - below) / (2 * step)
      let slopes = [(above - middle) / step, (middle - below) / step].sorted()
      let floor = max(abs(analytic), abs(numerical), 1e-3 * scale, 1e-7)
      var error = abs(analytic - numerical) / floor
      // Slopes that differ by far more than a step bends a smooth curve.
      if slopes[1] - slopes[0] > 0.01 * floor, analytic >= slopes[0] - 1e-6 * floor,
        analytic <= slopes[1] + 1e-6 * floor
      {
        error = 0
      }
      if error < best.error { best = (numerical, error) }
      if best.error < GradientCheck.tolerance / 10 { break }
    }
    return best
  }

  private func loss(_ isInput: Bool, _ index: Int, _ place: Int, _ value: Double) -> Double {
    var (inputs, parameters) = (inputs, parameters)
    if isInput { inputs[index].elements[place] = value } else { parameters[index].elements[place] = value }
    return forward.evaluate(inputs: inputs, parameters: parameters).reduce(0) { $0 + $1.elements[0] }
  }
}
