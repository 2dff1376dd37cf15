package import Diagnostics
import Files

/// The largest model or text file that is read whole: 2 GiB.
let largestTextFile = 1 << 31

/// The bytes of a text file. Throws where it is missing, too large, or not a regular file.
package func readTextFile(_ path: String) throws(Failure) -> [UInt8] {
  try readWholeFile(FilePath(path), limit: largestTextFile)
}
