public import Diagnostics
import ModelFile
import Tensors

/// Takes steps of training, to be timed: the data's first batch again and again.
public final class TrainingStepper {
  /// How many steps were taken, one that diverged included.
  public private(set) var stepCount = 0
  private let take: (Int) -> (taken: Int, loss: Result<Double, Failure>)

  /// A stepper that trains as `trainer` would.
  public init(_ trainer: Trainer) throws(Failure) {
    take =
      switch trainer.model.elementType {
      case .float32: try Self.steps(Float.self, trainer)
      case .float64: try Self.steps(Double.self, trainer)
      }
  }

  /// Steps one after the other: forward, backward, update. Returns the last one's loss before its update; throws where
  /// training diverges.
  public func step(times: Int = 1) throws(Failure) -> Double {
    let (taken, loss) = take(times)
    stepCount += taken
    return try loss.get()
  }

  private static func steps<Scalar: TensorScalar>(
    _: Scalar.Type, _ trainer: Trainer
  ) throws(Failure) -> (Int) -> (taken: Int, loss: Result<Double, Failure>) {
    var state = try TrainingState<Scalar>(trainer)
    let session = try TrainingSession<Scalar>(trainer, state)
    return { session.takeFirstStep(times: $0, &state) }
  }
}
