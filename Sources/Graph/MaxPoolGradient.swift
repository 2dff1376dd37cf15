public import Tensors

/// The gradient of a maximum pooling: each output's gradient goes to the largest cell under its window, of equal ones to
/// the first in row-major order. Operands: dy [N, C, H', W'] and the pooling's input x [N, C, H, W]; result dx.
public struct MaxPoolGradient: Operation {
  /// The sliding window of the pooling.
  public let window: Window

  /// The gradient of a maximum pooling.
  public init(window: Window) { self.window = window }

  public func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape] { [inputs[1]] }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func evaluate<Scalar: TensorScalar>(_ inputs: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    let (outputGradient, x) = (inputs[0], inputs[1])
    let rows = window.cells(.height, input: x.shape[2])
    let columns = window.cells(.width, input: x.shape[3])
    var gradient = Tensor<Scalar>(shape: x.shape, repeating: 0)
    var output = 0
    for image in 0..<x.shape[0] * x.shape[1] {
      for row in rows {
        for column in columns {
          var largest: Int?
          for (_, i) in row {
            for (_, j) in column {
              let place = (image * x.shape[2] + i) * x.shape[3] + j
              let cell = x.elements[place]
              if let best = largest, !(cell > x.elements[best]), !cell.isNaN { continue }
              largest = place
            }
          }
          if let largest { gradient.elements[largest] += outputGradient.elements[output] }
          output += 1
        }
      }
    }
    return [gradient]
  }
}

extension MaxPool: DifferentiableOperation {
  public func operandGradients(_ rule: inout GradientRule) throws(ShapeError) -> [ValueID?] {
    guard let gradient = rule.resultGradient else { return [nil] }
    return [try rule.apply(MaxPoolGradient(window: window), to: gradient, rule.operands[0])]
  }
}
