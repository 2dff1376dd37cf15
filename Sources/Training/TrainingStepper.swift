public import Diagnostics
import ModelFile
import Tensors

/// Takes single steps of training, to be timed: the data's first batch again and again.
public final class TrainingStepper {
  private let take: () throws(Failure) -> Double

  /// A stepper that trains as `trainer` would.
  public init(_ trainer: Trainer) throws(Failure) {
    take =
      switch trainer.model.elementType {
      case .float32: try Self.steps(Float.self, trainer)
      case .float64: try Self.steps(Double.self, trainer)
      }
  }

  /// One step: forward, backward, update. Returns the loss before the update; throws where training diverges.
  public func step() throws(Failure) -> Double { try take() }

  private static func steps<Scalar: TensorScalar>(
    _: Scalar.Type, _ trainer: Trainer
  ) throws(Failure) -> () throws(Failure) -> Double {
    var state = try TrainingState<Scalar>(trainer)
    let session = try TrainingSession<Scalar>(trainer, state)
    return { () throws(Failure) in try session.takeFirstStep(&state) }
  }
}
