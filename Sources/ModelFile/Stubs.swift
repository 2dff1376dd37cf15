import Diagnostics
import Tensors
import YAML
import Glibc
enum FileReading {
  static func read(_ path: String) throws(Failure) -> [UInt8] {
    guard let f = unsafe fopen(path, "r") else { throw Failure(.cannotRead, "no " + path) }
    var out: [UInt8] = []
    while true { let c = unsafe getc(f); if c < 0 { break }; out.append(UInt8(c)) }
    return out
  }
}
struct ArrayArchive {
  init(path: String) throws(Failure) {}
  let names: [String] = []; let isSingle = false
  func shape(of: String) -> [Int] { [] }
  func read(_ key: String?, as type: ElementType) throws(Failure) -> AnyTensor { throw Failure(.invalidData, "") }
}
enum ModelSchema {
  static func validate(_ node: Node, source: SourceText) -> [Diagnostic] { [] }
  static func validateLayers(_ node: Node, source: SourceText) -> [Diagnostic] { [] }
}
extension AnyTensor {
  init(littleEndian: [UInt8], shape: [Int], elementType: ElementType) {
    self = .float32(Tensor(shape: shape, repeating: 0))
  }
  var firstNonFiniteIndex: Int? { nil }
}
extension Parameter.Drawing {
  func draw(_ p: Parameter, seed: Int, elementType: ElementType) -> AnyTensor {
    .float32(Tensor(shape: p.shape, repeating: 0))
  }
}
