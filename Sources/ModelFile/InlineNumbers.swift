package import Tensors
package import YAML

extension AnyTensor {
  /// The numbers of nested lists, or one number, in the text of a model; nil where the lists are ragged.
  ///
  /// Each number's text is rounded to the element type at once.
  package init?(_ node: Node, elementType: ElementType) {
    guard case .rectangle(let shape) = NestedNumbers(node) else { return nil }
    switch elementType {
    case .float32:
      var elements: [Float] = []
      Self.append(node, to: &elements)
      self = .float32(Tensor(shape: shape, elements: elements))
    case .float64:
      if let list = node.numbers {
        self = .float64(Tensor(shape: shape, elements: list.values))
        return
      }
      var elements: [Double] = []
      forEachNumber(in: node) { value, _ in elements.append(value) }
      self = .float64(Tensor(shape: shape, elements: elements))
    }
  }

  /// Packed numbers say themselves where rounding to `Float` by way of `Double` would differ.
  private static func append(_ node: Node, to elements: inout [Float]) {
    switch node.content {
    case .numbers(let list):
      let first = elements.count
      elements.append(contentsOf: list.values.lazy.map { Float($0) })
      for (index, value) in list.floatCorrections { elements[first + index] = value }
    case .sequence(let items): for item in items { append(item, to: &elements) }
    case .scalar(let scalar): elements.append(Float(scalar.text) ?? Float(node.number ?? 0))
    case .mapping: break
    }
  }
}
