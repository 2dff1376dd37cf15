package import Communication
import Kernels

/// A rank's share of the batches that the ranks of a job train on together.
package struct BatchShare: Sendable {
  /// How the sums over the batch are made up.
  package enum Sums: Sendable {
    /// To the same bits whatever the number of ranks: of the pieces that a single process has, by the same tree.
    case ofPieces
    /// Of one sum a rank, which is less work and less to send; the bits depend on the number of ranks.
    case ofRanks
  }

  /// The ranks that share this batch, in the order of their rows. Where a batch has fewer pieces than there are ranks,
  /// several teams of ranks do the same.
  let team: Communicator
  /// The rows of the whole batch.
  package let whole: Int
  /// The rows of this rank.
  package let rows: Range<Int>
  let sums: Sums
  /// The most pieces that sums over the batch have.
  private let pieces: Int

  /// The share of a batch of so many rows; nil where each rank takes all of them.
  package init?(of rows: Int, among communicator: Communicator, sums: Sums) {
    switch sums {
    case .ofPieces:
      pieces = BatchPieces(batch: rows).whole
      team = communicator.team(of: pieces)
    case .ofRanks:
      pieces = communicator.size
      team = rows < communicator.size ? communicator.team(of: 1) : communicator
    }
    guard !team.isAlone else { return nil }
    self.sums = sums
    whole = rows
    self.rows = Self.rows(of: team, rank: team.rank, whole, pieces)
  }

  private static func rows(of team: Communicator, rank: Int, _ whole: Int, _ pieces: Int) -> Range<Int> {
    let share = team.share(of: pieces, rank: rank)
    return whole * share.lowerBound / pieces..<whole * share.upperBound / pieces
  }

  /// The number of rows of each rank.
  var counts: [Int] { (0..<team.size).map { Self.rows(of: team, rank: $0, whole, pieces).count } }

  /// How many pieces of a sum each rank has, where its rows are whole pieces of it.
  func counts(of sum: BatchPieces) -> [Int]? {
    let ends = (0..<team.size).map { team.share(of: pieces, rank: $0).upperBound * sum.whole }
    guard ends.allSatisfy({ $0 % pieces == 0 }) else { return nil }
    let starts = [0] + ends.map { $0 / pieces }
    let counts = zip(starts.dropFirst(), starts).map { $0 - $1 }
    return counts.contains(0) ? nil : counts
  }

  /// Whether each rank has one branch of the tree by which pieces are added.
  var hasWholeBranches: Bool { sums == .ofRanks || team.size & (team.size - 1) == 0 }
}
