#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How a parameter is drawn where no value is found.
///
/// Xavier's are of Glorot and Bengio 2010, He's of He et al. 2015. What is drawn depends on nothing but the seed and the
/// parameter's path: element `i` is the same whatever else a model holds.
public enum Initialiser: Sendable, Hashable {
  /// 0 in every place.
  case zeros
  /// 1 in every place.
  case ones
  /// Normal with mean 0 and this standard deviation.
  case normal(scale: Double)
  /// Uniform between minus this and this.
  case uniform(scale: Double)
  /// Normal with standard deviation sqrt(2 / (fan-in + fan-out)).
  case xavierNormal
  /// Uniform within sqrt(6 / (fan-in + fan-out)).
  case xavierUniform
  /// Normal with standard deviation sqrt(2 / fan-in).
  case heNormal
  /// Uniform within sqrt(6 / fan-in).
  case heUniform

  /// The initialiser of a name in model files; `scale` counts for `normal` and `uniform` only.
  public init?(name: String, scale: Double = 1) {
    switch name {
    case "zeros": self = .zeros
    case "ones": self = .ones
    case "normal": self = .normal(scale: scale)
    case "uniform": self = .uniform(scale: scale)
    case "xavier-normal": self = .xavierNormal
    case "xavier-uniform": self = .xavierUniform
    case "he-normal": self = .heNormal
    case "he-uniform": self = .heUniform
    default: return nil
    }
  }

  /// Its name in model files.
  public var name: String {
    switch self {
    case .zeros: "zeros"
    case .ones: "ones"
    case .normal: "normal"
    case .uniform: "uniform"
    case .xavierNormal: "xavier-normal"
    case .xavierUniform: "xavier-uniform"
    case .heNormal: "he-normal"
    case .heUniform: "he-uniform"
    }
  }

  /// Draws a parameter of `shape` called `path`.
  public func draw(
    shape: [Int], fanIn: Int, fanOut: Int, seed: UInt64, path: String, as elementType: ElementType
  ) -> AnyTensor {
    switch elementType {
    case .float32: .float32(draw(Float.self, shape, fanIn: fanIn, fanOut: fanOut, Philox(seed: seed, stream: path)))
    case .float64: .float64(draw(Double.self, shape, fanIn: fanIn, fanOut: fanOut, Philox(seed: seed, stream: path)))
    }
  }

  private func draw<Scalar: TensorScalar>(
    _: Scalar.Type, _ shape: [Int], fanIn: Int, fanOut: Int, _ generator: Philox
  ) -> Tensor<Scalar> {
    let into = Double(max(1, fanIn))
    let both = Double(max(1, fanIn)) + Double(max(1, fanOut))
    switch self {
    case .zeros: return Tensor(shape: shape, repeating: 0)
    case .ones: return Tensor(shape: shape, repeating: 1)
    case .normal(let scale): return normal(shape, scale, generator)
    case .uniform(let scale): return uniform(shape, scale, generator)
    case .xavierNormal: return normal(shape, (2 / both).squareRoot(), generator)
    case .xavierUniform: return uniform(shape, (6 / both).squareRoot(), generator)
    case .heNormal: return normal(shape, (2 / into).squareRoot(), generator)
    case .heUniform: return uniform(shape, (6 / into).squareRoot(), generator)
    }
  }

  private func normal<Scalar: TensorScalar>(_ shape: [Int], _ deviation: Double, _ generator: Philox) -> Tensor<Scalar>
  {
    fill(shape) { index in
      // Box and Muller's: a radius and an angle give two independent normal numbers.
      let (first, second) = generator.uniformPair(index)
      let radius = (-2 * log(1 - first)).squareRoot() * deviation
      let angle = 2 * Double.pi * second
      return (Scalar(radius * cos(angle)), Scalar(radius * sin(angle)))
    }
  }

  private func uniform<Scalar: TensorScalar>(_ shape: [Int], _ limit: Double, _ generator: Philox) -> Tensor<Scalar> {
    fill(shape) { index in
      let (first, second) = generator.uniformPair(index)
      return (Scalar((2 * first - 1) * limit), Scalar((2 * second - 1) * limit))
    }
  }

  private func fill<Scalar: TensorScalar>(_ shape: [Int], _ pair: (UInt64) -> (Scalar, Scalar)) -> Tensor<Scalar> {
    var tensor = Tensor<Scalar>(shape: shape, repeating: 0)
    let count = tensor.elements.count
    for index in stride(from: 0, to: count, by: 2) {
      let (first, second) = pair(UInt64(index / 2))
      tensor.elements[index] = first
      if index + 1 < count { tensor.elements[index + 1] = second }
    }
    return tensor
  }
}
