/// One thing that two models have otherwise, their parameters' values aside.
public struct ModelChange: Sendable {
  /// The part of the file that it is in.
  public enum Section: String, Sendable, CaseIterable {
    case model, inputs, blocks, layers, outputs, training, tests
  }

  /// What became of it.
  public enum Kind: String, Sendable {
    case added, removed, changed, moved, renamed
  }

  /// The part of the file.
  public let section: Section
  /// What it is: `stem.filters`, `learning-rate.initial`.
  public let path: String
  /// What became of it.
  public let kind: Kind
  /// What it was, where it was there.
  package let old: FileValue?
  /// What it is now, where it is there.
  package let new: FileValue?
}
