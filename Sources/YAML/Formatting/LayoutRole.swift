package import Diagnostics

/// What a value is for in its file, as far as that decides how it is laid out.
package protocol LayoutRole {
  /// The order of a mapping's keys; nil where their order is the author's.
  func order(of mapping: SyntaxElement, in source: SourceText) -> [String]?
  /// The role of the value under a key of a mapping.
  func role(under key: String, of mapping: SyntaxElement, in source: SourceText) -> Self
  /// The role of the items of a list.
  var ofItems: Self { get }
  /// Whether a list has a line, or more, for each item.
  var isListOfLines: Bool { get }
  /// Whether a mapping of words that stands in lines stays so.
  var keepsLines: Bool { get }
  /// Whether an empty line stands before an entry of the file's root.
  func spacing(before key: String) -> LayoutSpacing
}

/// Whether an empty line stands before an entry of a file's root.
package enum LayoutSpacing {
  /// One does, where the file has any.
  case always
  /// None does.
  case never
  /// As the author has it.
  case author
}
