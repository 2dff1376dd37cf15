import Communication
import Diagnostics
import Files
import ModelFile
import Tensors

/// A training run's state as a `.safetensors` file: arrays named by what they are and the parameter's path, and in the
/// metadata what is a number or a text.
struct Checkpoint {
  private static let format = "nnrun checkpoint 1"
  private let arrays: [(key: String, value: AnyTensor)]
  private let metadata: [(key: String, value: String)]

  /// The state of a run.
  init<Scalar: TensorScalar>(_ state: TrainingState<Scalar>, of trainer: Trainer) {
    var arrays: [(key: String, value: AnyTensor)] = []
    for (index, parameter) in trainer.model.parameters.enumerated() {
      arrays.append(("parameter/\(parameter.path)", state.parameters[index].erased))
      for (name, values) in [("first", state.optimizer.first[index]), ("second", state.optimizer.second[index])]
      where !values.isEmpty {
        arrays.append(
          ("\(name)/\(parameter.path)", Tensor<Scalar>(shape: parameter.shape, elements: values).erased))
      }
      if let best = state.bestParameters { arrays.append(("best/\(parameter.path)", best[index].erased)) }
    }
    self.arrays = arrays
    metadata =
      [
        ("format", Self.format), ("optimizer", trainer.configuration.optimizer.kind.rawValue),
        ("steps", "\(state.optimizer.steps)"), ("seed", "\(trainer.configuration.seed)"),
        ("history", state.history.map(Self.line).joined(separator: "\n")),
      ] + trainer.configuration.checkpointSettings
  }

  /// Reads a checkpoint; of the ranks of a job the first one does, and hands it round. Throws where there is none, or it is
  /// something else.
  init(reading path: FilePath, _ communicator: Communicator? = nil) throws(Failure) {
    let file: ArrayFile
    if let communicator, !communicator.isAlone {
      let bytes = try communicator.agree(
        Result { () throws(Failure) in communicator.leads ? try readWholeFile(path, limit: .max) : [] })
      file = try ArrayFile(
        InputFile(name: path.description, bytes: try communicator.broadcast(bytes)), suffix: path.suffix)
    } else {
      file = try ArrayFile(path)
    }
    guard case .archive(let archive) = file else {
      throw Failure(.invalidData, "\(path): this is an array, not a checkpoint")
    }
    metadata = archive.metadata
    guard metadata.first(where: { $0.key == "format" })?.value == Self.format else {
      throw Failure(.invalidData, "\(path): this is not a checkpoint of a training run")
    }
    arrays = try archive.keys.map { key throws(Failure) in (key, try archive.read(key)) }
  }

  /// Throws now what writing to `path` would throw after the first epoch.
  static func requirePlace(_ path: FilePath) throws(Failure) { _ = try OutputFile(path, isKept: true) }

  /// Writes the checkpoint in place of an older one, at once and whole.
  func write(to path: FilePath) throws(Failure) {
    let file = try OutputFile(path, isKept: true)
    try writeSafetensors(arrays, metadata: metadata, to: file)
    try file.finish(flushing: true)
  }

  /// Puts the saved state in place. Throws where it is of another model, optimiser or seed.
  func restore<Scalar: TensorScalar>(_ state: inout TrainingState<Scalar>, for trainer: Trainer) throws(Failure) {
    let saved = Dictionary(arrays.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    let notes = Dictionary(metadata.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    let configuration = trainer.configuration
    for (name, value) in [
      ("optimizer", configuration.optimizer.kind.rawValue), ("seed", "\(configuration.seed)"),
    ] where notes[name] != value {
      throw Failure(
        .invalidData, "the checkpoint was made with `\(name)` \(notes[name] ?? "unknown"), but this run has \(value)")
    }
    func array(_ kind: String, _ index: Int) throws(Failure) -> Tensor<Scalar> {
      let parameter = trainer.model.parameters[index]
      guard let tensor = saved["\(kind)/\(parameter.path)"], tensor.shape == parameter.shape,
        tensor.elementType == Scalar.elementType
      else {
        throw Failure(
          .invalidData,
          "the checkpoint is of another model: it has no `\(parameter.path)` of shape \(text(parameter.shape))")
      }
      return tensor.converted(to: Scalar.self)
    }
    let indices = trainer.model.parameters.indices
    state.parameters = try indices.map { index throws(Failure) in try array("parameter", index) }
    state.optimizer = Optimizer(configuration.optimizer, counts: state.parameters.map(\.elements.count))
    for index in indices {
      if !state.optimizer.first[index].isEmpty { state.optimizer.first[index] = try array("first", index).elements }
      if !state.optimizer.second[index].isEmpty { state.optimizer.second[index] = try array("second", index).elements }
    }
    var best: [Tensor<Scalar>]?
    if arrays.contains(where: { $0.key.hasPrefix("best/") }) {
      best = try indices.map { index throws(Failure) in try array("best", index) }
    }
    guard let steps = notes["steps"].flatMap({ Int($0) }), let history = notes["history"] else {
      throw Failure(.invalidData, "the checkpoint says nothing of its steps and epochs")
    }
    state.optimizer.steps = steps
    var records: [EpochRecord] = []
    for line in history.split(separator: "\n") {
      guard let record = Self.record(line) else { throw Failure(.invalidData, "the checkpoint's history is damaged") }
      records.append(record)
    }
    state.restore(records, bestParameters: best)
  }

  /// A record as text: epoch, loss, validation loss, then the metrics and the validation's, in exact decimals.
  private static func line(_ record: EpochRecord) -> String {
    let lists = [
      ["\(record.epoch)"], ["\(record.loss)"], record.validationLoss.map { ["\($0)"] } ?? [],
      record.metrics.map { "\($0)" }, record.validationMetrics.map { "\($0)" },
    ]
    return lists.map { $0.joined(separator: " ") }.joined(separator: ",")
  }

  private static func record(_ line: Substring) -> EpochRecord? {
    let lists = line.split(separator: ",", omittingEmptySubsequences: false).map { field in
      field.split(separator: " ").compactMap { Double($0) }
    }
    guard lists.count == 5, let epoch = lists[0].first.flatMap({ Int(exactly: $0) }), let loss = lists[1].first else {
      return nil
    }
    return EpochRecord(
      epoch: epoch, loss: loss, metrics: lists[3], validationLoss: lists[2].first, validationMetrics: lists[4])
  }
}
