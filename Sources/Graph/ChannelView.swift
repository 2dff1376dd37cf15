import Tensors

/// A tensor seen as [batch, channels, places]: axis 1 holds the channels, what follows is one run of places.
struct ChannelView {
  let batch: Int
  let channels: Int
  let places: Int

  init(_ shape: [Int]) {
    batch = shape[0]
    channels = shape[1]
    places = shape[2...].reduce(1, *)
  }

  /// The elements of channel `channel` of row `row` of the batch.
  func range(row: Int, channel: Int) -> Range<Int> {
    let start = (row * channels + channel) * places
    return start..<start + places
  }

  /// Checks that a value has channels, and that a vector has one entry for each.
  static func check(_ x: Shape, vectors: [Shape], named name: String) throws(ShapeError) {
    guard x.count == 2 || x.count == 4 else {
      throw ShapeError("\(name) needs an input of rank 2 or rank 4, but it takes \(x)")
    }
    for vector in vectors where vector.count != 1 || !vector[0].mayEqual(x[1]) {
      throw ShapeError(
        "\(name) has parameters of shape \(vector), but the input \(x) has \(x[1]) channels", culprit: .parameter)
    }
  }
}
