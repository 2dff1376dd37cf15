import Diagnostics
import Tensors

/// One of the results that a run gives: its name and its whole shape.
struct ResultDescription {
  let name: String
  let shape: [Int]

  /// The shape in words.
  var shapeText: String { "[" + shape.map(String.init).joined(separator: ", ") + "]" }
}

/// Takes the results of a run, batch by batch.
protocol ResultWriter: AnyObject {
  /// Takes the results of the next batch.
  func append(_ tensors: [AnyTensor]) throws(Failure)
  /// Everything was given.
  func finish() throws(Failure)
}
