/// What a model computes in, and what its parameters and outputs are written as.
public enum ElementType: String, Sendable, Hashable, CaseIterable {
  /// IEEE 754 single precision.
  case float32
  /// IEEE 754 double precision.
  case float64

  /// Bytes an element.
  public var size: Int { self == .float32 ? 4 : 8 }
}

/// A floating-point type that tensors are made of: `Float` or `Double`.
public protocol TensorScalar: BinaryFloatingPoint, Sendable, LosslessStringConvertible {
  /// The type's name in model files.
  static var elementType: ElementType { get }
  /// e to the power `x`.
  static func exponential(_ x: Self) -> Self
  /// The natural logarithm of `x`.
  static func logarithm(_ x: Self) -> Self
  /// The natural logarithm of 1 + `x`, exact for small `x` too.
  static func logarithm(onePlus x: Self) -> Self
  /// The hyperbolic tangent of `x`.
  static func hyperbolicTangent(_ x: Self) -> Self
}

/// A dense array of numbers in row-major order; a value.
public struct Tensor<Scalar: TensorScalar>: Sendable, Equatable {
  /// The length of every axis; empty for a single number.
  public let shape: [Int]
  /// The numbers, the last axis running fastest; as many as the product of `shape`.
  public var elements: [Scalar]

  /// A tensor of the given elements. Their number must be the product of `shape`.
  public init(shape: [Int], elements: [Scalar]) {
    precondition(elements.count == shape.reduce(1, *), "a tensor's elements must fill its shape")
    self.shape = shape
    self.elements = elements
  }

  /// A list of numbers.
  public init(_ elements: [Scalar]) { self.init(shape: [elements.count], elements: elements) }

  /// A table of numbers, row by row; the rows must be equally long.
  public init(_ rows: [[Scalar]]) {
    let width = rows.first?.count ?? 0
    precondition(rows.allSatisfy { $0.count == width }, "a table's rows must be equally long")
    self.init(shape: [rows.count, width], elements: Array(rows.joined()))
  }

  /// A tensor with `value` in every place.
  public init(shape: [Int], repeating value: Scalar) {
    self.shape = shape
    self.elements = [Scalar](repeating: value, count: shape.reduce(1, *))
  }

  /// The same elements under another shape of as many elements.
  public func reshaped(_ shape: [Int]) -> Tensor { Tensor(shape: shape, elements: elements) }

  /// The number at a place: an index for each axis, from 0.
  public subscript(indices: Int...) -> Scalar {
    get { elements[offset(indices)] }
    set { elements[offset(indices)] = newValue }
  }

  private func offset(_ indices: [Int]) -> Int {
    precondition(indices.count == shape.count, "a place has an index for each axis")
    return zip(indices, shape).reduce(0) { offset, axis in
      precondition((0..<axis.1).contains(axis.0), "the index is within the axis")
      return offset * axis.1 + axis.0
    }
  }
}

/// A tensor of either element type.
public enum AnyTensor: Sendable, Equatable {
  /// Single precision.
  case float32(Tensor<Float>)
  /// Double precision.
  case float64(Tensor<Double>)

  /// A tensor of whichever type it is of.
  public init<Scalar: TensorScalar>(_ tensor: Tensor<Scalar>) {
    // Of the two types there are, a tensor is of one or the other.
    self = (tensor as? Tensor<Float>).map { .float32($0) } ?? .float64(AnyTensor.converted(tensor))
  }

  private static func converted<Scalar: TensorScalar, Other: TensorScalar>(_ tensor: Tensor<Scalar>) -> Tensor<Other> {
    if let same = tensor as? Tensor<Other> { return same }
    return Tensor<Other>(shape: tensor.shape, elements: tensor.elements.map { Other($0) })
  }

  /// The length of every axis.
  public var shape: [Int] {
    switch self {
    case .float32(let tensor): tensor.shape
    case .float64(let tensor): tensor.shape
    }
  }

  /// The type of its elements.
  public var elementType: ElementType {
    switch self {
    case .float32: .float32
    case .float64: .float64
    }
  }

  /// The number of elements.
  public var count: Int {
    switch self {
    case .float32(let tensor): tensor.elements.count
    case .float64(let tensor): tensor.elements.count
    }
  }

  /// The tensor with its elements converted, each correctly rounded, to `Scalar`.
  public func converted<Scalar: TensorScalar>(to _: Scalar.Type) -> Tensor<Scalar> {
    switch self {
    case .float32(let tensor): AnyTensor.converted(tensor)
    case .float64(let tensor): AnyTensor.converted(tensor)
    }
  }

  /// The tensor with its elements converted, each correctly rounded, to the given type.
  public func converted(to elementType: ElementType) -> AnyTensor {
    switch elementType {
    case .float32: .float32(converted(to: Float.self))
    case .float64: .float64(converted(to: Double.self))
    }
  }

  /// The same elements under another shape of as many elements.
  public func reshaped(_ shape: [Int]) -> AnyTensor {
    switch self {
    case .float32(let tensor): .float32(tensor.reshaped(shape))
    case .float64(let tensor): .float64(tensor.reshaped(shape))
    }
  }
}
