package import Diagnostics

extension Node {
  /// A place in the text from which some of a list's numbers come.
  package enum NumberPlace {
    /// A number of the list itself.
    case number(SourceRange)
    /// An alias among the items of the list, and the numbers that it stands for.
    case alias(SourceRange, Node)
  }

  /// The places of the numbers of a list, or of a number, in order; nil where they are not all in the text (a block's
  /// parameter stands for some).
  package func numberPlaces(in source: SourceText) -> [NumberPlace]? {
    let layout = SourceLayout(source)
    var places: [NumberPlace] = []
    guard collect(layout, source, into: &places) else { return nil }
    return places
  }

  private func collect(_ layout: SourceLayout, _ source: SourceText, into places: inout [NumberPlace]) -> Bool {
    guard definition == nil else { return false }
    switch content {
    case .mapping: return false
    case .scalar:
      guard range.end > range.start else { return false }
      places.append(.number(range))
    case .numbers(let list):
      let before = places.count
      forEachNumberRange(in: source) { places.append(.number($0)) }
      return places.count - before == list.values.count
    case .sequence(let items):
      var position = range.start + (layout.byte(range.start) == UInt8(ascii: "[") ? 1 : 0)
      for item in items {
        if item.range.start >= position, item.range.end <= range.end {
          guard item.collect(layout, source, into: &places) else { return false }
          position = item.range.end
          continue
        }
        // An item that stands elsewhere is here as an alias.
        while position < range.end, layout.byte(position) != UInt8(ascii: "*") {
          let next = layout.skippingSpace(position)
          position = next > position ? next : position + 1
        }
        guard position < range.end else { return false }
        var end = position + 1
        while end < range.end, let byte = layout.byte(end), byte != UInt8(ascii: ","), byte != UInt8(ascii: "]"),
          !SourceLayout.isBlank(byte), !SourceLayout.isBreak(byte)
        {
          end += 1
        }
        places.append(.alias(SourceRange(start: position, end: end), item))
        position = end
      }
    }
    return true
  }

  /// The number of numbers in a list, or 1 for a number.
  package var numberCount: Int {
    switch content {
    case .scalar: 1
    case .numbers(let list): list.values.count
    case .sequence(let items): items.reduce(0) { $0 + $1.numberCount }
    case .mapping: 0
    }
  }
}
