import CKernels

/// How a batch is cut for a sum over it: into a power of two of pieces, by the problem and never by the number of threads.
///
/// Piece p of n has the images from batch * p / n on. Each piece's sum is computed on its own; a step of its own adds the
/// pieces, neighbours first, then neighbours of those. So a sum has the same bits however the pieces are spread over
/// threads, or over machines that each own whole pieces and add their sums on the upper levels of the same tree.
public struct BatchPieces: Hashable, Sendable {
  /// The most pieces there are.
  public static let most = 8
  /// The images of the whole batch.
  public let batch: Int
  /// The number of pieces of the whole batch: 1, 2, 4 or 8.
  public let whole: Int
  /// The pieces that are summed here: all of them, but for a machine that has only some of the images.
  public let own: Range<Int>

  /// The number of pieces that are summed here.
  public var count: Int { own.count }

  /// As many pieces as can be, at most `atMost` and no more than the batch has images.
  public init(batch: Int, atMost: Int = Self.most) {
    var count = 1
    while count * 2 <= min(batch, atMost, Self.most) { count *= 2 }
    self.init(batch: batch, whole: count, own: 0..<count)
  }

  private init(batch: Int, whole: Int, own: Range<Int>) {
    (self.batch, self.whole, self.own) = (batch, whole, own)
  }

  /// Some of the pieces, where only their images are at hand.
  public subscript(own: Range<Int>) -> BatchPieces { BatchPieces(batch: batch, whole: whole, own: own) }

  /// As kernels take them.
  var arguments: NNPieces { NNPieces(rows: batch, of: whole, first: own.lowerBound, count: own.count) }
}
