/// How a batch is cut for a sum over it: into a power of two of pieces, by the problem and never by the number of threads.
///
/// Piece p of n has the images from batch * p / n on. Each piece's sum is computed on its own; a step of its own adds the
/// pieces, neighbours first, then neighbours of those. So a sum has the same bits however the pieces are spread over
/// threads, or over machines that each own whole pieces and add their sums on the upper levels of the same tree.
public struct BatchPieces: Hashable, Sendable {
  /// The most pieces there are.
  public static let most = 8
  /// The number of pieces: 1, 2, 4 or 8.
  public let count: Int

  /// As many pieces as can be, at most `atMost` and no more than the batch has images.
  public init(batch: Int, atMost: Int = Self.most) {
    var count = 1
    while count * 2 <= min(batch, atMost, Self.most) { count *= 2 }
    self.count = count
  }
}
