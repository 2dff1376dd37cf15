import Diagnostics
import Memory

/// Lists of nothing but numbers become one array as they are read.
extension NodeBuilder {
  /// Stops where there is no memory for the packed numbers to double.
  mutating func requireMemory(for count: Int, at reader: borrowing EventReader) {
    guard !MemoryLimit.allows(3 * count * MemoryLayout<Double>.size) else { return }
    let start = cursor.offset(of: reader.startIndex)
    report(
      .tooManyValues, "more than \(count) numbers stand before this one, and there is no memory for more",
      at: SourceRange(start: start, end: start))
    isStopped = true
  }

  /// Takes the last numbers off the stack as a list of `shape`.
  mutating func popNumbers(shape: [Int]) -> NumberList {
    let first = values.count - shape.reduce(1, *)
    var floats: [Int: Float] = [:]
    while let last = corrections.last, last.index >= first {
      floats[last.index - first] = last.value
      corrections.removeLast()
    }
    var popped: [Double] = []
    if first == 0 {
      swap(&popped, &values)
    } else {
      popped = Array(values[first...])
      values.removeLast(values.count - first)
    }
    return NumberList(shape: shape, values: popped, floatCorrections: floats)
  }

  /// Makes nodes of the packed items of a list, because something else follows.
  mutating func unpack(_ index: Int) {
    frames[index].isPacking = false
    guard frames[index].packedCount > 0, let itemShape = frames[index].itemShape else { return }
    let numbers = popNumbers(shape: [frames[index].packedCount] + itemShape)
    nodeCount += frames[index].packedCount
    guard nodeCount <= mostNodes else {
      return reportTooManyNodes(at: SourceRange(start: frames[index].start, end: frames[index].start))
    }
    frames[index].items = numbers.items(in: source.bytes, from: frames[index].start)
    frames[index].end = max(frames[index].end, frames[index].items.last?.range.end ?? 0)
    cost += frames[index].packedCount * (Self.nodeCost - 1)
  }
}

extension NodeBuilder.Frame {
  /// Whether a row of `count` items of `shape` continues the rectangle; the first one begins it.
  mutating func accepts(_ count: Int, _ shape: [Int]) -> Bool {
    guard let itemShape else {
      itemShape = [count] + shape
      return true
    }
    return itemShape.count == shape.count + 1 && itemShape[0] == count && itemShape.dropFirst().elementsEqual(shape)
  }
}
