package import Diagnostics
package import Files
import Layers
package import Tensors

/// How the arrays of a file are named.
package enum WeightNames: String, Sendable, CaseIterable {
  /// By the paths of parameters.
  case paths
  /// As PyTorch's `state_dict` names those of the usual modules.
  case pytorch
}

/// Values for all parameters of a model, taken from a file.
package struct SourcedValues: Sendable {
  /// The values, by the parameters' indices.
  package fileprivate(set) var values: [Int: AnyTensor] = [:]
  /// The modules of PyTorch that were told by their order, not their names, with the layers that they are.
  package let matches: [(module: String, layer: String)]
}

extension Model {
  /// The values of all parameters from a `.safetensors` or `.npz` file.
  ///
  /// Throws `invalidData` with all that is missing, left over, of the wrong shape, or not finite.
  package func values(from file: FilePath, names: WeightNames) throws(Failure) -> SourcedValues {
    guard case .archive(let archive) = try ArrayFile(file) else {
      throw Failure(.invalidData, "\(file) holds one array without a name; a .safetensors or .npz file is needed")
    }
    let theirs = names == .pytorch ? try PyTorchNames(self, in: archive) : nil
    let keys = theirs?.keys ?? parameters.map(\.path)
    var result = SourcedValues(matches: theirs?.matches ?? [])
    var problems: [String] = []
    var taken: Set<String> = []
    for (index, parameter) in parameters.enumerated() {
      let key = keys[index]
      guard archive.contains(key) else {
        let near = suggestion(for: key, among: archive.keys).map { "; did you mean `\(printable($0))`?" } ?? ""
        problems.append("there is no array `\(printable(key))` for `\(parameter.path)`\(near)")
        continue
      }
      taken.insert(key)
      let source = try archive.source(key)
      guard source.shape == parameter.shape else {
        problems.append(
          "`\(printable(key))` has the shape \(text(source.shape)), but `\(parameter.path)` needs \(text(parameter.shape))"
        )
        continue
      }
      let value = try source.read(as: elementType)
      if let place = value.firstNonFiniteIndex {
        problems.append("`\(printable(key))` is not finite at index \(place)")
      }
      result.values[index] = value
    }
    for key in archive.keys where !taken.contains(key) {
      // A counter of PyTorch's, which nothing is computed from.
      if names == .pytorch, key == "num_batches_tracked" || key.hasSuffix(".num_batches_tracked") { continue }
      let near = suggestion(for: key, among: keys).map { "; the nearest is `\($0)`" } ?? ""
      problems.append("no parameter takes the array `\(printable(key))`\(near)")
    }
    guard problems.isEmpty else {
      let shown = problems.prefix(50).map { "\n  " + $0 }.joined()
      let more = problems.count > 50 ? "\n  and \(problems.count - 50) more" : ""
      throw Failure(.invalidData, "the arrays of \(file) do not fit the model:\(shown)\(more)")
    }
    return result
  }
}
