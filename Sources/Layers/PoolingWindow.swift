import Graph

extension LayerAttributes {
  /// The window of a pooling layer: its stride is its kernel unless given, and its padding is smaller than its kernel.
  func poolingWindow() throws(LayerError) -> Window {
    let kernel = pair("kernel") ?? [1, 1]
    let padding = padding()
    if case .explicit(let top, let left, let bottom, let right) = padding,
      max(top, bottom) >= kernel[0] || max(left, right) >= kernel[1]
    {
      throw LayerError(
        "the padding is as large as the kernel, so that a window could lie on padding alone",
        hint: "a pooling's padding has to be smaller than its kernel", key: "padding")
    }
    return Window(kernel: kernel, stride: pair("stride") ?? kernel, padding: padding)
  }
}

extension Window {
  /// The kernel as people write it: `3×3`.
  var kernelSummary: String { kernel.map(String.init).joined(separator: "×") }

  /// The stride where it is not 1; nil otherwise.
  var strideSummary: String? {
    guard stride != [1, 1] else { return nil }
    return stride[0] == stride[1] ? "stride \(stride[0])" : "stride \(stride[0])×\(stride[1])"
  }
}
