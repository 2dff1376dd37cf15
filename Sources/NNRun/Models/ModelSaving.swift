public import Diagnostics
import Files
public import ModelFile
public import Tensors

extension Model {
  /// The values of the parameter with this path, read or drawn at every call.
  ///
  /// Throws `usage` where there is no such parameter, `cannotRead` or `invalidData` where its file changed or vanished
  /// since the model was loaded, or holds numbers that are not finite.
  public func values(of path: String) throws(Failure) -> AnyTensor { try value(of: index(of: path)) }

  /// The model with other values for some of its parameters, by path; its files stay as they are until it is saved.
  ///
  /// Each element is rounded once to the model's type. Throws `usage` where there is no such parameter, `invalidData`
  /// where a shape is not the parameter's or a number is not finite.
  public func replacing(_ values: [String: AnyTensor]) throws(Failure) -> Model {
    var new: [Int: AnyTensor] = [:]
    for (path, tensor) in values {
      let index = try index(of: path)
      let parameter = parameters[index]
      guard tensor.shape == parameter.shape else {
        throw Failure(
          .invalidData,
          "the parameter `\(path)` has the shape \(parameter.shape), but the new values \(tensor.shape)")
      }
      let converted = tensor.converted(to: elementType)
      if let place = converted.firstNonFiniteIndex {
        throw Failure(.invalidData, "the new values of `\(path)` are not finite at index \(place)")
      }
      new[index] = converted
    }
    return replacing(new)
  }

  /// Writes the values that replaced others to where the old ones came from: into the text of the model's file or the
  /// files of weights, all of them together or none (docs/format.md, "What is written back").
  ///
  /// Returns the model as it now stands in its files. Throws `busy` where a file changed since it was read, or the model
  /// is being trained by another process, `cannotCreate` or `inputOutput` where a file cannot be written.
  @discardableResult
  public func save() throws(Failure) -> Model {
    try asRead.writeBack(newValues, lock: ModelLock(FilePath(path)))
    return try Model(path: path)
  }

  /// Writes the model with its values to `output`, and its files of weights beside it; the model's own files stay.
  ///
  /// Returns the copy. Throws `cannotCreate` where a file is there already, unless `replacing` is set, or cannot be
  /// written.
  @discardableResult
  public func save(to output: String, replacing: Bool = false) throws(Failure) -> Model {
    try asRead.writeCopy(newValues, to: FilePath(output), replacing: replacing)
    return try Model(path: output)
  }

  private func index(of path: String) throws(Failure) -> Int {
    if let index = parameters.firstIndex(where: { $0.path == path }) { return index }
    let near = suggestion(for: path, among: parameters.map(\.path))
    throw Failure(
      .usage, "there is no parameter `\(printable(path))`" + (near.map { "; did you mean `\($0)`?" } ?? ""))
  }
}
