public import Tensors

/// The channels (axis 1) from `first` on, `count` of them: what a concatenation took from one of its operands.
public struct ChannelSlice: Operation {
  /// The first channel.
  public let first: Int
  /// The number of channels.
  public let count: Int

  /// A run of channels.
  public init(first: Int, count: Int) {
    self.first = first
    self.count = count
  }

  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] {
    var shape = inputs[0]
    shape[1] = .fixed(count)
    return [shape]
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    let x = inputs[0]
    let view = ChannelView(x.shape)
    var shape = x.shape
    shape[1] = count
    var elements: [Scalar] = []
    elements.reserveCapacity(view.batch * count * view.places)
    for row in 0..<view.batch {
      for channel in first..<first + count { elements += x.elements[view.range(row: row, channel: channel)] }
    }
    return [Tensor(shape: shape, elements: elements)]
  }
}

extension Concatenate: DifferentiableOperation {
  public func operandGradients(_ rule: inout GradientRule) throws(ShapeError) -> [ValueID?] {
    guard let gradient = rule.resultGradient else { return rule.operands.map { _ in nil } }
    var gradients: [ValueID?] = []
    var first = 0
    for index in rule.operands.indices {
      let count = try rule.sizes(of: index, from: 1)[0]
      gradients.append(try rule.applyIfNeeded(index, ChannelSlice(first: first, count: count), to: gradient))
      first += count
    }
    return gradients
  }
}
