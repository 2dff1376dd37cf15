import Tensors
import YAML

/// Every finite float32 through text and back, by the printer that saves models and the lexer that loads them
/// (`make check-floats`): `AllFloats [FIRST LAST]`, in pieces of 2^24 of the 256 that there are.
@main
enum AllFloats {
  static func main() {
    let words = CommandLine.arguments.dropFirst().compactMap { Int($0) }
    let (first, last) = words.count == 2 ? (words[0], words[1]) : (0, 255)
    var checked = 0
    for piece in first...last {
      for low in 0..<UInt32(1 << 24) {
        let value = Float(bitPattern: UInt32(piece) << 24 | low)
        guard value.isFinite else { continue }
        checked += 1
        var text = value.shortestText
        let lexed = text.withUTF8 { unsafe NumberLexer.lex($0.span) }
        guard let lexed, (lexed.floatCorrection ?? Float(lexed.value)).bitPattern == value.bitPattern else {
          fatalError("\(text) does not read back to the bits \(value.bitPattern)")
        }
      }
      print("piece \(piece) of 255: \(checked) numbers so far, all the same")
    }
  }
}
