package import Diagnostics
import Files
import Layers
package import Tensors
import YAML

extension Model {
  /// The values of the parameter with this index, read or drawn at every call.
  ///
  /// Throws where a file changed or vanished since the model was loaded, or holds numbers that are not finite.
  package func value(of index: Int) throws(Failure) -> AnyTensor {
    if let new = newValues[index] { return new }
    let parameter = parameters[index]
    let (bytes, overflow) = parameter.count.multipliedReportingOverflow(by: elementType.size)
    try requireMemory(overflow ? .max : bytes, for: "`\(parameter.path)`")
    switch parameter.origin {
    case .values(let node):
      guard let tensor = AnyTensor(node, elementType: elementType) else {
        throw Failure(.invalidData, "`\(parameter.path)` is ragged")
      }
      return tensor
    case .number(let node):
      let value = node.number ?? 0
      return elementType == .float32
        ? .float32(Tensor(shape: parameter.shape, repeating: Float(value)))
        : .float64(Tensor(shape: parameter.shape, repeating: value))
    case .binary(let node):
      guard case .binary(let bytes)? = node.scalar?.value else { throw Failure(.invalidData, "not binary") }
      return AnyTensor(littleEndianBytes: bytes, shape: parameter.shape, elementType: elementType)
    case .file(let reference), .weights(let reference):
      guard let array = parameter.array else { throw Failure(.cannotRead, "`\(reference.writtenFile)` is not open") }
      let tensor = try array.read(as: elementType)
      if let index = tensor.firstNonFiniteIndex { throw notFinite(parameter, in: reference, at: index) }
      return tensor
    case .drawn(let drawing, _):
      let declaration = parameter.declaration
      return drawing.initialiser.draw(
        shape: parameter.shape, fanIn: declaration.fanIn, fanOut: declaration.fanOut,
        seed: UInt64(bitPattern: Int64(drawing.seed ?? seed)), path: parameter.path, as: elementType)
    }
  }

  /// What is wrong with the values of parameters that files hold, which a loaded model has not read yet.
  package var storedValueDiagnostics: [Diagnostic] {
    parameters.indices.compactMap { index in
      let place: SourcePlace
      switch parameters[index].origin {
      case .file: place = parameters[index].place
      case .weights: place = root["weights"]?.place(in: source) ?? parameters[index].place
      case .values, .number, .binary, .drawn: return nil
      }
      do throws(Failure) {
        _ = try value(of: index)
        return nil
      } catch {
        return Diagnostic(error.kind == .cannotRead ? .missingFile : .parameterValue, error.message, at: place)
      }
    }
  }

  /// Writes the values of a parameter of a float32 model into `target`, which has its count. Throws as `value` does.
  @unsafe
  package func readValue(of index: Int, into target: UnsafeMutableBufferPointer<Float>) throws(Failure) {
    let parameter = parameters[index]
    switch parameter.origin {
    case .file(let reference), .weights(let reference):
      guard let array = parameter.array else { throw Failure(.cannotRead, "`\(reference.writtenFile)` is not open") }
      try unsafe array.read(into: target)
      if let place = UnsafeBufferPointer(target).firstNonFiniteIndex {
        throw notFinite(parameter, in: reference, at: place)
      }
    default: _ = unsafe target.update(fromContentsOf: try value(of: index).converted(to: Float.self).elements)
    }
  }

  private func notFinite(_ parameter: Parameter, in reference: ArrayReference, at index: Int) -> Failure {
    Failure(
      .invalidData,
      "`\(parameter.path)` in `\(reference.writtenFile)` is not finite at index \(index); parameters are finite numbers that fit \(elementType.rawValue)"
    )
  }

  /// The parameters that the outputs need and that are drawn, having no values anywhere.
  public var drawnParameters: [Parameter] {
    let used = Set(layers.filter(\.isUsed).flatMap(\.parameters))
    return parameters.enumerated().filter { index, parameter in
      if case .drawn = parameter.origin { used.contains(index) && newValues[index] == nil } else { false }
    }.map(\.element)
  }
}
