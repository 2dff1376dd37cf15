/// The candidate that a person who wrote `word` probably meant, by edit distance; nil where none is near.
public func suggestion(for word: String, among candidates: some Sequence<String>) -> String? { nil }
