import Diagnostics
import Tensors
import YAML

enum ModelSchema {
  static func validate(_ node: Node, source: SourceText) -> [Diagnostic] { [] }
  static func validateLayers(_ node: Node, source: SourceText) -> [Diagnostic] { [] }
}
extension Parameter.Drawing {
  func draw(_ p: Parameter, seed: Int, elementType: ElementType) -> AnyTensor {
    .float32(Tensor(shape: p.shape, repeating: 0.1))
  }
}
