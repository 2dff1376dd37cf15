public import Tensors

/// Zeros after the channels of a value, so many that it has `channels` of them: [N, C, ...] -> [N, channels, ...].
public struct PadChannels: Operation {
  /// The number of channels of the result.
  public let channels: Int

  /// A padding up to this many channels.
  public init(channels: Int) { self.channels = channels }

  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] {
    let x = inputs[0]
    try ChannelView.check(x, vectors: [], named: "padding channels")
    guard let present = x[1].value else {
      throw ShapeError("padding channels needs a known number of them, but the input \(x) has \(x[1])")
    }
    guard present <= channels else {
      throw ShapeError(
        "the input \(x) has \(present) channels already, more than the \(channels) to pad to",
        hint: "channels are only added here; `conv2d` with a kernel of 1 can make them fewer")
    }
    return [[x[0], .fixed(channels)] + x[2...]]
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    let x = inputs[0]
    let view = ChannelView(x.shape)
    let zeros = [Scalar](repeating: 0, count: (channels - view.channels) * view.places)
    let length = view.channels * view.places
    var elements: [Scalar] = []
    elements.reserveCapacity(view.batch * channels * view.places)
    for row in 0..<view.batch { elements += x.elements[row * length..<(row + 1) * length] + zeros }
    return [Tensor(shape: [view.batch, channels] + x.shape[2...], elements: elements)]
  }
}

extension PadChannels: DifferentiableOperation {
  public func operandGradients(_ rule: inout GradientRule) throws(ShapeError) -> [ValueID?] {
    guard let gradient = rule.resultGradient else { return [nil] }
    return [try rule.apply(ChannelSlice(first: 0, count: try rule.sizes(of: 0, from: 1)[0]), to: gradient)]
  }
}
