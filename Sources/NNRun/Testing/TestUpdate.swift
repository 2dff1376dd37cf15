public import Diagnostics
public import Files
public import ModelFile
import Tensors
import YAML

/// New expected values for a model's tests, in place of those that differ.
public struct TestUpdate: Sendable {
  private let model: Model
  private let differences: [TestDifference]

  /// The update that makes the model's tests expect what came out; counts that are not known stay.
  public init(_ model: Model, _ differences: [TestDifference]) {
    self.model = model
    self.differences = differences.filter { if case .count(_, nil) = $0.finding { false } else { true } }
  }

  /// Whether there is nothing to change.
  public var isEmpty: Bool { differences.isEmpty }

  /// What would change, a line each: the place, the name, and how much.
  public var lines: [String] {
    differences.map { difference in
      let position = difference.expectation.entry.value.place(in: model.source).start
      return "\(model.path):\(position.line):\(position.column): \(difference.text)"
    }
  }

  /// Writes the new values, all or none: numbers in the text in place of the old ones, arrays into the files that tests
  /// name. All else in the text, comments included, stays. Returns the files that were written.
  ///
  /// Throws `busy` where a file changed since the model was read, `cannotCreate` where one cannot be written, and
  /// `invalidData` where the text shares a value in a way that cannot be edited.
  public func write() throws(Failure) -> [FilePath] {
    try model.replaceExpectations(
      differences.map { difference in
        let expectation = difference.expectation
        let value: ExpectedValue.Value =
          switch (difference.finding, expectation.found) {
          case (.count(_, let found?), _): .count(found)
          case (_, let found?): .array(rounded(found, difference.finding))
          default: .count(0)
          }
        return ExpectedValue(mapping: expectation.mapping, entry: expectation.entry, value: value)
      })
  }

  /// Losses are double precision, but those of a float32 model have no more digits to tell than it has.
  private func rounded(_ value: AnyTensor, _ finding: TestDifference.Finding) -> AnyTensor {
    guard model.elementType == .float32, case .numbers(let numbers) = finding, numbers.tolerance >= 1e-6 else {
      return value
    }
    return .float32(value.converted(to: Float.self))
  }
}
