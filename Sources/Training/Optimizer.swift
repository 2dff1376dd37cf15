import Tensors

/// Moves parameters along their gradients, and keeps what it has to remember of earlier steps.
///
/// Each rule is PyTorch's own, in PyTorch's order of roundings; decay is on every trained parameter.
struct Optimizer<Scalar: TensorScalar> {
  let configuration: OptimizerConfiguration
  /// How many steps were taken.
  var steps = 0
  /// For each parameter: the momentum of `sgd`, the mean gradient of `adam`; empty where none is needed.
  var first: [[Scalar]]
  /// For each parameter: the mean squared gradient of `adam`.
  var second: [[Scalar]]

  /// An optimiser that has taken no step, for parameters of so many numbers.
  init(_ configuration: OptimizerConfiguration, counts: [Int]) {
    self.configuration = configuration
    let isAdaptive = configuration.kind != .sgd
    let none = counts.map { _ in [Scalar]() }
    let zeros = { counts.map { [Scalar](repeating: 0, count: $0) } }
    first = isAdaptive || configuration.momentum != 0 ? zeros() : none
    second = isAdaptive ? zeros() : none
  }

  /// Begins a step: all parameters are then updated once.
  mutating func beginStep() { steps += 1 }

  /// Moves the parameter with this index.
  mutating func update(_ index: Int, _ parameter: inout [Scalar], gradient: [Scalar], rate: Double) {
    switch configuration.kind {
    case .sgd: descend(&parameter, gradient, &first[index], rate)
    case .adam, .adamw: adapt(&parameter, gradient, &first[index], &second[index], rate)
    }
  }

  /// `torch.optim.SGD`: g += decay * p; b = momentum * b + g (b = g at first); g = g + momentum * b for Nesterov's, else
  /// b; p -= rate * g.
  private func descend(_ parameter: inout [Scalar], _ gradient: [Scalar], _ buffer: inout [Scalar], _ rate: Double) {
    let rate = Scalar(rate)
    let decay = Scalar(configuration.weightDecay)
    let momentum = Scalar(configuration.momentum)
    guard !buffer.isEmpty || parameter.isEmpty else {
      for place in parameter.indices {
        parameter[place] -= rate * (gradient[place] + decay * parameter[place])
      }
      return
    }
    let keeps: Scalar = steps == 1 ? 0 : momentum
    for place in parameter.indices {
      let own = gradient[place] + decay * parameter[place]
      let kept = keeps * buffer[place] + own
      buffer[place] = kept
      parameter[place] -= rate * (configuration.nesterov ? own + momentum * kept : kept)
    }
  }

  /// `torch.optim.Adam` (Kingma and Ba 2015) and `torch.optim.AdamW` (Loshchilov and Hutter 2019), which takes its decay
  /// straight from the parameter: m += (g - m) * (1 - beta1); v = beta2 * v + (1 - beta2) * g^2;
  /// p -= rate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon).
  private func adapt(
    _ parameter: inout [Scalar], _ gradient: [Scalar], _ mean: inout [Scalar], _ square: inout [Scalar], _ rate: Double
  ) {
    let isDecoupled = configuration.kind == .adamw
    let shrink = isDecoupled ? Scalar(1 - rate * configuration.weightDecay) : 1
    let decay = isDecoupled ? 0 : Scalar(configuration.weightDecay)
    let (beta2, rest1, rest2) = (
      Scalar(configuration.beta2), Scalar(1 - configuration.beta1), Scalar(1 - configuration.beta2)
    )
    let step = Scalar(rate / (1 - power(configuration.beta1, steps)))
    let correction = Scalar((1 - power(configuration.beta2, steps)).squareRoot())
    let epsilon = Scalar(configuration.epsilon)
    for place in parameter.indices {
      let value = parameter[place] * shrink
      let own = gradient[place] + decay * value
      let average = mean[place] + rest1 * (own - mean[place])
      let variance = beta2 * square[place] + rest2 * own * own
      mean[place] = average
      square[place] = variance
      parameter[place] = value - step * (average / (variance.squareRoot() / correction + epsilon))
    }
  }
}

/// `base` to the power `exponent`, by squaring.
private func power(_ base: Double, _ exponent: Int) -> Double {
  var (result, factor, rest) = (1.0, base, exponent)
  while rest > 0 {
    if rest & 1 == 1 { result *= factor }
    factor *= factor
    rest >>= 1
  }
  return result
}

/// Cuts the gradients' norm over all parameters to `largest`, as `torch.nn.utils.clip_grad_norm_` does: all are multiplied
/// by min(1, largest / (norm + 1e-6)).
func clip<Scalar: TensorScalar>(_ gradients: inout [Tensor<Scalar>], toNorm largest: Double) {
  var squares = 0.0
  for gradient in gradients {
    var sum = 0.0
    for value in gradient.elements { sum += Double(value) * Double(value) }
    squares += sum
  }
  let factor = Scalar(largest / (squares.squareRoot() + 1e-6))
  guard factor < 1 else { return }
  for index in gradients.indices {
    for place in gradients[index].elements.indices { gradients[index].elements[place] *= factor }
  }
}
