/// Arrays as JSON and CSV, as bytes that can be written piece by piece.
package enum TableText {
  /// A whole array as nested JSON lists.
  package static func json(_ tensor: AnyTensor) -> [UInt8] {
    if tensor.shape.isEmpty { return jsonRows(tensor) }
    return Array("[".utf8) + jsonRows(tensor) + Array("]".utf8)
  }

  /// The rows of an array as JSON, separated by commas, without the outermost brackets; so that an array can be written
  /// as its rows come.
  package static func jsonRows(_ tensor: AnyTensor) -> [UInt8] {
    var text: [UInt8] = []
    switch tensor {
    case .float32(let tensor): appendJSON(tensor, &text)
    case .float64(let tensor): appendJSON(tensor, &text)
    }
    return text
  }

  /// The heading of a CSV file: `scores` for an output of one column, else `scores[0]`, `scores[1]`, …
  package static func csvHeading(_ outputs: [(name: String, rowShape: [Int])]) -> [UInt8] {
    var cells: [String] = []
    for (name, rowShape) in outputs {
      let columns = rowShape.reduce(1, *)
      cells += columns == 1 ? [name] : (0..<columns).map { "\(name)[\($0)]" }
    }
    return Array((cells.joined(separator: ",") + "\n").utf8)
  }

  /// Rows of outputs, flattened and side by side; all have as many rows. What is not finite is `nan`, `inf`, `-inf`.
  package static func csvRows(_ outputs: [AnyTensor]) -> [UInt8] {
    let rows = outputs.first.map { $0.shape.first ?? 1 } ?? 0
    var text: [UInt8] = []
    for row in 0..<rows {
      var isFirst = true
      for output in outputs {
        switch output {
        case .float32(let tensor): appendCells(tensor, row, &isFirst, &text)
        case .float64(let tensor): appendCells(tensor, row, &isFirst, &text)
        }
      }
      text.append(UInt8(ascii: "\n"))
    }
    return text
  }

  private static func appendCells<Scalar: TensorScalar>(
    _ tensor: Tensor<Scalar>, _ row: Int, _ isFirst: inout Bool, _ text: inout [UInt8]
  ) {
    let columns = tensor.shape.dropFirst().reduce(1, *)
    for index in (row * columns)..<((row + 1) * columns) {
      if !isFirst { text.append(UInt8(ascii: ",")) }
      isFirst = false
      text += Array(tensor.elements[index].description.utf8)
    }
  }

  private static func appendJSON<Scalar: TensorScalar>(_ tensor: Tensor<Scalar>, _ text: inout [UInt8]) {
    if tensor.shape.isEmpty {
      text += Array(tensor.elements[0].jsonText.utf8)
      return
    }
    func append(axis: Int, offset: Int) {
      let length = tensor.shape[axis]
      for index in 0..<length {
        if index > 0 { text += [UInt8(ascii: ","), UInt8(ascii: " ")] }
        if axis == tensor.shape.count - 1 {
          text += Array(tensor.elements[offset * length + index].jsonText.utf8)
        } else {
          text.append(UInt8(ascii: "["))
          append(axis: axis + 1, offset: offset * length + index)
          text.append(UInt8(ascii: "]"))
        }
      }
    }
    append(axis: 0, offset: 0)
  }
}
