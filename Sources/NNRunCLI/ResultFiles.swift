import Diagnostics
import Files
import Tensors

extension ResultFormat {
  /// What writes results in this form; the file is opened at once, so that a run does not end in vain.
  func writer(_ results: [ResultDescription], elementType: ElementType) throws(Failure) -> any ResultWriter {
    switch self {
    case .npy(let path): try NPYResultWriter(results[0], to: OutputFile(FilePath(path)), elementType: elementType)
    case .npz(let path): NPZResultWriter(results, to: try OutputFile(FilePath(path)), elementType: elementType)
    case .json(let path): JSONResultWriter(results, to: try OutputFile(FilePath(path)))
    case .csv(let path): try CSVResultWriter(results, to: OutputFile(FilePath(path)))
    }
  }
}

/// Writes one result as `.npy`, batch by batch.
private final class NPYResultWriter: ResultWriter {
  private let file: OutputFile
  private let writer: NPYWriter

  init(_ result: ResultDescription, to file: OutputFile, elementType: ElementType) throws(Failure) {
    self.file = file
    writer = try NPYWriter(to: file, type: StoredType(elementType), shape: result.shape)
  }

  func append(_ tensors: [AnyTensor]) throws(Failure) { try writer.append(tensors[0]) }

  func finish() throws(Failure) {
    try writer.finish()
    try file.finish()
  }
}

/// Writes the results as `.npz`, batch by batch.
private final class NPZResultWriter: ResultWriter {
  private let file: OutputFile
  private let writer: NPZWriter

  init(_ results: [ResultDescription], to file: OutputFile, elementType: ElementType) {
    self.file = file
    writer = NPZWriter(to: file, results.map { ($0.name, elementType, $0.shape) })
  }

  func append(_ tensors: [AnyTensor]) throws(Failure) {
    for (index, tensor) in tensors.enumerated() { try writer.append(tensor, to: index) }
  }

  func finish() throws(Failure) {
    try writer.finish()
    try file.finish()
  }
}

/// Writes the results as `.csv`, a line for each row, batch by batch.
private final class CSVResultWriter: ResultWriter {
  private let file: OutputFile

  init(_ results: [ResultDescription], to file: OutputFile) throws(Failure) {
    if let first = results.first, let other = results.first(where: { $0.shape.first != first.shape.first }) {
      throw Failure(
        .invalidData,
        "a .csv file has one line for each row, but `\(first.name)` is \(first.shapeText) and `\(other.name)` is \(other.shapeText)"
      )
    }
    self.file = file
    try file.write(TableText.csvHeading(results.map { ($0.name, Array($0.shape.dropFirst())) }))
  }

  func append(_ tensors: [AnyTensor]) throws(Failure) { try file.write(TableText.csvRows(tensors)) }

  func finish() throws(Failure) { try file.finish() }
}
