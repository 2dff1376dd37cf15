import Diagnostics
import Tensors
func numpyText(_ t: AnyTensor) -> String { "\(t)" }
func jsonText(_ t: some Sequence<(String, AnyTensor)>) -> String { "" }
extension ResultFormat {
  func writer(_ r: [ResultDescription], elementType: ElementType) throws(Failure) -> any ResultWriter { TextPrinter(r) }
}
